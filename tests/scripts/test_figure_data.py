import csv
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "figure_data.py"


def test_script_writes_the_figure_and_its_data(tmp_path):
    """Centred outputs: on digits λ_max lies far above its bound on white noise."""
    sizes = ["--widths", "40", "--draws", "2", "--out", str(tmp_path)]
    subprocess.run([sys.executable, str(SCRIPT), *sizes], check=True)
    assert (tmp_path / "data.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    with (tmp_path / "data.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    theory = {(row["inputs"], row["norm"], row["width"]): float(row["theory"]) for row in rows}
    assert theory["digits", "mean@last", "40"] > 4 * theory["white noise", "mean@last", "40"]
    assert all(float(row["measured"]) > 0 and float(row["sem"]) >= 0 for row in rows)

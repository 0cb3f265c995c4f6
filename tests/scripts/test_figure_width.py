import csv
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "figure_width.py"


def test_script_writes_the_figure_and_its_data(tmp_path):
    sizes = ["--widths", "10", "20", "--draws", "2", "--out", str(tmp_path)]
    subprocess.run([sys.executable, str(SCRIPT), *sizes], check=True)
    assert (tmp_path / "width.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    with (tmp_path / "width.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    theory = {(row["norm"], row["width"]): float(row["theory"]) for row in rows}
    assert theory["none", "20"] > 1.5 * theory["none", "10"]
    assert theory["batch@last", "20"] < 1.1 * theory["batch@last", "10"]
    assert all(float(row["measured"]) > 0 and float(row["sem"]) >= 0 for row in rows)

"""The README's Python blocks run, and so do its `meanfield` commands.

Each continues those before it, but for the one that starts processes: that is a script as well.
"""

import shlex
import subprocess
import sys
from pathlib import Path

from sybil import Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

from meanfield.commands.cli import run

README = Path(__file__).parents[1] / "README.md"


def run_commands(example):
    for line in example.parsed.splitlines():
        program, *arguments = shlex.split(line)
        assert program == "meanfield"
        assert run(arguments) == 0, line


def run_as_a_script(code, folder):
    """Its processes import the file, which a block in this process does not have."""
    script = folder / "snippet.py"
    script.write_text(code)
    done = subprocess.run([sys.executable, script], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_readme_runs(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parsers = [PythonCodeBlockParser(), CodeBlockParser(language="bash", evaluator=run_commands)]
    document = Sybil(parsers=parsers).parse(README)
    blocks = list(document.examples())
    assert len(blocks) == 9
    (sweep,) = (block.parsed for block in blocks if "mf.sweep(" in block.parsed)
    run_as_a_script(sweep, tmp_path)  # and is taken up again below, where nothing is left to do
    namespace = document.namespace
    namespace["__name__"] = "__main__"
    for block in blocks:
        block.evaluate()
    assert abs(namespace["prediction"].eigenvalue_max - 8.69) < 0.005
    assert namespace["prediction"].eigenvalue_max_kind == "bulk-edge"
    assert namespace["curve"].shape == (50,)
    assert namespace["plane"].shape == (16, 16)
    assert namespace["table"].reading.startswith("batch@hidden flattens this network most")
    assert "λ_max" in capsys.readouterr().out


def test_readme_shows_the_set_up_commands():
    makefile = (README.parent / "Makefile").read_text()
    for target in ("reproduce", "benchmark", "test"):
        assert f"make {target}" in README.read_text()
        assert f"\n{target}:" in makefile

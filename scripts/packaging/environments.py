"""Virtual environments from nothing, and commands in them that see nothing of this repository."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONSTRAINTS = ROOT / "constraints.txt"


def run(*command: str | Path, cwd: Path, code: int = 0) -> str:
    """What a command prints, on both streams; raises if it ends with another code."""
    hidden = ("PYTHONPATH", "VIRTUAL_ENV", "MYPYPATH")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != code:
        said = " ".join(map(str, command))
        raise RuntimeError(f"{said}\nended with {done.returncode}, not {code}:\n{done.stdout}")
    return done.stdout


def environment(folder: Path, python: str | Path) -> Path:
    """The folder of programs of a new virtual environment."""
    run(python, "-m", "venv", "--clear", folder, cwd=folder.parent)
    return folder / "bin"


def install(programs: Path, *requirements: str, constraints: Path = CONSTRAINTS) -> None:
    """Installs into an environment."""
    pip = (programs / "python", "-m", "pip", "install", "--quiet", "--no-compile")
    run(*pip, "--constraint", constraints, *requirements, cwd=ROOT)

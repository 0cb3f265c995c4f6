"""Runs tests with the oldest and newest requirements, on every supported Python of this machine.

    python scripts/packaging/matrix.py [TESTS ...]

By default a part of the tests that uses every requirement. The lower bounds of `pyproject.toml` are
tried on the oldest Python, which newer ones have no wheels for; the newest releases on each.
Environments are made anew in `.matrix`. Warnings are no errors here: requirements deprecate what
other requirements use.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from environments import ROOT, environment, install, run

FOLDER = ROOT / ".matrix"
SMOKE = (
    "tests/commands", "tests/data", "tests/gaussian/test_averages.py",
    "tests/machine/test_compilations.py", "tests/plot", "tests/sampling/test_krylov.py",
    "tests/spec", "tests/sweeps/test_sweep.py", "tests/sweeps/test_dataset.py",
    "tests/theory/test_predict.py", "tests/theory/white_noise/test_predict.py",
    "tests/training/test_train.py",
)  # fmt: skip
AGES = OLDEST, NEWEST = "oldest", "newest"
VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"
LENIENT = ("-o", "filterwarnings=default", "-W", "ignore", "-p", "no:cacheprovider", "-q")


def lower_bounds(project: dict) -> list[str]:
    """The oldest releases that are said to do, of all but the tests' own requirements."""
    extras = project["optional-dependencies"]
    ours = (extras[name] for name in extras if name not in ("all", "test"))
    requirements = [*project["dependencies"], *(r for extra in ours for r in extra)]
    return sorted({requirement.replace(">=", "==") for requirement in requirements})


def supported(project: dict, version: str) -> bool:
    """Whether a Python such as "3.12" is new enough."""
    (least,) = re.findall(r">=(\d+)\.(\d+)", project["requires-python"])
    return tuple(map(int, version.split("."))) >= tuple(map(int, least))


def candidates() -> Iterator[Path]:
    """Programs that may be a Python."""
    folders = [Path(p) for p in os.get_exec_path()]
    folders += sorted((Path.home() / ".pyenv" / "versions").glob("3.*/bin"))
    yield Path(sys.executable)
    for folder in folders:
        yield from sorted(folder.glob("python3.[0-9]*"))


def pythons(project: dict) -> dict[str, Path]:
    """A program for every supported version of Python, oldest first."""
    found: dict[str, Path] = {}
    for path in candidates():
        if re.fullmatch(r"python(3(\.\d+)?)?", path.name):
            done = subprocess.run([path, "-c", VERSION], capture_output=True, text=True)
            if done.returncode == 0 and supported(project, version := done.stdout.strip()):
                found.setdefault(version, path)
    return dict(sorted(found.items(), key=lambda item: int(item[0].partition(".")[2])))


def try_out(version: str, python: Path, age: str, bounds: list[str], tests: list[str]) -> bool:
    """Whether the tests pass in a new environment with these requirements."""
    constraints = FOLDER / f"{age}.txt"
    constraints.write_text("\n".join(bounds if age == OLDEST else []))
    programs = environment(FOLDER / f"{version}-{age}", python)
    try:
        install(programs, "--editable", ".[all,test]", constraints=constraints)
    except RuntimeError as error:
        print(error)
        return False
    listed = run(programs / "python", "-m", "pip", "freeze", "--exclude-editable", cwd=ROOT)
    print(listed, flush=True)
    code = subprocess.run([programs / "pytest", *LENIENT, *tests], cwd=ROOT).returncode
    print(f"pytest ended with {code}", flush=True)
    return code == 0


def main() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    tests, bounds, found = sys.argv[1:] or list(SMOKE), lower_bounds(project), pythons(project)
    FOLDER.mkdir(exist_ok=True)
    first = next(iter(found))
    passed = {}
    for version, age in [(first, OLDEST), *((version, NEWEST) for version in found)]:
        print(f"Python {version}, {age} requirements", flush=True)
        passed[version, age] = try_out(version, found[version], age, bounds, tests)
        shutil.rmtree(FOLDER / f"{version}-{age}")
    for (version, age), well in passed.items():
        print(f"Python {version}, {age} requirements: {'passed' if well else 'FAILED'}")
    sys.exit(not all(passed.values()))


if __name__ == "__main__":
    main()

"""Builds the wheel and the sdist, and uses the wheel where nothing else is, as a stranger would.

    python scripts/packaging/distribution.py

The sdist builds the same wheel. The wheel alone pulls the core's few packages and predicts; with
its extras the commands run, a figure is made, and a type checker knows every public name.
"""

import json
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

from environments import ROOT, environment, install, run

CORE = {"jax", "jaxlib", "numpy", "scipy", "ml-dtypes", "opt-einsum"}  # the last two are JAX's
TOOLS = {"meanfield", "pip", "setuptools"}
NETWORK = ("--depth", "3", "--width", "100", "--samples", "100", "--bias-var", "0.1", "--json")
PREDICT = """
import meanfield as mf
network = mf.Network(depth=3, width=100, activation="relu", bias_var=0.1, norm="batch@last")
print(mf.__file__, mf.predict(network, samples=100).eigenvalue_max)
"""


def build(folder: Path) -> tuple[Path, Path]:
    """The wheel and the sdist, each built from the repository."""
    programs = environment(folder / "builder", sys.executable)
    install(programs, "build")
    builder = (programs / "python", "-m", "build")
    run(*builder, "--wheel", "--sdist", "--outdir", folder / "dist", ROOT, cwd=folder)
    (wheel,), (sdist,) = (list((folder / "dist").glob(f"*.{end}")) for end in ("whl", "tar.gz"))
    shutil.unpack_archive(sdist, folder / "unpacked", filter="data")
    (source,) = (folder / "unpacked").iterdir()
    run(*builder, "--wheel", "--outdir", folder / "again", source, cwd=folder)
    (again,) = (folder / "again").glob("*.whl")
    if contents(again) != contents(wheel):
        raise RuntimeError("the sdist builds another wheel than the repository")
    return wheel, sdist


def contents(wheel: Path) -> dict[str, bytes]:
    """Every file of it."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def check_core(folder: Path, wheel: Path) -> str:
    """Without extras: what is pulled, that it predicts, and what the command then says."""
    programs = environment(folder / "core", sys.executable)
    install(programs, str(wheel))
    listed = run(programs / "python", "-m", "pip", "list", "--format", "json", cwd=folder)
    found = {package["name"].replace("_", "-").lower() for package in json.loads(listed)}
    if found - TOOLS != CORE:
        raise RuntimeError(f"the core pulls {sorted(found - TOOLS)}, not {sorted(CORE)}")
    where, largest = run(programs / "python", "-c", PREDICT, cwd=folder).split()
    if not Path(where).is_relative_to(folder / "core"):
        raise RuntimeError(f"what predicted is {where}")
    said = run(programs / "meanfield", "predict", cwd=folder, code=1)
    if "pip install 'meanfield[cli]'" not in said:
        raise RuntimeError(f"without its extra the command says: {said}")
    return f"core: {', '.join(sorted(found))}; λ_max = {float(largest):.4g}"


def check_everything(folder: Path, wheel: Path) -> str:
    """With all extras: predict, simulate, a figure, and the types."""
    programs = environment(folder / "all", sys.executable)
    install(programs, f"meanfield[all] @ {wheel.as_uri()}", "mypy", "pandas-stubs")
    command, away = programs / "meanfield", folder / "away"
    away.mkdir()
    predicted = json.loads(run(command, "predict", *NETWORK, cwd=away))["eigenvalue_max"]
    sampled = json.loads(run(command, "simulate", *NETWORK, "--draws", "20", cwd=away))
    measured = sampled["eigenvalue_max"]["mean"]
    if abs(measured / predicted - 1) > 0.25:
        raise RuntimeError(f"λ_max: theory {predicted}, measured {measured}")
    run(command, "reproduce", "--only", "table", cwd=away)
    made = {path.name for path in (away / "figures" / "quick").iterdir() if path.is_file()}
    if made != {"index.html", *(f"table.{kind}" for kind in ("csv", "json", "pdf", "png"))}:
        raise RuntimeError(f"reproduce made {sorted(made)}")
    shutil.copy(ROOT / "tests" / "public_types.py", away)
    run(programs / "mypy", "public_types.py", cwd=away)
    return f"all: λ_max = {predicted:.4g}, measured {measured:.4g}; figure made; types known"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="meanfield-dist-") as name:
        folder = Path(name).resolve()
        wheel, sdist = build(folder)
        print(f"{wheel.name} is what {sdist.name} builds", flush=True)
        print(check_core(folder, wheel), flush=True)
        print(check_everything(folder, wheel), flush=True)


if __name__ == "__main__":
    main()

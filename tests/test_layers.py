"""The rooms of the package and the order in which they build on each other.

A file imports from its own folder or from a lower row, never sideways or up. Imports inside
functions and under TYPE_CHECKING count.
"""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import meanfield

PACKAGE = Path(meanfield.__file__).parent
ROWS = (
    {"checks", "numerics", "version"},
    {"machine", "gaussian"},
    {"data", "spec"},
    {"theory", "sampling"},
    {"training", "studies", "sweeps"},
    {"plot"},
    {"reproduction"},
    {"commands"},
    {"__main__"},
)
INSIDE_THEORY = (
    {"kernels", "kinds", "layer", "norms", "notes", "outputs", "result"},
    {"white_noise", "given_inputs"},
    {"predict"},
)


def module_name(path):
    """The dotted name below the package; "" is the package itself."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in PACKAGE.rglob("*.py")}


def imported(tree):
    """The modules of this package that a file imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where a thing lives"
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [n if n.removeprefix("meanfield.") in MODULES else node.module for n in inside]
        else:
            continue
        for name in names:
            if name.partition(".")[0] == "meanfield":
                yield name.removeprefix("meanfield").removeprefix(".")


IMPORTS = {name: set(imported(ast.parse(path.read_text()))) for name, path in MODULES.items()}
IMPORTS.pop("")  # the package itself names all that is public


def row(name, rows):
    """In which row a room is."""
    (found,) = [i for i, rooms in enumerate(rows) if name in rooms]
    return found


def breaches(name, uses, rows):
    """The imports of a module that are neither its own folder's nor from a lower row."""
    folder = name.partition(".")[0]
    for used in uses:
        there = used.partition(".")[0]
        if there != folder and row(there, rows) >= row(folder, rows):
            yield f"{name} imports {used}"


def test_every_file_imports_from_its_own_folder_or_a_lower_row():
    found = [b for name, uses in IMPORTS.items() for b in breaches(name, uses, ROWS)]
    assert not found


def test_inside_the_theory_too():
    inside = {
        name.removeprefix("theory."): {u.removeprefix("theory.") for u in uses if "theory." in u}
        for name, uses in IMPORTS.items()
        if name.startswith("theory.")
    }
    low = INSIDE_THEORY[0]  # files of one folder
    found = [
        breach
        for name, uses in inside.items()
        if name
        for breach in breaches(name, uses - low if name in low else uses, INSIDE_THEORY)
    ]
    assert not found


def test_a_breach_is_noticed():
    assert list(breaches("spec.network", {"theory.kinds"}, ROWS))
    assert list(breaches("sampling.dual", {"theory.kinds"}, ROWS))
    assert not list(breaches("studies.comparison", {"theory.kinds", "studies.simulation"}, ROWS))
    assert set(imported(ast.parse("def f():\n  from meanfield import plot\n"))) == {"plot"}


def test_nothing_imports_in_a_circle():
    assert set(TopologicalSorter(IMPORTS).static_order()) >= set(IMPORTS)


def test_no_file_imports_the_package_itself():
    assert not [name for name, uses in IMPORTS.items() if "" in uses]


def loaded(code):
    """The modules of the package that are loaded after running some code in a new process."""
    code += "\nimport sys; print(*(m for m in sys.modules if m.startswith('meanfield.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.removeprefix("meanfield.").partition(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize(("room", "other"), [("theory", "sampling"), ("sampling", "theory")])
def test_theory_and_sampler_do_not_load_each_other(room, other):
    files = [name for name in MODULES if name.partition(".")[0] == room]
    rooms = loaded("\n".join(f"import meanfield.{name}" for name in files))
    assert room in rooms
    assert other not in rooms


def test_importing_the_package_loads_next_to_nothing():
    assert loaded("import meanfield") == {"version"}


def test_public_names_are_not_shadowed_by_modules():
    """A folder of a public function's name would take its place once it is imported."""
    code = "import meanfield as mf\n" + "\n".join(
        f"import meanfield.{name}" for name in MODULES if name and name != "__main__"
    )
    code += "\nfor name in mf.__all__: assert name[0] == '_' or name.isupper() or name == 'plot' "
    code += "or callable(getattr(mf, name)), name"
    subprocess.run([sys.executable, "-c", code], check=True)

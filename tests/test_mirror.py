"""The tests stand where their subjects do: FOLDER/test_MODULE.py for meanfield/FOLDER/MODULE.py.

What is long has further files, FOLDER/test_MODULE_*.py.
"""

from pathlib import Path

import pytest

import meanfield

PACKAGE, TESTS = Path(meanfield.__file__).parent, Path(__file__).parent
# Modules of records or a few lines, and the tests of what makes or calls them.
COVERED = {
    "__init__": "test_layers.py",
    "__main__": "commands/test_cli.py",
    "version": "commands/test_cli.py",
    "numerics.roots": "theory/test_outputs.py",
    "sweeps.words": "sweeps/test_store.py",
    "theory.result": "theory/white_noise/test_predict.py",
    "theory.white_noise.bulk.features": "theory/white_noise/bulk/test_law.py",
    "theory.white_noise.bulk.largest": "theory/white_noise/bulk/test_edge.py",
    "theory.white_noise.bulk.situation": "theory/white_noise/bulk/test_overlap.py",
    "theory.white_noise.bulk.spectrum": "theory/white_noise/bulk/test_density.py",
    "theory.white_noise.bulk.units": "theory/white_noise/bulk/test_law.py",
    "theory.white_noise.result": "theory/white_noise/test_predict.py",
    "theory.given_inputs.unit_noise": "theory/given_inputs/test_finite_width.py",
    "theory.given_inputs.result": "theory/given_inputs/test_predict.py",
}
# Tests about several modules at once.
SEVERAL = {
    "commands/test_bad_input.py",
    "studies/test_new_norm.py",
    "studies/test_pickles.py",
    "sweeps/test_commands.py",  # with the sweeps that are measured there
}


def modules(package):
    """The dotted names of its modules; folders' __init__ files only say what is in them."""
    paths = (path.relative_to(package).with_suffix("") for path in package.rglob("*.py"))
    return {".".join(p.parts) for p in paths if p.name != "__init__" or len(p.parts) == 1}


def test_file(module):
    """Where the tests of a module are."""
    *folders, name = module.split(".")
    return "/".join([*folders, f"test_{name}.py"])


test_file.__test__ = False


def homeless(modules, tests):
    """The modules without tests of their own, or of a file that covers them."""
    return {m for m in modules if test_file(m) not in tests and COVERED.get(m) not in tests}


def strays(modules, tests):
    """The tests in the package's folders that belong to no module."""
    folders = {module.rpartition(".")[0].replace(".", "/") for module in modules} - {""}
    stems = {test_file(module).removesuffix(".py") for module in modules}
    return {
        test
        for test in tests - SEVERAL
        if test.rpartition("/")[0] in folders
        and not any(test == f"{stem}.py" or test.startswith(f"{stem}_") for stem in stems)
    }


MODULES = modules(PACKAGE)
FILES = {path.relative_to(TESTS).as_posix() for path in TESTS.rglob("test_*.py")}


def test_every_module_has_its_tests():
    assert homeless(MODULES, FILES) == set()


def test_all_tests_in_a_folder_of_the_package_belong_to_a_module():
    assert strays(MODULES, FILES) == set()


def test_what_is_excepted_is_there_and_needs_to_be():
    assert set(COVERED) <= MODULES
    assert set(COVERED.values()) | SEVERAL <= FILES
    assert {module for module in COVERED if test_file(module) in FILES} == set()


@pytest.mark.parametrize(
    ("module", "tests", "alone", "astray"),
    [
        ("data.files", {"data/test_files.py", "data/test_files_csv.py"}, False, set()),
        ("data.files", {"data/test_files_csv.py"}, True, set()),
        ("data.files", {"test_files.py", "other/test_files.py"}, True, set()),
        ("a.b.c", {"a/b/test_c.py", "a/b/test_cd.py"}, False, {"a/b/test_cd.py"}),
        ("theory.result", {"theory/white_noise/test_predict.py"}, False, set()),
    ],
)
def test_a_gap_is_noticed(module, tests, alone, astray):
    assert homeless({module}, tests) == ({module} if alone else set())
    assert strays({module}, tests) == astray

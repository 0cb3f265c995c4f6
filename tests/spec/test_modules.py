"""Importing what a user names as MODULE:NAME, and never what only a file names."""

import sys

import pytest

from meanfield.spec.modules import Unimported, imported, is_path
from meanfield.spec.network import Network


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with modules in it; this process forgets them afterwards."""
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(
            sys.modules[name].__file__
        ):
            del sys.modules[name]


def test_paths_have_a_colon():
    assert is_path("module:function")
    assert not is_path("tanh")
    assert not is_path(3)


def test_a_folder_is_searched_for_one_import_only(folder):
    (folder / "mine_here.py").write_text("import helper_here\nf = helper_here.f\n")
    (folder / "helper_here.py").write_text("f = len\n")
    before = list(sys.path)
    with pytest.raises(ValueError, match="'mine_here:f' cannot be imported: No module"):
        imported("mine_here:f")
    assert imported("mine_here:f", str(folder)) is len
    assert sys.path == before
    with pytest.raises(ModuleNotFoundError):
        __import__("stranger_here")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise SystemExit(0)", "0"),
        ("raise SystemExit", "SystemExit()"),
        ("raise GeneratorExit('gone')", "gone"),
        ("raise KeyError('x' * 9999)", "characters"),
        ("x = 1", "no attribute 'f'"),
        ("def", "invalid syntax"),
    ],
)
def test_whatever_a_module_raises_is_bad_input(folder, code, said):
    (folder / "raising_here.py").write_text(code)
    with pytest.raises(ValueError, match="'raising_here:f' cannot be imported") as error:
        imported("raising_here:f", str(folder))
    assert said in str(error.value)
    assert len(str(error.value)) < 400
    assert str(folder) not in sys.path


def test_an_interrupt_stays_one(folder):
    (folder / "interrupted_here.py").write_text("raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        imported("interrupted_here:f", str(folder))


@pytest.mark.parametrize("path", ["sys:exit", "os:abort_", "subprocess:Popen", "builtins:eval"])
def test_what_is_no_activation_is_refused_whatever_it_raises(path):
    with pytest.raises(ValueError, match="activation"):
        Network(depth=2, width=5, activation=path)


def test_what_is_not_imported_cannot_be_computed_with():
    with pytest.raises(ValueError, match=r"'evil:f' is named by a file.*--trust.*trust=True"):
        Unimported("evil:f")(1.0)

"""What a stranger installs, reads and cites: metadata that must agree with the rest."""

import re
import tomllib
from pathlib import Path

import yaml

import meanfield

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
DEVELOPMENT = {"test"}


def names(requirements):
    """The distributions that are required, without extras and versions."""
    return {re.match(r"[\w-]+", requirement)[0] for requirement in requirements}


def test_the_version_is_written_down_once():
    version = re.compile(rf"(?<![\d.]){re.escape(meanfield.__version__)}(?![\d.])")
    others = [ROOT / name for name in ("README.md", "CITATION.cff", "pyproject.toml")]
    files = [*(ROOT / "meanfield").rglob("*.py"), *others]
    assert [f.name for f in files if version.search(f.read_text())] == ["version.py"]
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "meanfield/version.py"


def test_the_changelog_tells_of_this_version():
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert meanfield.__version__ in [h for h in headings if h != "Unreleased"][:1]


def test_all_is_every_extra_but_those_of_developers():
    (every,) = EXTRAS["all"]
    listed = re.fullmatch(r"meanfield\[(.+)\]", every)[1].split(",")
    assert set(listed) == set(EXTRAS) - {"all"} - DEVELOPMENT
    used = set.union(*(names(EXTRAS[extra]) for extra in listed))
    assert not used & names(EXTRAS["test"])


def test_the_core_needs_four_packages():
    assert names(PROJECT["project"]["dependencies"]) == {"jax", "jaxlib", "numpy", "scipy"}


def test_constraints_pin_what_is_required():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
    pinned = {re.sub(r"[_.]", "-", line.partition("==")[0].lower()) for line in lines}
    needed = names(PROJECT["project"]["dependencies"]).union(*(names(r) for r in EXTRAS.values()))
    assert needed - {"meanfield"} <= pinned


def test_the_citation_is_readable_and_names_the_papers():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["license"] == PROJECT["project"]["license"]
    readme = (ROOT / "README.md").read_text()
    for reference in citation["references"]:
        assert reference["url"] in readme
        assert [a["family-names"] for a in reference["authors"]] == ["Karakida", "Akaho", "Amari"]


def test_every_public_name_has_its_type_asserted():
    """`make types` checks them; here, that none is forgotten."""
    text = (ROOT / "tests" / "public_types.py").read_text()
    assert [n for n in meanfield.__all__ if not re.search(rf"\bmf\.{n}\b", text)] == []
    assert (ROOT / "meanfield" / "py.typed").exists()


def test_the_recipes_name_what_there_is():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    paths = set(re.findall(r"`((?:meanfield|scripts|tests|docs)(?:/[\w.]+)+)`", text))
    assert len(paths) > 15
    assert {
        path for path in paths - {"scripts/figures/NAME.py"} if not (ROOT / path).exists()
    } == set()
    named = re.findall(r"`(\w+)` (?:of|in) `([\w/]+\.py)`", text)
    assert len(named) > 5
    for name, path in named:
        assert re.search(rf"\b{name}\b", (ROOT / path).read_text()), (name, path)

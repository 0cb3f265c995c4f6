"""Every citation of the theory leads to a section or a result of docs/theory.md."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
THEORY = ROOT / "docs" / "theory.md"
FOLDERS = ("meanfield", "scripts", "tests", "docs")
NUMBER = r"\d+(?:\.\d+)?"
LIST = rf"{NUMBER}(?:(?:,? and |, | to | ?[–-] ?){NUMBER})*"
SECTION = re.compile(rf"\b[Ss]ections ({LIST})|\b[Ss]ection ({NUMBER})")
RESULT = re.compile(rf"\bResults ({LIST})|\bResult ({NUMBER})")
# theory.md followed by no such word is a plain mention of the file.
CITING = re.compile(r"theory\.md[`,;:#( ]*(?=\d|§|[Ss]ec|[Rr]esult)")


def unwrapped(text):
    """The text on one line, so that a citation may run over the end of a line or comment."""
    return re.sub(r"\s*\n\s*(?:# )?", " ", text)


def numbers(listed):
    """The numbers of "3", "4 and 6", "1, 5 and 6", "3–6" or "4 to 6", ranges filled in."""
    for part in re.split(r",? and |, ", listed):
        first, *last = re.split(r" to | ?[–-] ?", part)
        yield from map(str, range(int(first), int(last[0]) + 1)) if last else [first]


def cited(pattern, text):
    """What the text cites by that pattern."""
    matches = pattern.finditer(text)
    return {n for match in matches for n in numbers(next(filter(None, match.groups())))}


def sections(text):
    return re.findall(rf"^##+ ({NUMBER})\.? ", text, re.MULTILINE)


def results(text):
    return re.findall(rf"^\*\*Result ({NUMBER})\*\*", text, re.MULTILINE)


def broken_citations(text):
    """What of the text's citations does not exist or cannot be read."""
    text, theory = unwrapped(text), THEORY.read_text()
    missing = [f"section {n}" for n in cited(SECTION, text) - set(sections(theory))]
    missing += [f"Result {n}" for n in cited(RESULT, text) - set(results(theory))]
    after = (text[match.end() :] for match in CITING.finditer(text))
    return missing + [s[:20] for s in after if not (SECTION.match(s) or RESULT.match(s))]


def test_every_citation_resolves():
    files = [ROOT / "README.md", *(f for d in FOLDERS for f in (ROOT / d).rglob("*.[pm][yd]"))]
    texts = {f.relative_to(ROOT): f.read_text() for f in files if f != Path(__file__)}
    assert sum(len(cited(SECTION, unwrapped(text))) for text in texts.values()) > 50
    assert {f: broken for f, text in texts.items() if (broken := broken_citations(text))} == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("(theory.md section 3, Result 6.4)", "3"),
        ("`docs/theory.md` section 4.1:", "4.1"),
        ("theory.md sections 1, 5 and 6.", "1 5 6"),
        ("theory.md sections 3–6; see (section 7)", "3 4 5 6 7"),
        ("# theory.md,\n    # sections 4 to 6", "4 5 6"),
        ("section 2, and 60 digits", "2"),
        ("theory.md's table", ""),
    ],
)
def test_every_form_of_citation_is_read(text, found):
    assert cited(SECTION, unwrapped(text)) == set(found.split())
    assert broken_citations(text) == []


@pytest.mark.parametrize(
    "text",
    ["theory.md section 14", "theory.md sections 3, 4 and 12", "(section\n0)", "theory.md section",
     "theory.md §4", "theory.md 4", "theory.md Result 4.9", "theory.md#4-reading"],
)  # fmt: skip
def test_a_wrong_citation_is_found(text):
    assert len(broken_citations(text)) == 1


def test_results_are_numbered_once_and_in_their_section():
    parts = re.split(r"^## (\d+)\. ", THEORY.read_text(), flags=re.MULTILINE)[1:]
    for number, body in zip(parts[::2], parts[1::2], strict=True):
        found = results(body)
        assert found == [f"{number}.{i + 1}" for i in range(len(found))]


def test_every_module_and_function_named_exists():
    named = re.findall(r"`(meanfield/[\w/]+\.py)`((?:[:,] `\w+`)*)", unwrapped(THEORY.read_text()))
    assert {path for path, _ in named if not (ROOT / path).exists()} == set()
    for path, names in named:
        for name in re.findall(r"\w+", names):
            assert re.search(rf"(?:def|class) {name}\b", (ROOT / path).read_text()), (path, name)

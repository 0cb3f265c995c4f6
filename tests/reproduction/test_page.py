"""The page of figures, as text and in a browser."""

import re
import shutil

import pytest

from meanfield.reproduction.numbers import Number
from meanfield.reproduction.page import page
from meanfield.reproduction.reproduce import reproduce

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
PICTURE = b"\x89PNG" + bytes(30)


def record(*numbers, name="a", place=1):
    return {
        "name": name, "title": "t", "sentence": "s", "size": "full", "seed": 0, "seconds": 1.0,
        "device": "cpu", "meanfield": "0", "jax": "0", "parameters": {"T": "M"}, "place": place,
        "numbers": [number._asdict() for number in numbers],
    }  # fmt: skip


def page_of(*numbers):
    return page([(record(*numbers), PICTURE)])


@pytest.mark.skipif(BROWSER is None, reason="no chromium or google-chrome is installed")
def test_the_page_opens_in_a_browser(scripts, tmp_path):
    """Every picture is there, and nothing goes wrong or is asked for elsewhere."""
    from playwright.sync_api import sync_playwright

    report = reproduce(only=["made-one", "made-two"], out=tmp_path / "f")
    problems, requests = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=list(QUIET))
        tab = browser.new_page()
        tab.on("console", lambda message: problems.append(message.text))
        tab.on("pageerror", lambda error: problems.append(str(error)))
        tab.on("requestfailed", lambda request: problems.append(request.url))
        tab.on("request", lambda request: requests.append(request.url))
        tab.goto(report.index.as_uri())
        widths = tab.eval_on_selector_all("img", "images => images.map(i => i.naturalWidth)")
        words = tab.inner_text("body")
        browser.close()
    assert problems == []
    assert len(widths) == 2
    assert all(width > 0 for width in widths)
    assert all(url.startswith(("data:", "file:")) for url in requests)
    assert "made-one <title>" in words
    assert "-50.0%" in words


def test_figures_stand_in_the_order_of_their_places():
    places = {"b": 30, "a": 20, "c": 10.5}
    html = page([(record(name=name, place=place), PICTURE) for name, place in places.items()])
    assert re.findall(r'href="#(\w)"', html) == ["c", "a", "b"]
    assert re.findall(r'section id="(\w)"', html) == ["c", "a", "b"]


def test_the_page_sets_exponents_side_by_side():
    """A ratio to an exponent of about 0 says nothing."""
    html = page_of(Number("x", -1e-16, 0.018, 0.003, is_exponent=True), Number("y", 2.0, 3.0, 0.1))
    assert "<td>+0.018</td>" in html
    assert "<td>+50.0%</td>" in html


def test_the_page_marks_bounds_and_folds_long_tables():
    html = page_of(*[Number("x", 1.5, 6.0, 0.5, is_bound=True)] * 20)
    assert "≥ 1.5" in html
    assert "20 numbers" in html
    assert "%" not in re.sub("<style>.*</style>", "", html, flags=re.DOTALL)

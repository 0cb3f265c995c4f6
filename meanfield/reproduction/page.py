"""One self-contained page of figures: images inside, no script, nothing to load."""

import base64
import math
from collections.abc import Sequence
from html import escape

from meanfield.reproduction.numbers import Number

STYLE = """
:root { color-scheme: light dark; --ink: #1c1c1c; --dim: #666; --paper: #fdfdfc; --line: #ddd; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e3; --dim: #a0a09c; --paper: #161615; --line: #3a3a38; } }
body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 62rem; margin: 2.5rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin-bottom: 0; } h2 { font-size: 1.2rem; margin: 0; }
nav { margin: 1rem 0 2rem; } nav a { margin-right: 1rem; color: inherit; }
section { border-top: 1px solid var(--line); padding: 1.6rem 0; }
img { display: block; width: 100%; background: #fff; border-radius: 4px; margin: 1rem 0; }
img.narrow { max-width: 36rem; }
.dim, summary { color: var(--dim); font-size: .85rem; }
.size { border: 1px solid var(--line); border-radius: 1em; padding: 0 .6em; margin-left: .5em;
  font-weight: normal; }
.rows { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .15rem .9rem .15rem 0; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
"""
MANY = 14  # rows that are folded away
NARROW = 900  # pixels: of a picture for one column
PNG_WIDTH = slice(16, 20)  # bytes of a PNG


def page(figures: Sequence[tuple[dict, bytes]]) -> str:
    """The page of figures, the record and the PNG of each, by their places; one of none is last."""
    figures = sorted(figures, key=lambda figure: figure[0].get("place", math.inf))
    names = [escape(record["name"]) for record, _ in figures]
    links = "".join(f'<a href="#{name}">{name}</a>' for name in names)
    sections = "".join(_section(record, picture) for record, picture in figures)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,"><title>meanfield: figures</title>'
        f"<style>{STYLE}</style></head><body>"
        "<h1>Fisher information of wide networks: theory against sampled networks</h1>"
        '<p class="dim">Made by <code>meanfield reproduce</code>. Lines are theory, dashed where '
        "it is a lower bound; points are means (where it is said, medians) over sampled networks, "
        "with their standard error."
        f"</p><nav>{links}</nav>{sections}</body></html>\n"
    )


def _section(record: dict, picture: bytes) -> str:
    name, title, sentence, size = (escape(record[k]) for k in ("name", "title", "sentence", "size"))
    narrow = ' class="narrow"' if int.from_bytes(picture[PNG_WIDTH]) < NARROW else ""
    source = base64.b64encode(picture).decode()
    return (
        f'<section id="{name}"><h2>{title}<span class="dim size">{size}</span></h2>'
        f'<p>{sentence}</p><img{narrow} alt="{title}: {sentence}" '
        f'src="data:image/png;base64,{source}"><p class="dim">{_parameters(record)}</p>'
        f"{_numbers(record['numbers'])}</section>\n"
    )


def _parameters(record: dict) -> str:
    given = " · ".join(f"{name}: {_text(value)}" for name, value in record["parameters"].items())
    how = (
        f"{record['size']} run, seed {record['seed']}, {record['seconds']:g} s on "
        f"{record['device']}, meanfield {record['meanfield']}, jax {record['jax']}"
    )
    return f"{escape(given)}<br>{escape(how)}"


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _numbers(records: Sequence[dict]) -> str:
    """Theory against measurement, as a table; without a measurement, theory alone."""
    if not records:
        return ""
    numbers = [Number(**record) for record in records]
    is_measured = any(number.measured is not None for number in numbers)
    titles = ["", "theory", *(["measured", "deviation"] if is_measured else [])]
    head = "".join(f"<th>{title}</th>" for title in titles)
    rows = "".join(_row(number, is_measured) for number in numbers)
    table = f'<div class="rows"><table><tr>{head}</tr>{rows}</table></div>'
    if len(numbers) <= MANY:
        return table
    return f"<details><summary>{len(numbers)} numbers</summary>{table}</details>"


def _row(number: Number, is_measured: bool) -> str:
    theory, measured = number.theory, number.measured
    predicted = "–" if theory is None else f"{'≥ ' if number.is_bound else ''}{theory:.4g}"
    found = "–" if measured is None else f"{measured:.4g}"
    found += f" ± {number.sem:.2g}" if number.sem else ""
    deviation = ""
    if theory is not None and measured is not None and not number.is_bound:
        if number.is_exponent:
            deviation = f"{measured - theory:+.3f}"
        elif theory:
            deviation = f"{measured / theory - 1:+.1%}"
    cells = [escape(number.what), predicted, *([found, deviation] if is_measured else [])]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"

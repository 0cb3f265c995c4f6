"""How often a property is tried: a little in every run of the tests, a lot in `make fuzz`."""

import os
from collections import Counter

from hypothesis import settings

FUZZ = bool(os.environ.get("MEANFIELD_FUZZ"))
# Of `make fuzz`: what was tried, and how that ended.
TALLY: Counter[tuple[str, str]] = Counter()


def tries(few: int, many: int) -> settings:
    """So many examples, by which of the two this is."""
    return settings(max_examples=many if FUZZ else few)


def some(few, many):
    """The one or the other."""
    return many if FUZZ else few


def count(what: str, outcome: str = "tried") -> None:
    """Counts an example, those included on which hypothesis simplifies a failure."""
    TALLY[what, outcome] += 1


def told() -> list[str]:
    """The counts in lines."""
    lines = []
    for what in dict.fromkeys(what for what, _ in TALLY):
        parts = [f"{number} {outcome}" for (w, outcome), number in TALLY.items() if w == what]
        lines.append(f"{what}: {', '.join(parts)}")
    return lines

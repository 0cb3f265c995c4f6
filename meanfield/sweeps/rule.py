"""The rule that ties the samples of a grid's cells to their widths."""

import re
from math import isfinite

from meanfield.checks import shown

RULE = re.compile(r"(?:(\d+\.?\d*)\s*\*\s*)?width(?:\s*/\s*(\d+\.?\d*))?")


def resolve_samples(samples: object, width: int) -> object:
    """T, from itself or from a rule in the width.

    Raises:
        ValueError: The rule is none, or leads to no number.
    """
    if not isinstance(samples, str):
        return samples
    match = RULE.fullmatch(samples.strip())
    if match is None:
        raise ValueError(
            f"samples must be a positive integer or a rule such as '2*width' or 'width/4', "
            f"got {shown(samples)}"
        )
    times, over = (float(number or 1) for number in match.groups())
    if not over or not isfinite(times * width / over):
        raise ValueError(f"samples must be a rule that gives a number, got {shown(samples)}")
    return round(times * width / over)

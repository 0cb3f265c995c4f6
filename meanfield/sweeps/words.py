"""What the variables, dimensions and marks of a sweep are called."""

import numpy as np

STATISTICS = ("eigenvalue_max", "eigenvalue_mean", "eigenvalue_second_moment")  # measured
SEAL = "seal"  # of draws: what their numbers hash to
STATUS = "status"  # the marks of draws
MISSING, DONE, FAILED = 0, 1, 2  # what they say
EMPTY: dict[str, np.generic] = {  # what an array holds of a draw that is still to be measured
    **dict.fromkeys(STATISTICS, np.float64(np.nan)),
    SEAL: np.uint64(0),
    STATUS: np.int8(MISSING),  # last, also to be written: it vouches for the rest
}
DRAW, DRAWS = "draw", "draws"  # the dimension, and how many there are
THEORY = "theory_"  # in front of what theory says of a statistic
KIND = f"{THEORY}eigenvalue_max_kind"
EDGE = f"{THEORY}bulk_edge"
GRID, THEORY_GROUP = "grid", "theory"  # attributes: what was swept, and where its theory is
SECONDS = ("compile_seconds", "run_seconds")  # what a sweep took, summed over its workers

Results = dict[int, dict[str, float] | str]  # by draw: statistics, or the message of a failure

"""Figures of results. Every function takes the Axes to draw into, or makes them, and returns them.

Placements look the same in all of them (`meanfield.plot.style`). Needs the `plot` extra.
"""

from meanfield.plot.charts import compare, dots
from meanfield.plot.densities import density
from meanfield.plot.lines import along
from meanfield.plot.maps import plane

__all__ = ["along", "compare", "density", "dots", "plane"]

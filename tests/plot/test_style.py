"""What all figures have in common, and the files they are written to."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgb

from meanfield import plot
from meanfield.plot import style


def test_placements_are_told_apart_in_colour_and_in_grey():
    looks = list(style.LOOKS.values())
    assert len({look.colour for look in looks}) == len({look.marker for look in looks})
    assert style.look("batch@3") == style.look("batch@3")
    assert style.look("batch@3") in style.OTHERS
    shown = [to_rgb(look.colour) for look in looks[:7]]  # those of one figure
    lightness = sorted(0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in shown)
    assert min(np.diff(lightness)) > 0.03


def test_files_are_the_same_on_every_day(tmp_path):
    def draw(name):
        _, axes = plt.subplots()
        plot.density([[1.0, 2.0, 5.0]], axes)
        style.save(axes.figure, tmp_path / name)
        return [(tmp_path / f"{name}.{kind}").read_bytes() for kind in ("png", "pdf")]

    assert draw("one") == draw("two")
    assert b"CreationDate" not in draw("one")[1]


def test_large_pictures_are_reduced(tmp_path, monkeypatch):
    _, axes = plt.subplots()
    axes.imshow(np.random.default_rng(0).uniform(size=(200, 200)))
    style.save(axes.figure, tmp_path / "small")
    monkeypatch.setattr(style, "LARGE", 10**9)
    style.save(axes.figure, tmp_path / "large")
    small, large = ((tmp_path / f"{name}.png").stat().st_size for name in ("small", "large"))
    assert small < large

"""Folders with MNIST's files, under the names that are in use."""

import re
from pathlib import Path

from meanfield.checks import shown


def _find_idx(folder: Path, stem: str, axes: int) -> Path | None:
    """`stem`'s IDX file under either of the spellings in use, as it is or gzipped."""
    names = (f"{stem}{dot}idx{axes}-ubyte{gz}" for gz in ("", ".gz") for dot in "-.")
    return next((folder / name for name in names if (folder / name).is_file()), None)


def train_images(folder: Path) -> Path:
    """The file of the training images.

    Raises:
        ValueError: There is none.
    """
    images = _find_idx(folder, "train-images", 3)
    if images is None:
        raise ValueError(
            f"source {shown(folder)} must hold train-images-idx3-ubyte, perhaps as .gz"
        )
    return images


def labels_beside(images: Path) -> Path | None:
    """The file of the labels that belong to a file of images, if there is one."""
    matched = re.fullmatch(r"(.*)images[-.]idx3-ubyte(\.gz)?", images.name)
    return _find_idx(images.parent, f"{matched[1]}labels", 1) if matched else None

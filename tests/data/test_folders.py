"""MNIST's files by either spelling, as they are or gzipped."""

import pytest

from meanfield.data.folders import labels_beside, train_images


@pytest.mark.parametrize("dot", "-.")
@pytest.mark.parametrize("gz", ["", ".gz"])
def test_images_and_labels_are_found(tmp_path, dot, gz):
    with pytest.raises(ValueError, match="must hold train-images-idx3-ubyte"):
        train_images(tmp_path)
    images = tmp_path / f"train-images{dot}idx3-ubyte{gz}"
    images.touch()
    assert train_images(tmp_path) == images
    assert labels_beside(images) is None
    (tmp_path / "train-labels-idx1-ubyte").touch()
    assert labels_beside(images) == tmp_path / "train-labels-idx1-ubyte"
    assert labels_beside(tmp_path / "x.npy") is None

"""What is tried out; that it works is for `make test-matrix`."""

import sys
from pathlib import Path

import pytest
from matrix import SMOKE, lower_bounds, pythons, supported

ROOT = Path(__file__).parents[3]
PROJECT = {
    "requires-python": ">=3.11",
    "dependencies": ["jax>=0.8"],
    "optional-dependencies": {
        "plot": ["matplotlib>=3.10", "jax>=0.8"],
        "test": ["pytest>=8"],
        "all": ["meanfield[plot]"],
    },
}


def test_lower_bounds_are_those_of_all_but_the_tests():
    assert lower_bounds(PROJECT) == ["jax==0.8", "matplotlib==3.10"]


@pytest.mark.parametrize(("version", "well"), [("3.9", False), ("3.11", True), ("3.12", True)])
def test_supported_pythons_are_told_by_number(version, well):
    assert supported(PROJECT, version) == well


def test_this_python_is_found():
    found = pythons(PROJECT)
    assert f"{sys.version_info.major}.{sys.version_info.minor}" in found
    assert list(found) == sorted(found, key=lambda version: int(version.partition(".")[2]))


def test_the_part_that_is_run_is_there():
    assert [name for name in SMOKE if not (ROOT / name).exists()] == []

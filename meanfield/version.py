"""The package's version, written down here only."""

__version__ = "0.1.0"

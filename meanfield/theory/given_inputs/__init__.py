"""The theory on given inputs: every kernel is a T×T matrix."""

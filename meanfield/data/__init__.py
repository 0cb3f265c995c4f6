"""Data sets: files and arrays as a network's inputs and targets."""

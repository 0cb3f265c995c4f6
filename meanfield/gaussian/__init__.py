"""Averages of functions of Gaussian variables."""

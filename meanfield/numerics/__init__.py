"""Numerical methods that know neither activations nor networks."""

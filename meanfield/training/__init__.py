"""Gradient descent on sampled networks."""

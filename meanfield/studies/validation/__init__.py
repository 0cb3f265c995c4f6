"""Holding the theory against sampled networks."""

"""The theory beside sampled networks."""

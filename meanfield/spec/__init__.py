"""What a network is: all that the theory and the sampler share."""

"""What figures share, or are made of."""

"""The mean-field theory: what it predicts of a network's FIM."""

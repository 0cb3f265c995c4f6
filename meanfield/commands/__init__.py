"""The commands of `meanfield`, a module for each group of them with the tables they print."""

"""Grids of networks, predicted and measured, restartably."""

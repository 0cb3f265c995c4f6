"""Regenerating every figure, and the page that shows them."""

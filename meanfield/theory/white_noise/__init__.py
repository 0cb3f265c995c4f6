"""The theory for i.i.d. inputs: every kernel is two numbers."""

"""The bulk of the spectrum: its law, its edge and its density (theory.md section 11)."""

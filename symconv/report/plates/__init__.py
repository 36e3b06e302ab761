"""Figures of layers: planes of cells made from the index map of a formula, put together and written to files."""

"""Kernels: an operator's formula as a small program over whole arrays, lambdified to NumPy source that can be read."""

"""Kernels as files that stand alone."""

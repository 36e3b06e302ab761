"""Backends: every folder here is one, and has an object `BACKEND` that gets tap forms and gives kernels."""

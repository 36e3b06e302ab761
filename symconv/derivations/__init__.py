"""Derivations: lists of steps, each made by a named rule and handed to the checker."""

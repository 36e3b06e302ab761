"""Formulas against the world: which operator made an output that somebody got."""

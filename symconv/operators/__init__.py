"""Operators: frozen, validated declarations of sliding-window layers; each states its exact formula, no more."""

"""Proofs of formulas for all sizes, and refutations by the smallest example: two formulas in, a `Verdict` out."""

"""The algebra of windowed sums: index arithmetic, formulas, their calculus, exact values, SymPy form and LaTeX.

It knows tensors and indices, and no layer.
"""

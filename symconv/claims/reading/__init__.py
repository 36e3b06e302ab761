"""How a claim is read: the Python-like language, and LaTeX as people write it, to the tree of `claims.syntax`."""

"""LaTeX files with solutions: their displayed formulas, and the question that each answers."""

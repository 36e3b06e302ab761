"""A class: variants of an exercise, and the grading of what students answer."""

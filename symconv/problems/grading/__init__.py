"""The ``[[solutions]]`` of a problem file: lines of somebody's solution, each with a verdict."""

"""All claims of a problem file, and all lines of its solutions."""

from __future__ import annotations

from pathlib import Path

from symconv.claims.check import check_source
from symconv.claims.claim_verdict import ClaimVerdict
from symconv.problems.grading.grade import grade
from symconv.problems.problem import Problem
from symconv.problems.reading import load_problem

__all__ = ["check"]


def check(problem: Problem | str | Path) -> list[ClaimVerdict]:
    """A verdict for every claim of a problem, and every line of its solutions, in every mode, in the order of the file.

    Args:
        problem: a problem, or the path of a problem file.

    Raises:
        ProblemFileError: where the file is not what the schema asks for.
    """
    read = problem if isinstance(problem, Problem) else load_problem(problem)
    claims = [result for source in read.claims for result in check_source(source)]
    graded = [grade(line, solution) for solution in read.solutions for line in solution.lines]
    return [*claims, *(result for one in graded for result in one.results)]

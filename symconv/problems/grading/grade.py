"""From the lines of a solution to verdicts, as they are for claims."""

from __future__ import annotations

from dataclasses import dataclass

from symconv.claims.claim_verdict import ClaimVerdict
from symconv.claims.declarations import Declarations
from symconv.claims.source import ClaimSource
from symconv.errors import SymconvError
from symconv.problems.grading.channel_lines import Judged, judge_channels, shown
from symconv.problems.grading.planes import Arrays
from symconv.problems.grading.says import Said, judge_field, judge_parameters, judge_routes, judge_size
from symconv.problems.problem import Solution, SolutionLine
from symconv.proofs.verdict import Verdict

__all__ = ["GradedOne", "grade"]

_SAYS = {
    "parameters": judge_parameters,
    "size": judge_size,
    "receptive-field": judge_field,
    "max-pool-gradient": judge_routes,
}


@dataclass(frozen=True)
class GradedOne:
    """A line with its verdicts.

    Attributes:
        line: the line.
        results: a verdict for every mode.
        judged: what was made of a line in LaTeX.
        repair: how a line in words should read, as LaTeX; "" where that is not known.
    """

    line: SolutionLine
    results: tuple[ClaimVerdict, ...]
    judged: Judged | None = None
    repair: str = ""


def grade(line: SolutionLine, solution: Solution, *, repair: bool = True) -> GradedOne:
    """Check one line of a solution."""
    if line.latex:
        judged = judge_channels(line.latex, Arrays(solution.chain, solution.question, line.upstream), repair=repair)
        source = _source(line, solution)
        fixed = "" if judged.mended is None else " = ".join(map(shown, judged.mended.parts))
        result = ClaimVerdict(source, "literal", judged.verdict, fixed, judged.edit, judged.repaired)
        return GradedOne(line, (result,), judged)
    try:
        said: list[Said] = _SAYS[line.says](line, solution)
    except SymconvError as error:
        said = [("literal", Verdict("error", explanation=str(error)), "")]
    results = tuple(
        ClaimVerdict(_source(line, solution), mode, verdict, fixed if repair else "") for mode, verdict, fixed in said
    )
    return GradedOne(line, results, None, next((fixed for _, _, fixed in said if fixed), ""))


def _source(line: SolutionLine, solution: Solution) -> ClaimSource:
    chain = solution.chain
    layer = line.of or chain.network.names[0]
    op = chain.network[layer]
    size = chain.layers[layer].input_size or (1,) * op.spatial_axes
    text = line.as_written or f"says {line.says}"
    declared = Declarations(op, size)
    return ClaimSource(
        line.id, declared, "" if line.latex else text, line.latex, ("literal",), solution.question.id, line.as_written
    )

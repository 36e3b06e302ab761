"""The page of an audit: where a framework equals the formula, and where it departs from it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from jinja2 import TemplateError
from markupsafe import Markup

from symconv.audits.departure import KINDS, AuditReport, Departure
from symconv.doors import instance
from symconv.errors import RenderError, SymconvError
from symconv.operators.base import Operator
from symconv.report.mathml import to_mathml
from symconv.report.templating import html_environment, markup, read_template_file
from symconv.report.typefaces import font_faces

__all__ = ["audit_page"]


def audit_page(report: AuditReport) -> str:
    """An audit as one HTML page that needs nothing else; the same audit gives the same bytes.

    Args:
        report: what `symconv.audit` found.

    Raises:
        RenderError: where a template fails.
    """
    instance("report", report, AuditReport, "must be a report, such as symconv.audit gives")
    counts = Counter(each.kind for each in report.departures)
    try:
        page = (
            html_environment()
            .get_template("audit.html.jinja")
            .render(
                report=report,
                equal=sum(each.equal for each in report.functions),
                kinds=[(kind, counts[kind], KINDS[kind]) for kind in KINDS if counts[kind]],
                departures=[_shown(number, each) for number, each in enumerate(report.departures, 1)],
                style=markup(read_template_file("style.css") + read_template_file("audit.css")),
            )
        )
    except TemplateError as error:
        raise RenderError(f"the HTML template failed: {error}") from error
    return page.replace("<style>\n", f"<style>\n{font_faces(page)}\n", 1)


def _shown(number: int, departure: Departure) -> dict[str, Any]:
    """What the template says of a departure."""
    finding = departure.finding
    words, *arguments = str(finding).splitlines()
    return {
        "number": number,
        "kind": departure.kind,
        "function": departure.call.function,
        "words": words,
        "call": f"{departure.call}, {departure.call.dtype}",
        "arguments": arguments,
        "operator": repr(departure.call.operator),
        "formula": _formula(departure.call.operator, finding.part),
        "theirs": None if departure.theirs is None else repr(departure.theirs),
        "their_formula": None if departure.theirs is None else _formula(departure.theirs, finding.part),
        "promise": departure.promise,
        "needed": ", ".join(departure.options),
        "calls": departure.calls,
        "script": departure.script,
    }


def _formula(op: Operator, part: str) -> Markup:
    """The formula of what is wrong, or that of the output where a gradient has none in one line."""
    wrt: Any = part.removeprefix("grad_")
    try:
        latex = op.output().latex() if part == "output" else op.gradient(wrt).latex()
    except SymconvError:
        latex = op.output().latex()
    return markup(to_mathml(latex, display=True))

"""``symconv shape``: the size calculator, forwards and backwards."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from symconv.cli import shapes
from symconv.cli.options import Described, typed_option, worded

if TYPE_CHECKING:
    from symconv.operators.base import Operator
    from symconv.operators.settings import Settings
    from symconv.operators.sizing import AxisSize

__all__ = ["position_words", "shape"]

NOTHING_FOUND = 1
MOST_DILATION, LIMIT = 8, 20


def _windows() -> list[click.Parameter]:
    """The options of the window, as operators declare them."""
    from symconv.operators.option import CEIL_MODE, DILATION, KERNEL_SIZE, OUTPUT_SIZE, PADDING, STRIDE
    from symconv.operators.transposed import OUTPUT_PADDING

    step = worded(STRIDE, "the step between outputs: 1 unless given, and the window itself for a pool")
    extra = worded(OUTPUT_PADDING, "of a transposed convolution: entries after its output")
    ceiling = worded(CEIL_MODE, "of a pool: round the number of outputs up")
    wanted = worded(OUTPUT_SIZE, "look for the options that give this size")
    return [
        typed_option("kernel", KERNEL_SIZE, required=True),
        typed_option("wanted", wanted),
        typed_option("stride", step),
        typed_option("padding", PADDING),
        typed_option("dilation", DILATION),
        typed_option("output_padding", extra),
        typed_option("ceil_mode", ceiling, False),
    ]


@click.command(cls=Described, described=_windows, short_help="Output sizes, and the options that give one.")
@click.argument("kind", type=click.Choice(["conv", "transposed", "pool"]), default="conv")
@click.option("--input", "input_size", callback=shapes.shape, metavar="224", required=True, help="The input size.")
@click.option(
    "--most-dilation",
    type=click.IntRange(1, 1000),
    help="With --output: the largest dilation to look at, 8 unless given.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    help="With --output: the largest number of lines, 20 unless given.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def shape(
    ctx: click.Context,
    kind: str,
    input_size: tuple[int, ...],
    kernel: tuple[int, ...],
    wanted: tuple[int, ...] | None,
    stride: int | tuple[int, ...] | None,
    padding: Any,
    dilation: int | tuple[int, ...] | None,
    output_padding: int | tuple[int, ...] | None,
    ceil_mode: bool | None,
    most_dilation: int | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """Work out an output size, with the formula; or, with --output, which options give that size.

    KIND is conv (also for unfold), transposed or pool. Input positions that no output reads are warned of: they are
    dropped without a trace. The exit status is 1 where --output is given and no options give it, else 0.

    \b
    Examples:
      symconv shape --input 224 --kernel 7 --stride 2 --padding 3
      symconv shape --input 224x320 --kernel 3 --stride 2 --padding same_upper
      symconv shape pool --input 7 --kernel 2 --ceil-mode
      symconv shape transposed --input 7 --kernel 4 --stride 2 --padding 1
      symconv shape --input 224 --output 112 --kernel 7
      symconv shape transposed --input 14 --output 28 --kernel 4 --dilation 1
    """
    if ceil_mode and kind != "pool":
        raise click.UsageError("--ceil-mode belongs to a pool")
    if output_padding is not None and (kind != "transposed" or wanted is not None):
        raise click.UsageError("--output-padding belongs to a transposed convolution, and is looked for with --output")
    kernel = _every_axis("--kernel", kernel, input_size)
    if wanted is not None:
        wanted = _every_axis("--output", wanted, input_size)
        bounds = (most_dilation or MOST_DILATION, limit or LIMIT)
        found = _look(kind, input_size, kernel, wanted, stride, padding, dilation, bool(ceil_mode), *bounds)
        _print_settings(found, kind, as_json)
        if any(not settings.found for _, settings in found):
            ctx.exit(NOTHING_FOUND)
        return
    for option, bound in (("--most-dilation", most_dilation), ("--limit", limit)):
        if bound is not None:
            raise click.UsageError(f"{option} belongs to the search with --output")
    op = _operator(kind, kernel, stride, 0 if padding is None else padding, dilation, output_padding, bool(ceil_mode))
    _print_sizes(op, input_size, as_json)


def _every_axis(option: str, given: tuple[int, ...], input_size: tuple[int, ...]) -> tuple[int, ...]:
    """One number for every axis of the input, where one stands for all."""
    if len(given) not in (1, len(input_size)):
        axes = "1 entry" if len(input_size) == 1 else f"1 entry or {len(input_size)}"
        raise click.UsageError(f"{option} must have {axes}, one an axis of --input, got {len(given)}")
    return given * len(input_size) if len(given) == 1 else given


def _operator(
    kind: str, kernel: tuple[int, ...], stride: Any, padding: Any, dilation: Any, extra: Any, ceil_mode: bool
) -> Operator:
    """The operator that has the wanted windows."""
    from symconv.operators.convolution import Conv
    from symconv.operators.pooling import MaxPool
    from symconv.operators.transposed import ConvTranspose

    step = 1 if stride is None else stride
    taps = 1 if dilation is None else dilation
    if kind == "pool":
        return MaxPool(kernel, stride, padding, taps, ceil_mode)
    if kind == "transposed":
        return ConvTranspose(kernel, step, padding, 0 if extra is None else extra, taps)
    return Conv(kernel, step, padding, taps)


def _print_sizes(op: Operator, input_size: tuple[int, ...], as_json: bool) -> None:
    """The size of every axis, with its formula and what it drops."""
    from symconv.operators.sizing import size_report

    report = size_report(op, input_size)
    if as_json:
        axes = [
            {
                "input": axis.input,
                "output": axis.output,
                "formula": axis.formula,
                "numbers": axis.numbers,
                "unread": None if axis.unread is None else [list(run) for run in axis.unread],
            }
            for axis in report
        ]
        click.echo(json.dumps({"output": [axis.output for axis in report], "axes": axes}, ensure_ascii=False, indent=2))
        return
    for number, axis in enumerate(report, 1):
        place = f"axis {number}: " if len(report) > 1 else ""
        click.echo(f"{place}O = {_chain(axis)}")
    if len(report) > 1:
        click.echo("x".join(map(str, input_size)) + " -> " + "x".join(str(axis.output) for axis in report))
    for number, axis in enumerate(report, 1):
        place = f" on axis {number}" if len(report) > 1 else ""
        if axis.unread is None:
            click.echo(f"note: what is read{place} was not gone through: {axis.input:,} positions are too many")
        elif axis.dropped:
            verb = "is" if axis.dropped == 1 else "are"
            click.echo(
                f"warning: {axis.dropped} of {axis.input} input positions {verb} read by no output{place}: "
                f"{position_words(axis.unread, axis.input)}"
            )


def _chain(axis: AxisSize) -> str:
    parts = list(dict.fromkeys((axis.formula, axis.numbers, str(axis.output))))
    return " = ".join(parts)


def position_words(runs: tuple[tuple[int, int], ...], size: int, most: int = 6) -> str:
    """Ranges of positions in words, counted from 0."""
    words = ["-".join(map(str, dict.fromkeys(run))) for run in runs[:most]]
    more = f", ... ({len(runs)} runs)" if len(runs) > most else ""
    end = " (the end)" if len(runs) == 1 and runs[0][1] == size - 1 else ""
    return ", ".join(words) + more + end


def _look(
    kind: str,
    input_size: tuple[int, ...],
    kernel: tuple[int, ...],
    wanted: tuple[int, ...],
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    most_dilation: int,
    limit: int,
) -> list[tuple[str, Settings]]:
    """What gives the wanted size, once for all axes that are alike."""
    from symconv.operators.settings import settings_for

    fixed = {"stride": stride, "dilation": dilation}
    for option, value in fixed.items():
        if isinstance(value, tuple):
            raise click.UsageError(f"--{option} must be one number where --output is given")
    if padding is not None and not (isinstance(padding, int) and padding >= 0):
        raise click.UsageError(f"--padding must be one number where --output is given, got {padding!r}")
    cases: dict[tuple[int, int, int], list[int]] = {}
    for axis, case in enumerate(zip(input_size, wanted, kernel, strict=True), 1):
        cases.setdefault(case, []).append(axis)
    result = []
    for (n, size, window), axes in cases.items():
        settings = settings_for(
            n,
            size,
            window,
            padding=padding,
            ceil_mode=ceil_mode,
            transposed=kind == "transposed",
            most_dilation=most_dilation,
            limit=limit,
            **fixed,
        )
        place = "" if len(cases) == 1 else f"axis {', '.join(map(str, axes))}: "
        result.append((f"{place}{n} -> {size} with kernel {window}", settings))
    return result


def _print_settings(found: list[tuple[str, Settings]], kind: str, as_json: bool) -> None:
    if as_json:
        records = [
            {
                "question": head,
                "searched": settings.bounds,
                "more": settings.more,
                "settings": [
                    {
                        "stride": one.stride,
                        "any_larger_stride": one.free_stride,
                        "padding": list(one.sides),
                        "total_padding": list(one.padding),
                        "dilation": one.dilation,
                        "output_padding": one.output_padding,
                        "inputs": list(one.inputs),
                    }
                    for one in settings.found
                ],
            }
            for head, settings in found
        ]
        click.echo(json.dumps(records, indent=2))
        return
    for number, (head, settings) in enumerate(found):
        click.echo(("\n" if number else "") + head)
        if settings.found:
            _table(settings, kind)
        else:
            click.echo("  nothing gives it")
        click.echo(f"  searched: {settings.bounds}")


def _table(settings: Settings, kind: str) -> None:
    """A line a setting, and what may stay free in it."""
    heads = ["stride", "padding", "dilation", "output padding", "also"]
    rows = []
    for one in settings.found:
        low, high = one.padding
        free = []
        if one.free_stride:
            free.append("any larger stride")
        if low != high:
            free.append(f"total padding {low} to {high}")
        if one.inputs[0] != one.inputs[1]:
            free.append(f"inputs {one.inputs[0]} to {one.inputs[1]}")
        side = ":".join(map(str, dict.fromkeys(one.sides)))
        rows.append([str(one.stride), side, str(one.dilation), str(one.output_padding), ", ".join(free)])
    if kind != "transposed":
        heads.pop(3)
        for row in rows:
            row.pop(3)
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    for row in (heads, *rows):
        cells = [cell.rjust(width) for cell, width in zip(row[:-1], widths, strict=False)]
        click.echo("  " + "  ".join([*cells, row[-1]]).rstrip())
    if settings.more:
        more = f"at least {settings.more}" if settings.more >= 1000 else str(settings.more)
        click.echo(f"  and {more} more (--limit shows more; --stride, --padding or --dilation narrow them)")

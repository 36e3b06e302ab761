"""``symconv network``: the layers with windows of a model, in a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from symconv.cli import shapes
from symconv.cli.activity import Activity
from symconv.cli.printable import printable_line
from symconv.cli.shape import position_words

if TYPE_CHECKING:
    from symconv.operators.networks.table import Layer, NetworkTable

__all__ = ["network"]

WIDTH = 160  # of a table that goes to a file
LARGEST_TEXT = 4_000_000


@click.command(short_help="Sizes, costs and receptive fields of a model.")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--input",
    "input_shape",
    callback=shapes.shape,
    metavar="1x3x224x224",
    help="Batch, channels and sizes; an ONNX model may declare them itself.",
)
@click.option("--ignore", multiple=True, metavar="NAME", help="A layer of a printed model that changes no shape.")
@click.option("--sequential", multiple=True, metavar="NAME", help="A container of a print that calls part after part.")
@click.option("--value", "values", multiple=True, metavar="NAME=NUMBER", help="A number for a further ONNX input.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the positions that no output reads.")
def network(
    file: Path,
    input_shape: tuple[int, ...] | None,
    ignore: tuple[str, ...],
    sequential: tuple[str, ...],
    values: tuple[str, ...],
    as_json: bool,
) -> None:
    """List the convolutions and poolings of a model.

    FILE is an .onnx file, a Keras model (.keras, or .json from to_json()), or a text file (- for stdin) with the
    printed form of a sequential PyTorch model. For each layer: output size, parameters, multiply-adds (padding
    counted, bias not), the receptive field and the step between outputs in positions of the input, and how many
    positions of the layer's input, and of the network's, no output reads, an axis. Other layers are followed and not
    counted. What is not known of a layer is said with its reason; totals are then "at least", and the exit status is
    3. Sizes of an ONNX model are those that onnx infers; where the formula of a layer gives another one, that is a
    finding.

    \b
    Examples:
      symconv network model.onnx
      symconv network model.onnx --input 1x3x256x256
      python -c "import torchvision as t; print(t.models.vgg16())" | symconv network - --input 1x3x224x224
      symconv network model.txt --input 1x3x224x224 --json
      symconv network model.keras
    """
    with Activity(f"reading {click.format_filename(file)}") as activity:
        if file.suffix.lower() == ".onnx":
            if ignore or sequential:
                raise click.UsageError("--ignore and --sequential belong to a printed model")
            found = _onnx(file, input_shape, _numbers(values), activity)
        elif file.suffix.lower() in (".json", ".keras"):
            if ignore or sequential or values:
                raise click.UsageError("--ignore, --sequential and --value do not belong to a Keras model")
            found = _keras(file, input_shape)
        else:
            if values:
                raise click.UsageError("--value belongs to an .onnx file")
            found = _printed(file, input_shape, ignore, sequential)
    if as_json:
        import json

        click.echo(json.dumps(found.as_json(), ensure_ascii=False, indent=2))
    else:
        _print_table(found)
    if not found.complete:
        raise SystemExit(3)


def _numbers(values: tuple[str, ...]) -> dict[str, float]:
    """Numbers by the names of inputs."""
    found: dict[str, float] = {}
    for entry in values:
        name, _, number = entry.partition("=")
        try:
            found[name] = int(number) if number.lstrip("-").isdecimal() else float(number)
        except ValueError:
            raise click.UsageError(f"--value {entry}: must be a name and a number, such as sr=16000") from None
    return found


def _onnx(
    file: Path, input_shape: tuple[int, ...] | None, values: dict[str, float], activity: Activity
) -> NetworkTable:
    from symconv.operators.networks.onnx_graph import load_model, network_from_onnx

    if not file.is_file():
        raise click.UsageError(f"cannot read {click.format_filename(file)}: there is no such file")
    try:
        model = load_model(file)
    except OSError as error:
        raise click.UsageError(f"cannot read {click.format_filename(file)}: {error.strerror}") from None
    activity.say("following the graph")
    return network_from_onnx(model, input_shape, values=values)


def _keras(file: Path, input_shape: tuple[int, ...] | None) -> NetworkTable:
    """The configuration of a Keras model: what ``to_json()`` gives, or the one in a .keras file."""
    import json
    import lzma
    import zipfile
    import zlib

    from symconv.operators.networks.keras_graph import network_from_keras

    shown = click.format_filename(file)
    try:
        if file.suffix.lower() == ".json":
            with file.open("rb") as stream:
                content = stream.read(LARGEST_TEXT + 1)
        else:
            with zipfile.ZipFile(file) as archive, archive.open("config.json") as member:
                content = member.read(LARGEST_TEXT + 1)
    except OSError as error:
        raise click.UsageError(f"cannot read {shown}: {error.strerror or error}") from None
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, KeyError, RuntimeError, NotImplementedError):
        raise click.UsageError(f"{shown} is no Keras model: it has no config.json that can be read") from None
    if len(content) > LARGEST_TEXT:
        raise click.UsageError(f"the configuration in {shown} has more than {LARGEST_TEXT:,} bytes")
    try:
        record = json.loads(content)
    except (ValueError, RecursionError):
        raise click.UsageError(f"{shown} holds no JSON") from None
    return network_from_keras(record, input_shape)


def _printed(
    file: Path, input_shape: tuple[int, ...] | None, ignore: tuple[str, ...], sequential: tuple[str, ...]
) -> NetworkTable:
    from symconv.operators.networks.printed import network_from_text

    if input_shape is None:
        raise click.UsageError("a printed model needs --input, such as 1x3x224x224")
    try:
        with click.open_file(str(file), encoding="utf-8") as stream:
            text = stream.read(LARGEST_TEXT)
    except OSError as error:
        raise click.UsageError(f"cannot read {click.format_filename(file)}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise click.UsageError(
            f"{click.format_filename(file)} is no text; a model in ONNX's format needs a name that ends in .onnx"
        ) from None
    return network_from_text(text, input_shape, ignore=ignore, sequential=sequential)


def _print_table(found: NetworkTable) -> None:
    """A row a layer, the totals, and the notes."""
    import sys

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", show_footer=True)
    left, right = ("layer", "kind", "window"), ("output", "parameters", "multiply-adds", "field", "step", "unread")
    least = "" if found.counted else "at least "
    totals = {"layer": "total"}
    totals |= {"parameters": f"{least}{found.parameters:,}", "multiply-adds": f"{least}{found.multiply_adds:,}"}
    for head in (*left, *right, "unread of network"):
        table.add_column(head, totals.get(head, ""), justify="left" if head in left else "right", overflow="fold")
    for layer in found.layers:
        table.add_row(*(Text(printable_line(cell)) for cell in _cells(layer)))
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    with console.capture() as captured:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().rstrip().splitlines()))
    for layer in found.layers:
        places = [
            f"axis {axis}: {position_words(runs, n)}"
            for axis, (runs, n) in enumerate(zip(layer.unread, (layer.input or ())[1:], strict=False), 1)
            if runs
        ]
        if places:
            click.echo(printable_line(f"warning: {layer.name} reads not all of its input; {'; '.join(places)}"))
    for layer in found.layers:
        if layer.reason:
            click.echo(printable_line(f"unknown: {layer.name} ({layer.kind}): {layer.reason}"))
    for finding in found.findings:
        click.echo(printable_line(f"finding: {finding}"))
    if found.batch != 1:
        click.echo(f"note: multiply-adds are those of a batch of {found.batch:,}; sizes are those of one of its items")
    for note in found.notes:
        click.echo(printable_line(f"note: {note}"))


def _cells(layer: Layer) -> tuple[str, ...]:
    """What stands in the row of a layer."""
    options = {} if layer.operator is None else layer.operator.options()
    window = "x".join(map(str, options.get("kernel_size", ())))
    if any(step != 1 for step in options.get("stride", ())):
        window += f" s{_short(options['stride'])}"
    if any(step != 1 for step in options.get("dilation", ())):
        window += f" d{_short(options['dilation'])}"
    if options.get("groups", 1) != 1:
        window += f" g{options['groups']}"
    field = ["all" if whole else "?" if n is None else f"{n:,}" for n, whole in _pairs(layer)]
    step = ["?" if jump is None else str(jump) for jump in layer.jump]
    return (
        layer.name,
        layer.kind,
        window,
        "?" if layer.output is None else "x".join(map(str, layer.output)),
        _figure(layer.parameters),
        _figure(layer.multiply_adds),
        _short(field),
        _short(step),
        _counts(layer.unread),
        _counts(layer.unread_of_network),
    )


def _figure(count: int | None) -> str:
    return "?" if count is None else f"{count:,}" if count else ""


def _pairs(layer: Layer) -> list[tuple[int | None, bool]]:
    return list(zip(layer.receptive_field, layer.whole_input, strict=True))


def _short(entries: object) -> str:
    """One entry where all axes are alike, else one an axis."""
    words = [str(entry) for entry in entries] if isinstance(entries, list | tuple) else [str(entries)]
    words = words or ["?"]
    return words[0] if len(set(words)) == 1 else "x".join(words)


def _counts(axes: tuple[tuple[tuple[int, int], ...], ...]) -> str:
    """How many positions are unread, an axis."""
    return _short([sum(last - first + 1 for first, last in runs) for runs in axes])

"""The ``symconv`` command: its subcommands, and what becomes of an error.

An error of symconv or of the call is one message on stderr and exit status 2, without a traceback; a reader that went
away (``symconv derive ... | head``) is quiet. Signals: ``symconv.cli.signals``.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from io import UnsupportedOperation
from typing import Any

import click

from symconv.cli.audit import audit
from symconv.cli.bench import bench
from symconv.cli.certificates import coq_check
from symconv.cli.check import check
from symconv.cli.derive import derive
from symconv.cli.diagnose import diagnose
from symconv.cli.exercise import exercise
from symconv.cli.figure import figure
from symconv.cli.grade import grade
from symconv.cli.init import init
from symconv.cli.kernel import kernel
from symconv.cli.network import network
from symconv.cli.printable import printable
from symconv.cli.report import report
from symconv.cli.shape import shape
from symconv.cli.theorems import theorems
from symconv.cli.vectors import vectors
from symconv.errors import SymconvError, shortened

__all__ = ["commands"]

BROKEN_PIPE = 141


class Failure(click.ClickException):
    """A message of symconv for the terminal."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        del file
        click.echo(f"Error: {printable(self.message)}", err=True)


class Application(click.Group):
    """A group of commands whose errors end in a message."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            result = super().invoke(ctx)
            if sys.stdout is not None:
                sys.stdout.flush()  # a full disk is found here, and not by the interpreter at its end
            return result
        except SymconvError as error:
            raise Failure(str(error)) from error
        except BrokenPipeError:
            _drop_output()
            ctx.exit(BROKEN_PIPE)
        except OSError as error:
            if error.filename is None:
                _drop_output()
            where = "the output" if error.filename is None else shortened(os.fsdecode(error.filename))
            raise Failure(f"cannot read or write {where}: {error.strerror or error}") from error
        except UnicodeEncodeError as error:
            raise Failure(
                f"the output must take Unicode, and its encoding is {error.encoding}; set PYTHONUTF8=1, or use LaTeX "
                "(--format latex)"
            ) from error


def _drop_output() -> None:
    """What is still buffered has no reader either; without this the interpreter would complain at its end."""
    if sys.stdout is not None:
        with suppress(UnsupportedOperation):  # what a program has put there instead of a file
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _version(ctx: click.Context, option: click.Parameter, wanted: bool) -> None:
    del option
    if not wanted:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        click.echo(f"symconv {version('symconv')}")
    except PackageNotFoundError:
        click.echo("symconv 0+source")  # not installed
    ctx.exit()


@click.group(
    cls=Application,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Every command has its own --help with examples.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Show the version and exit.",
)
def commands() -> None:
    """Derive, check and print sliding-window operators: convolution and pooling.

    \b
    Examples:
      symconv report                     the packaged exercise, worked out, into reports/
      symconv init problem.toml          a commented problem file to start from
      symconv report problem.toml        its worked solution as LaTeX and HTML
      symconv derive conv --kernel 3x3   the gradient of a layer, step by step
      symconv check problem.toml         its claims, proved or refuted
      symconv exercise problem.toml --seed 7 --students list.csv -o out   a variant a student
      symconv grade out --answers answers -o feedback   their answers, with the slips named
      symconv theorems                   what is proved for all sizes
      symconv shape --input 224 --kernel 7 --stride 2 --padding 3
      symconv network model.onnx         sizes, costs and receptive fields of a model
      symconv diagnose x.npy w.npy y.npy   which conventions made this output
      symconv audit torch -o audits      where a framework departs from the formula
      symconv vectors conv --kernel 3x3 -o vectors   test vectors with gradients, for your own layer
      symconv kernel maxpool --kernel 2   the layer as a NumPy module of its own
      symconv bench --quick              the kernels against the libraries you have
    """


commands.add_command(init)
commands.add_command(kernel)
commands.add_command(report)
commands.add_command(derive)
commands.add_command(check)
commands.add_command(exercise)
commands.add_command(grade)
commands.add_command(theorems)
commands.add_command(coq_check)
commands.add_command(shape)
commands.add_command(network)
commands.add_command(diagnose)
commands.add_command(figure)
commands.add_command(audit)
commands.add_command(vectors)
commands.add_command(bench)

"""Every option of every command is given wrong words, every reader wrong files: a result, or one message, status 2."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import numpy as np
import pytest
from boundary.wrong_things import nothing_found
from click.testing import CliRunner

from symconv.cli.application import commands

LAYER = '[operators.o]\nkind = "Conv"\ninput_size = [4]\nkernel_size = [2]\n'
PROBLEM = f'title = "T"\n{LAYER}[[questions]]\nid = "1"\ntitle = "t"\nask = "size"\noperator = "o"\n'
WORDS = (
    *("", " ", "-1", "-0", "0", "1" + "0" * 40, "1.5", "1e9", "nan", "inf", "1/0", "abc", "x" * 5000, "\udcff"),
    *("\u00b2", "3x", "x3", "0x0", "3x3x3x3x3", "1,2", "(1, 2)", "[3]", "{}", "None", "true", "a=b", "=,="),
    *("input=a,input=b", "\n", "%s%n", "{0}", "*", "-", "--", "\x1b[31m", "/dev/null", "/dev/null/x", "no such"),
    *("$(true)", "same;", "é"),
)  # fmt: skip
# What stands around the word that is tried, where a command asks for more; cheap where the word is taken.
REST = {
    "audit": ("scipy", "--cases", "1"),
    "bench": ("--list",),
    "check": ("p.toml",),
    "coq-check": ("folder",),
    "derive": ("--what", "output"),
    "derive winograd": ("--m", "2", "--r", "3"),
    "derive layer": ("conv.py:Conv",),
    "diagnose": ("x.npy", "x.npy"),
    "network": ("model.txt",),
    "report": ("p.toml",),
    "shape": ("--input", "5"),
    "theorems": ("linearity",),
    "vectors conv": ("--input", "3"),
}
NEEDED = {
    "--kernel": "3",
    "--output": "2",
    "--out-features": "2",
    "--channels": "2",
    "--norm": "2",
    "--m": "2",
    "--r": "3",
    "-o": "out",
}
SHARED = {"--input", "--what", "--wrt", "--format", "--index-base", "--names", "--certificates", "--all-ones", "-o"}


@pytest.fixture(autouse=True)
def no_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symconv.audits.audit.audited", nothing_found)


def doors() -> Iterator[tuple[str, click.Command, click.Parameter]]:
    """Every parameter with a value; what all operators of `derive` share is tried with one of them."""
    top = click.Context(commands)
    for name in commands.list_commands(top):
        command = commands.get_command(top, name)
        assert command is not None
        yield from ((name, command, p) for p in command.params)
        if isinstance(command, click.Group):
            inner = click.Context(command, parent=top)
            for operator in command.list_commands(inner):
                found = command.get_command(inner, operator)
                assert found is not None
                for p in found.params:
                    if operator in ("conv", "layer", "winograd") or p.opts[0] not in SHARED:
                        yield f"{name} {operator}", found, p


DOORS = {
    f"{name} {p.opts[0]}": (name, command, p)
    for name, command, p in doors()
    if not getattr(p, "is_flag", False) and not isinstance(command, click.Group)
}


def around(name: str, command: click.Command, tried: click.Parameter) -> list[str]:
    """The other words of a call."""
    if isinstance(tried, click.Argument):
        return []
    rest = list(REST.get(name, REST["derive"] if name.startswith("derive ") else ()))
    rest = [word for n, word in enumerate(rest) if tried.opts[0] not in (word, rest[n - 1] if n else "")]
    given = {p.opts[0] for p in command.params if p.required and isinstance(p, click.Option)} & NEEDED.keys()
    for option in sorted(given - {tried.opts[0], *rest}):
        rest += [option, NEEDED[option]]
    return rest


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("p.toml").write_text(PROBLEM)
    Path("model.txt").write_text("Sequential((0): Conv2d(3, 8, kernel_size=(3, 3)))")
    Path("folder").mkdir()
    np.save("x.npy", np.arange(3.0))
    return tmp_path


def said(arguments: list[str]) -> str | None:
    """What is wrong with the way in which a call ends; None where nothing is."""
    result = CliRunner().invoke(commands, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return repr(result.exception)[:200]
    if result.exit_code not in (0, 1, 2, 3):
        return f"status {result.exit_code}"
    if "Traceback" in result.output:
        return "a traceback"
    if result.exit_code == 2 and sum(line.startswith("Error: ") for line in result.stderr.split("\n")) != 1:
        return f"not one message: {result.stderr[:200]!r}"
    if any(ord(c) < 32 and c != "\n" for c in result.stderr):
        return f"what a terminal obeys: {result.stderr[:200]!r}"
    return None


@pytest.mark.parametrize("door", DOORS)
def test_a_wrong_word_is_one_message(door: str) -> None:
    name, command, tried = DOORS[door]
    found = {}
    for word in WORDS:
        call = [*name.split(" "), *around(name, command, tried)]
        option = tried.opts[0] + "=" * tried.opts[0].startswith("--")
        call += ["--", word] if isinstance(tried, click.Argument) else [option + word]
        found[word] = said(call)
    assert {word: how for word, how in found.items() if how} == {}


def packed(**files: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def stored(array: object, **how: bool) -> bytes:
    made = io.BytesIO()
    np.save(made, np.asarray(array), **how)
    return made.getvalue()


WHOLE = stored(np.arange(9.0))
FILES: dict[str, bytes] = {
    "empty": b"",
    "zeros": bytes(1000),
    "noise": bytes(range(256)) * 8,
    "no text": b"\xff\xfe\x00",
    "one quote": b'"',
    "brackets": b"[" * 5000,
    "braces": b'{"a":' * 5000,
    "a number": b"3",
    "null": b"null",
    "JSON": b'{"class_name": "Functional", "config": {}}',
    "TOML": b"a = 1\n",
    "TOML of other kinds": b"title = 1\nquestions = 2\noperators = 3\n",
    "half a problem": PROBLEM.encode()[:60],
    "problem of numbers": PROBLEM.replace('"Conv"', "7").encode(),
    "control characters": PROBLEM.replace('"t"', '"\\u001b[31m"').encode(),
    "a model's text": b"Sequential((0): Conv2d(3, 8, kernel_size=(3, 3))",
    "zip": packed(a=b"b"),
    "half a zip": packed(a=b"b" * 1000)[:80],
    "model.json in a zip": packed(**{"config.json": b"[]", "metadata.json": b"{}"}),
    "pickle": b"\x80\x04\x95",
    "array of objects": stored(np.array([object], dtype=object), allow_pickle=True),
    "half an array": WHOLE[:-20],
    "a quarter of an array": WHOLE[:30],
    "huge array": WHOLE.replace(b"(9,), ", b"(9" + b"9" * 12 + b",), ")[: len(WHOLE)],
    "array of texts": stored(["a"]),
    "array of records": stored(np.zeros(3, dtype=[("a", int)])),
    "no entries": stored(np.zeros((0, 3))),
    "NaN": stored([np.nan, 1.0]),
    "complex": stored([1j]),
    "Python": b"import os\nos.abort()\n",
}  # fmt: skip
READERS: dict[str, Callable[[str], list[str]]] = {
    "check": lambda file: ["check", file],
    "check by a key": lambda file: ["check", "p.toml", "--key", file],
    "report": lambda file: ["report", file, "-o", "out"],
    "network": lambda file: ["network", file],
    "network with an input": lambda file: ["network", file, "--input", "1x3x8x8"],
    "diagnose": lambda file: ["diagnose", file, "x.npy"],
    "diagnose a weight": lambda file: ["diagnose", "x.npy", file, "x.npy"],
    "diagnose a gradient": lambda file: ["diagnose", "x.npy", "x.npy", "x.npy", "--grad-output", file],
    "coq-check": lambda file: ["coq-check", file],
}
ENDINGS = {
    "network": (".txt", ".json", ".onnx", ".keras", ".h5"),
    "diagnose": (".npy", ".npz", ".csv", ".txt", ".json"),
}


@pytest.mark.parametrize("reader", READERS)
def test_a_wrong_file_is_one_message(reader: str, folder: Path) -> None:
    found = {}
    for kind, content in FILES.items():
        for ending in ENDINGS.get(reader.partition(" ")[0], (".toml",)):
            (folder / f"wrong{ending}").write_bytes(content)
            found[kind, ending] = said(READERS[reader](f"wrong{ending}"))
            (folder / f"wrong{ending}").unlink()
    (folder / "loop").symlink_to("loop")
    found |= {(file, ""): said(READERS[reader](file)) for file in ("folder", "loop", "folder/no", "/dev/null")}
    assert {kind: how for kind, how in found.items() if how} == {}
    assert not (folder / "out").exists()

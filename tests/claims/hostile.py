"""Texts that are no claims: each must end in an error, soon and in little memory."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress

import pytest

from symconv.errors import ClaimError

SECONDS = 1.0
BYTES = 50_000_000

BOTH = {
    "a megabyte of +": "+" * 1_000_000,
    "as many + as fit": "+" * 3_999,
    "a megabyte of (": "(" * 1_000_000,
    "as many ( as fit": "(" * 3_999,
    "brackets in brackets": "(" * 1_900 + "x" + ")" * 1_900,
    "a chain of 2,000 terms": "+".join("x" * 2_000),
    "a chain of 2,000 factors": "*".join("x" * 2_000),
    "signs before signs": "-" * 3_990 + "x",
    "digits": "9" * 3_990,
    "a large number": "1000001",
    "an old comment": "#" * 3_990,
    "nothing": "",
    "only blanks": " \t\n ",
    "a NUL byte": "a\0b",
    "a bell": "a\x07",
    "an escape": "\x1b[31mx",
    "a lone surrogate": "a\ud800",
    "a zero-width space": "a\u200bb",
    "a right-to-left override": "a\u202eb",
    "a Cyrillic letter": "\u0430 + 1",
    "a full-width digit": "\uff11 + 1",
    "brackets in the wrong order": "(a]",
    "a bracket too few": "(a",
    "a bracket too many": "a)",
    "an operator too many": "a *",
    "two operators": "a * / b",
}


def check_refused(read: Callable[[str], object], text: str) -> ClaimError:
    """The error that a text ends in, within the limits of time and memory."""
    with suppress(ClaimError):
        read("x")  # the first text of a process also builds the grammar
    tracemalloc.start()
    begin = time.process_time()
    try:
        with pytest.raises(ClaimError) as caught:
            read(text)
        assert time.process_time() - begin < SECONDS
        assert tracemalloc.get_traced_memory()[1] < BYTES
    finally:
        tracemalloc.stop()
    assert len(str(caught.value)) < 600
    assert str(caught.value).isprintable() or "\n" in str(caught.value)
    assert not set(str(caught.value)) & set("\0\x07\x1b\u202e\u200b")
    return caught.value

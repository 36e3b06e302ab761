"""Tables written as TOML: what a problem file may hold, read back to the same tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

__all__ = ["toml_string", "toml_text"]

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\f": "\\f"}


def toml_string(text: str) -> str:
    r"""A text as a basic string of TOML.

    >>> toml_string('a "b"\n')
    '"a \\"b\\"\\n"'
    """
    shown = (
        _ESCAPES.get(sign) or (f"\\u{ord(sign):04X}" if ord(sign) < 32 or ord(sign) == 127 else sign) for sign in text
    )
    return f'"{"".join(shown)}"'


def toml_text(table: Mapping[str, Any]) -> str:
    """A table of texts, numbers, lists and tables; lists of tables become arrays of tables."""
    return "\n".join(_table(table, ())).strip() + "\n"


def _table(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    later = []
    for name, value in table.items():
        if (isinstance(value, Mapping) and len(path) < 2) or (_tables(value) and not path):
            later.append((name, value))
        else:
            yield f"{_key(name)} = {_value(value)}"
    for name, value in later:
        head = ".".join(map(_key, (*path, name)))
        for entry in value if isinstance(value, list) else [value]:
            yield ""
            if isinstance(value, list) or not all(isinstance(inner, Mapping) for inner in entry.values()) or len(path):
                yield f"[[{head}]]" if isinstance(value, list) else f"[{head}]"
            yield from _table(entry, (*path, name))


def _tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(entry, Mapping) for entry in value)


def _key(name: str) -> str:
    plain = name.isascii() and name.replace("_", "a").replace("-", "a").isalnum()
    return name if plain else toml_string(name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return toml_string(value)
    if isinstance(value, Fraction):
        return str(value.numerator) if value.denominator == 1 else f'"{value}"'
    if isinstance(value, Decimal):
        return f"{value:f}" if "." in f"{value:f}" else f"{value:f}.0"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_key(name)} = {_value(entry)}' for name, entry in value.items())} }}"
    return str(value)

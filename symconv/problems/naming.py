"""How a file spells arrays and their entries: X is a whole array, x its entry; pi is the Greek letter."""

from __future__ import annotations

__all__ = ["entry_letter"]


def entry_letter(name: str) -> str:
    """The letter of an entry of an array: the small one.

    >>> entry_letter("W"), entry_letter("b"), entry_letter("pi")
    ('w', 'b', 'pi')
    """
    return name[:1].lower() + name[1:] if len(name) == 1 or name[1:].isdigit() else name

"""Names for Coq: every name of a statement has one identifier, and a comment says which where the two differ."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from string import ascii_letters, digits

from symconv.certificates.library import library
from symconv.formulas.function import Function
from symconv.formulas.functions import FUNCTIONS

__all__ = ["Names", "identifier", "in_comment"]

_WORDS = """as at by cofix do else end exists exists2 fix for forall fun if in let match return then using where with
mod is lazymatch multimatch removed IF Axiom Parameter Hypothesis Fixpoint CoFixpoint Definition Lemma Theorem
Prop SProp Set Type Variable Variables Section End Proof Qed From
Require Import Record Ltac Print Assumptions nat list bool true false pair tt option Some None not and or Z N Q R intros
split apply exact rewrite symmetry transitivity reflexivity subst assert destruct ltac Eq Lt Gt xH xO xI Zpos Zneg Z0 N0
Npos inl inr left right conj ex_intro or_introl or_intror eq_refl cons nil known Num num order none absolute sign power
above at_least equals Logic Certificate Pow Der Elem"""
_CONSTRUCTORS = frozenset("OSI")
_HARMLESS = frozenset(ascii_letters + digits + " ,;:.-_=+<>[]()/'^|")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_']*")


@lru_cache(maxsize=1)
def _reserved() -> frozenset[str]:
    """The words that a certificate means otherwise: Coq's, and all of the library that have two letters or more."""
    words = {word for text in library().values() for word in re.findall(r"[A-Za-z][A-Za-z0-9_']+", text)}
    return frozenset(words | set(_WORDS.split()) | set(map(identifier, FUNCTIONS.values())))


def identifier(function: Function) -> str:
    """What a function of one value is called.

    >>> identifier(FUNCTIONS["positive part"])
    'positive_part'
    """
    return function.name.replace(" ", "_")


def in_comment(text: str) -> str:
    """A text that ends no comment and opens no string in one: letters, digits and harmless signs, the rest by number.

    >>> in_comment('a*) "b" é')
    'a<U+002A>) <U+0022>b<U+0022> <U+00E9>'
    """
    return "".join(c if c in _HARMLESS else f"<U+{ord(c):04X}>" for c in text)


class Names:
    """Identifiers, each for one name of one kind; a size and a tensor of the same name have two.

    Args:
        bound: the names that are bound in trees: where these are named as a constructor, Coq would read one.
    """

    def __init__(self, bound: Collection[str] = ()) -> None:
        self._known: dict[tuple[str, str], str] = {}
        self._helpers: dict[tuple[str, str], str] = {}
        self._taken: set[str] = set(_CONSTRUCTORS.intersection(bound))

    def of(self, name: str, kind: str = "index") -> str:
        """The identifier of a name; the same at every call."""
        known = self._known.get((kind, name))
        if known is None:
            known = self.fresh(name if self._free(name) else "v")
            self._known[kind, name] = known
        return known

    def helper(self, kind: str, key: str, like: str) -> str:
        """The identifier of something that the certificate itself brings in, such as the box of a tensor."""
        known = self._helpers.get((kind, key))
        if known is None:
            known = self._helpers[kind, key] = self.fresh(like if _PLAIN.fullmatch(like) else "v")
        return known

    def fresh(self, like: str) -> str:
        """An identifier that stands for nothing yet, and is taken from now on."""
        found, count = like, 0
        while not self._free(found):
            count += 1
            found = f"{like}{count}"
        self._taken.add(found)
        return found

    def table(self) -> tuple[str, ...]:
        """What is not called by its own name, line by line, for a comment."""
        return tuple(
            f"{identifier} is the {kind} {in_comment(name)}"
            for (kind, name), identifier in self._known.items()
            if identifier != name
        )

    def _free(self, name: str) -> bool:
        return _PLAIN.fullmatch(name) is not None and name not in self._taken and name not in _reserved()

"""How large a claim may be and which characters it is made of: checked before and after reading, in both languages.

The caps keep every later walk over a claim shallow and every number in it small, so that hostile text ends in an error
and never in a search for memory.
"""

from __future__ import annotations

import unicodedata
from fractions import Fraction

from symconv.claims.syntax import Binary, Claim, Entry, Expr, Raised
from symconv.claims.traversal import children
from symconv.errors import ClaimError

__all__ = ["DEPTH", "INTEGER", "LENGTH", "TERMS", "check_size", "check_text", "read_number"]

LENGTH = 4_000  # characters
DEPTH = 60  # brackets and functions inside each other; a chain such as a+b+c+... counts once
TERMS = 200  # steps from the claim to its deepest part, chains counted step by step
INTEGER = 10**6
DECIMALS = 12  # digits after the point
POWERS = 4  # powers inside each other, in a base or an exponent

# Letters that print like an ASCII letter, and that letter: Cyrillic, Greek, then a few others.
_TWINS = dict(
    zip(
        "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d"
        "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0405\u04ae"
        "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
        "\u03b9\u03ba\u03bd\u03bf\u03c1\u03c5\u0131\u0261\u0269",
        "aeopcyxijshdqwABEKMHOPCTXIJSYABEZHIKMNOPTYXikvopuigi",
        strict=True,
    )
)

# Signs of mathematics: what to write in the language of Python's look, and in LaTeX.
_SIGNS = {
    "\u2212": ("-", "-"),
    "\u2010": ("-", "-"),
    "\u2011": ("-", "-"),
    "\u2013": ("-", "-"),
    "\u2014": ("-", "-"),
    "\u00b7": ("*", r"\cdot"),
    "\u22c5": ("*", r"\cdot"),
    "\u00d7": ("*", r"\times"),
    "\u2217": ("*", r"\ast"),
    "\u22c6": ("corr(A, B)", r"\star"),
    "\u2215": ("/", "/"),
    "\u2044": ("/", "/"),
    "\u00f7": ("/", "/"),
    "\u2264": ("<=", r"\le"),
    "\u2265": (">=", r"\ge"),
    "\u2211": ("sum(...)", r"\sum"),
    "\u03a3": ("sum(...)", r"\sum"),
    "\u2202": ("diff(..., ...)", r"\partial"),
    "\u230a": ("floor(...)", r"\lfloor"),
    "\u230b": ("floor(...)", r"\rfloor"),
    "\u2308": ("ceil(...)", r"\lceil"),
    "\u2309": ("ceil(...)", r"\rceil"),
    "\u221e": ("oo", r"\infty"),
    "\u2208": ("in", r"\in"),
    "\u2192": ("limit(..., p, oo)", r"\to"),
    "\u2032": ("another letter", "'"),
    "\u2019": ("another letter", "'"),
    "\u221a": ("x**(1/2)", r"\sqrt"),
}


def check_text(text: str, latex: bool) -> None:
    """A claim is at most `LENGTH` characters of printable ASCII, blanks and line ends.

    Args:
        text: the claim.
        latex: which language the advice is given in.

    Raises:
        ClaimError: with the name of the first other character, and the ASCII character it resembles or stands for.
    """
    if not isinstance(text, str):
        raise ClaimError(f"a claim is a text, found {type(text).__name__}")
    if len(text) > LENGTH:
        raise ClaimError(f"the claim has {len(text)} characters", f"at most {LENGTH}")
    for position, character in enumerate(text):
        if not (" " <= character <= "~" or character in "\t\n\r"):
            found, expected = _describe(character, latex)
            raise ClaimError(found, expected, source=text, position=position)
    if not text.strip():
        raise ClaimError("the claim is empty", "a formula")


def _describe(character: str, latex: bool) -> tuple[str, str]:
    """What a character outside ASCII is, and what to write instead."""
    code = f"U+{ord(character):04X}"
    category = unicodedata.category(character)
    if character == "\0":
        return "found a NUL byte (U+0000)", "printable characters"
    if category in ("Cc", "Cs", "Co", "Cn", "Cf", "Zl", "Zp"):
        kinds = {"Cc": "a control character", "Cf": "an invisible character"}
        kind = kinds.get(category, "a character without a glyph")
        name = unicodedata.name(character, "")
        return f"found {kind} ({code}{f', {name}' if name else ''})", "printable characters"
    name = f"{unicodedata.name(character, 'a character')} ({code})"
    if category == "Zs":
        return f"found {name}", "a plain space"
    if character in _SIGNS:
        return f"found {name}", _SIGNS[character][latex]
    greek = _greek(character, latex)
    if character in _TWINS:
        advice = f"the ASCII letter {_TWINS[character]}" + (f", or {greek} for the Greek letter" if greek else "")
        return f"found {name}, which looks like the ASCII letter {_TWINS[character]}", advice
    if greek:
        return f"found {name}", greek
    plain = unicodedata.normalize("NFKC", character)
    if len(plain) == 1 and " " < plain <= "~":
        kind = "digit" if plain.isdigit() else "letter" if plain.isalpha() else "character"
        if unicodedata.decomposition(character).startswith("<super>"):
            return f"found {name}", f"^{plain}" if latex else f"**{plain}"
        return f"found {name}, which looks like the ASCII {kind} {plain}", f"the ASCII {kind} {plain}"
    return f"found {name}", "ASCII characters"


def _greek(character: str, latex: bool) -> str:
    words = unicodedata.name(character, "").split()
    if words[:1] != ["GREEK"] or len(words) != 4 or words[2] != "LETTER":
        return ""
    word = words[3].lower().replace("lamda", "lambda" if latex else "lamda")
    word = word if words[1] == "SMALL" else word.capitalize()
    return "\\" + word if latex else word


def read_number(digits: str, source: str, position: int) -> Fraction:
    """The exact value of an integer or a decimal, within the caps.

    >>> read_number("0.1", "0.1", 0)
    Fraction(1, 10)
    """
    whole, _, decimals = digits.partition(".")
    if len(decimals) > DECIMALS:
        raise ClaimError(
            f"found a number with {len(decimals)} decimals", f"at most {DECIMALS}", source=source, position=position
        )
    # The length goes first: int() of thousands of digits takes its time.
    if len(whole.lstrip("0")) > len(str(INTEGER)) or int(whole or "0") > INTEGER:
        shown = whole if len(whole) <= 24 else f"{whole[:10]}... of {len(whole)} digits"
        raise ClaimError(f"found the number {shown}", f"at most {INTEGER}", source=source, position=position)
    return int(whole or "0") + (Fraction(int(decimals), 10 ** len(decimals)) if decimals else Fraction(0))


def check_size(claim: Claim) -> None:
    """Brackets nest at most `DEPTH` deep, powers at most `POWERS`, and no part lies below `TERMS` steps.

    Raises:
        ClaimError: at the first part that lies too deep.
    """
    written = (*claim.parts, *(end for one in claim.given for end in (one.lower, one.upper)))
    stack: list[tuple[Expr, int, int, int]] = [(part, 1, 1, 0) for part in reversed(written)]
    while stack:
        expr, depth, steps, powers = stack.pop()
        powers += isinstance(expr, Raised) or (isinstance(expr, Entry) and expr.upper is not None)
        position = expr.span[0] if expr.span != (0, 0) else None
        if depth > DEPTH or steps > TERMS:
            raise ClaimError(
                "the claim is nested too deeply" if depth > DEPTH else "the claim has a chain of too many terms",
                f"at most {DEPTH} levels" if depth > DEPTH else f"at most {TERMS}",
                source=claim.source,
                position=position,
            )
        if powers > POWERS:
            raise ClaimError(
                "powers are nested too deeply", f"at most {POWERS} levels", source=claim.source, position=position
            )
        for child in reversed(children(expr)):
            chained = isinstance(expr, Binary) and isinstance(child, Binary) and child is expr.left
            stack.append((child, depth + (not chained), steps + 1, powers))

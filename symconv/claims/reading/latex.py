r"""Claims in LaTeX, as people write them: read by a grammar; nothing of TeX is run.

``c_{ij} = \sum_{n=1}^3 \sum_{m=1}^3 a_{i+m-1, j+n-1} b_{m,n}``. What is read in one of several possible ways is noted:

- ``c_{ij}``: letters and digits side by side in a subscript are kept one by one, for the declared rank to count;
- ``X_{a,b}^k``: what stands above an entry may be a power or an upper index, and is kept; above a bare letter it is
  a power;
- ``K(I+1)`` is a product, ``L(x, p)`` a call, ``2P`` and ``1/2P`` products from left to right;
- a sum, a maximum or a limit takes the rest of its term; one without bounds, ``\sum_{u}``, runs over all values at
  which what it reads exists;
- ``[i = j]``, ``\mathbb{1}[i = j]`` and ``\mathbb{1}_{i = j}`` are 1 where the condition holds, else 0;
- ``*`` and ``\ast`` multiply numbers and entries; between arrays they stay a sign of their own, as does ``\star``;
- ``|x|`` is the call ``abs``; of a set it means the number of elements, which only a declaration can tell;
- ``\mathbf{1}_{3 \times 3}`` is ``ones(3, 3)``, ``\operatorname{pad}_2(B)`` is ``pad(B, 2)``;
- equation numbers, and remarks in words after a formula, are passed over; ``= 2 (3)``, where the number may be a
  factor, is an error, and so are remarks that restrict what is claimed or compute.

The way of a text: `latex_scan` makes pieces, `latex_parse` with ``claims.lark`` a parse tree, `latex_tree` the
tree of claims.
"""

from __future__ import annotations

from dataclasses import replace

from symconv.claims.reading.latex_scan import NO_NAMES, scan
from symconv.claims.reading.lexicon import Lexicon
from symconv.claims.reading.limits import check_size, check_text
from symconv.claims.syntax import Claim

__all__ = ["read_latex"]


def read_latex(text: str, lexicon: Lexicon = NO_NAMES) -> Claim:
    r"""The syntax tree of a claim in LaTeX, with or without dollar signs or an environment around it.

    Args:
        text: the formula, at most 4,000 characters of ASCII; a chain may span lines, and may begin with a relation,
            when it goes on from the claim before it.
        lexicon: the names of several letters, and those of arrays.

    Raises:
        ClaimError: with the place, what was found there and what was expected.

    >>> claim = read_latex(r"c_{ij} = \sum_{m=1}^{K} a_{i+m-1, j} b_m \quad (1)")
    >>> claim.parts[0].joined, claim.parts[1].over[0].variable
    (True, 'm')
    >>> for note in claim.notes:
    ...     print(note)
    the equation number (1) is passed over
    c_{ij} has no commas; the rank of c tells the indices apart
    """
    check_text(text, latex=True)
    pieces, notes = scan(text, lexicon)
    # The parser is loaded with the first formula in LaTeX, not with the package.
    from symconv.claims.reading.latex_parse import read_pieces

    claim = read_pieces(pieces, text, lexicon)
    claim = replace(claim, notes=(*notes, *claim.notes))
    check_size(claim)
    return claim

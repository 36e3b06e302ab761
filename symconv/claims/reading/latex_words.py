"""The words of LaTeX that formulas are made of: what each command stands for, and nothing that TeX would run."""

from __future__ import annotations

from difflib import get_close_matches

__all__ = [
    "ACCENTS",
    "ARITHMETIC",
    "AT",
    "CASES",
    "FONTS",
    "FUNCTIONS",
    "GREEK",
    "IGNORED",
    "JUSTIFIES",
    "LOGIC",
    "MATRICES",
    "OTHERWISE",
    "PLAIN_FUNCTIONS",
    "PLAIN_WORDS",
    "SIGNS",
    "TEXTS",
    "UNCLAIMED",
    "WHEN",
    "WRAPPERS",
    "advice",
    "is_known",
]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


GREEK = _set(
    """alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi varpi rho varrho
    sigma varsigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi
    Omega ell"""
)

# Command -> (kind of piece, text of the piece).
SIGNS: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("cdot", "times", "cdotp"), ("TIMES", "*")),
    **dict.fromkeys(("odot", "circ"), ("TIMES", "odot")),
    "ast": ("AST", "*"),
    "star": ("STAR", "*"),
    "div": ("SLASH", "/"),
    **dict.fromkeys(("bmod", "mod"), ("MOD", "mod")),
    "sum": ("SUM", "sum"),
    **{word: ("MAX", word) for word in ("max", "min")},
    "lim": ("LIM", "lim"),
    **dict.fromkeys(("to", "rightarrow", "longrightarrow"), ("TO", "to")),
    "partial": ("PARTIAL", "d"),
    "nabla": ("NABLA", "d"),
    **dict.fromkeys(("frac", "dfrac", "tfrac", "cfrac"), ("FRAC", "/")),
    "sqrt": ("SQRT", "sqrt"),
    "in": ("IN", "in"),
    **dict.fromkeys(("dots", "ldots", "cdots", "dotsc"), ("DOTS", "...")),
    **dict.fromkeys(("le", "leq", "leqslant"), ("REL", "<=")),
    **dict.fromkeys(("ge", "geq", "geqslant"), ("REL", ">=")),
    "lt": ("REL", "<"),
    "gt": ("REL", ">"),
    **dict.fromkeys(("coloneqq", "coloneq", "triangleq", "equiv"), ("REL", "==")),
    "infty": ("NAME", "oo"),
    **dict.fromkeys(("top", "intercal"), ("NAME", "transposed")),
    **dict.fromkeys(("land", "wedge"), ("AND", "and")),
    "colon": ("MID", ":"),
    "mid": ("MID", "|"),
    **{word: ("WORD", word) for word in ("gcd", "exp", "log", "ln", "tanh")},
}
FUNCTIONS = frozenset(("max", "min", "lim", "gcd", "exp", "log", "ln", "tanh"))
"""The signs that are words, which people also write upright."""

IGNORED = _set(
    """displaystyle textstyle scriptstyle limits nolimits thinspace medspace thickspace enspace negthinspace
    negmedspace negthickspace big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr nonumber notag allowbreak
    mathstrut strut substack hfill quad qquad left right middle begin end tag label hspace vspace lfloor rfloor lceil
    rceil lvert rvert vert lbrace rbrace lbrack rbrack lparen rparen forall stackrel overset"""
)
"""Commands that are no piece by themselves: spaces, sizes of brackets, and those read by a rule of their own."""

FONTS = _set(
    """mathrm operatorname mathit mathbf mathsf mathtt mathcal mathbb mathbbm mathds mathnormal boldsymbol bm pmb"""
)
ACCENTS = {
    **{word: word for word in ("hat", "tilde", "bar", "vec", "dot", "check", "breve")},
    "underline": "underline",
    "widehat": "hat",
    "widetilde": "tilde",
    "overline": "bar",
}
"""What stands over a letter, and how the letter with it is called: a hat over y makes it y_hat."""
TEXTS = _set("text textrm textit textbf textsf texttt textnormal textup mbox hbox intertext")
MATRICES = _set("matrix pmatrix bmatrix Bmatrix smallmatrix array")
CASES = frozenset(("cases", "dcases"))
WRAPPERS = _set(
    """equation equation* align align* aligned gather gather* gathered split multline multline* eqnarray eqnarray*
    flalign flalign* displaymath math"""
)
WHEN = frozenset(("if", "for", "when", "where", "as", "else if", "whenever"))
OTHERWISE = frozenset(("otherwise", "else", "elsewhere", "in all other cases", "in any other case", "other"))
LOGIC = _set(
    """if iff when whenever unless provided assume assuming suppose supposing given implies or and not only but except
    odd even"""
)
"""Words that join or restrict claims: passing over them would change what is claimed."""

AT = _set("for where at with")
"""Words that restrict a claim where an equation follows them."""

JUSTIFIES = _set("by since because using from substituting substitution")
"""Words of a remark whose equation says why, and restricts nothing."""

ARITHMETIC = _set(
    """plus minus times divided multiplied modulo mod squared cubed added subtracted increased decreased reduced percent
    dozen hundred thousand million half halved twice doubled thrice equal equals unequal"""
)
"""Words that compute or compare: passing over them would leave out a part of what is claimed."""

PLAIN_FUNCTIONS = frozenset(("ReLU", "relu", "softmax", "sigmoid", "vec"))
"""Functions that people write in plain letters, which are a product of letters otherwise."""

PLAIN_WORDS = {
    **{word: f"\\{word}" for word in ("max", "min", "lim", "sum", "log", "exp", "mod", "frac", "cdot", "tanh")},
    "floor": r"\lfloor x \rfloor",
    "ceil": r"\lceil x \rceil",
    "if": r"\text{if}",
    "else": r"\text{otherwise}",
    "otherwise": r"\text{otherwise}",
}
_MACROS = _set(
    """def edef gdef xdef let newcommand renewcommand providecommand input include includeonly write openin openout read
    catcode csname endcsname expandafter immediate special loop repeat newread newwrite usepackage documentclass
    directlua lua message show the jobname primitive pdfobj require verb afterassignment aftergroup futurelet
    DeclareMathOperator newenvironment makeatletter url href includegraphics begingroup endgroup bgroup egroup relax
    char uppercase lowercase scantokens output everymath everypar shipout"""
)
UNCLAIMED = _set("neq ne implies Rightarrow Leftrightarrow iff Longrightarrow approx sim simeq cong propto")
"""Relations that no claim is made of."""

_OTHER = {
    **dict.fromkeys(("neq", "ne"), "=, \\le or \\ge: a difference cannot be claimed"),
    **dict.fromkeys(
        ("implies", "Rightarrow", "Leftrightarrow", "iff", "Longrightarrow", "therefore"),
        "one claim: give each formula as a claim of its own",
    ),
    **dict.fromkeys(("approx", "sim", "simeq", "cong", "propto"), "=: claims are exact"),
    **dict.fromkeys(("vmatrix", "Vmatrix"), "pmatrix or bmatrix"),
    "prod": "a sum, a maximum or a product written out",
    "int": "a sum",
    "over": r"\frac{...}{...}",
    "circledast": r"\star",
}


def is_known(command: str) -> bool:
    """Whether a command may stand in a formula."""
    return any(command in words for words in (GREEK, SIGNS, IGNORED, FONTS, TEXTS, ACCENTS))


def advice(command: str) -> tuple[str, str]:
    """What an unknown command is, and what to write instead."""
    shown = f"\\{command}" if len(command) <= 32 else f"\\{command[:32]}..."
    if command in _MACROS:
        return f"found {shown}, a command of TeX", "a formula: nothing is defined, loaded or run here"
    if command in _OTHER:
        return f"found {shown}", _OTHER[command]
    near = get_close_matches(command[:32], [*SIGNS, *GREEK, *IGNORED, *FONTS, *TEXTS, *ACCENTS], n=1)
    return f"found {shown}", f"a known command; did you mean \\{near[0]}?" if near else "a known command"

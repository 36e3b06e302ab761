"""A document that uses every block of the model: the gradient of a correlation with respect to its input."""

from __future__ import annotations

from symconv.report.document import (
    Band,
    Block,
    Code,
    Display,
    Document,
    FigureBlock,
    Inline,
    Ledger,
    LedgerRow,
    Math,
    Notation,
    NotationRow,
    Paragraph,
    Reason,
    Ref,
    RelationLine,
    Section,
    StageHeading,
    StatusLine,
    Strong,
    Substep,
    Text,
)
from symconv.report.figures import DrawnAxis, gradient_figure, window_figure

PAD = r"\operatorname{pad}_{K-1}(\SCupstream{G})"
ROT = r"\operatorname{rot}_{180}(\SCkernel{B})"


def runs(*pieces: str | Inline) -> tuple[Inline, ...]:
    """Strings become text, and what stands between dollar signs becomes mathematics."""
    out: list[Inline] = []
    for piece in pieces:
        if not isinstance(piece, str):
            out.append(piece)
            continue
        for n, part in enumerate(piece.split("$")):
            if part:
                out.append(Math(part) if n % 2 else Text(part))
    return tuple(out)


def ref(target: str, label: str = "") -> Ref:
    return Ref(target, label or f"({target})")


def notation() -> Notation:
    return Notation(
        (
            NotationRow(
                "D1",
                "D1",
                runs(r"$C=A\star\SCkernel{B}$"),
                runs(r"$c_{pq}=\sum_{m=1}^{K}\sum_{n=1}^{K}a_{p+m-1,\,q+n-1}\,\SCkernel{b_{mn}}$"),
                "correlation",
                runs("$P\\times Q$, with $P=I-K+1$, $Q=J-K+1$"),
            ),
            NotationRow(
                "D2",
                "D2",
                runs(r"$\SCupstream{G}$"),
                runs(r"$\SCupstream{g_{pq}}=\partial E/\partial c_{pq}$"),
                "upstream gradient",
                runs(r"$P\times Q$"),
            ),
            NotationRow(
                "D3",
                "D3",
                runs(r"$\operatorname{pad}_r(\SCupstream{G})$"),
                runs(
                    r"$\SCupstream{\tilde g_{st}}=\SCupstream{g_{s-r,\,t-r}}$ where that entry exists, else $0$; "
                    "the ring of zeros is as wide as it has to be and no wider"
                ),
                "padding",
                runs(r"$(P+2r)\times(Q+2r)$"),
            ),
            NotationRow(
                "D4",
                "D4",
                runs(r"$\operatorname{rot}_{180}(\SCkernel{B})$"),
                runs(r"$\SCkernel{b_{K+1-u,\,K+1-v}}$ in row $u$, column $v$"),
                "half turn",
                runs(r"$K\times K$"),
            ),
        ),
        convention="indices count from 1, row first",
        footer=NotationRow(
            "",
            "",
            runs("$[\\,S\\,]$"),
            runs("$1$ if $S$ holds, $0$ if not"),
            "bracket",
            runs(r"$i,j$ for $A$; $m,n$ for $\SCkernel{B}$; $p,q$ for $C$ and $\SCupstream{G}$"),
        ),
    )


def theorem() -> tuple[Block, ...]:
    return (
        Paragraph(
            runs(
                r"Let $I,J\ge K\ge 1$, $A\in\mathbb{R}^{I\times J}$, $\SCkernel{B}\in\mathbb{R}^{K\times K}$ and "
                r"$C=A\star\SCkernel{B}$. Let $E$ be a differentiable function of $C$, and let "
                r"$\SCupstream{G}=\partial E/\partial C$. Then"
            ),
            wide=True,
            mark="proved",
            number="T",
            id="T",
        ),
        RelationLine(
            "T-formula",
            "",
            "none",
            Math(r"\frac{\partial E}{\partial A}"),
            "=",
            Math(PAD + r"\star" + ROT),
            Reason(
                "Proof",
                runs("in three stages: ", ref("1"), "–", ref("6"), ". The sliding window is drawn in ",
                     ref("fig1", "Figure 1"), "."),
            ),
            large=True,
        ),
    )  # fmt: skip


def derivation() -> tuple[Block, ...]:
    return (
        StageHeading(
            "I", "I", runs("One output, one input"), runs("for every $c_{pq}$ of $C$ and every $a_{ij}$ of $A$")
        ),
        RelationLine(
            "1",
            "1",
            "proved",
            Math(r"\frac{\partial c_{pq}}{\partial a_{ij}}"),
            "=",
            Math(r"\sum_{m=1}^{K}\sum_{n=1}^{K}\,[\,p+m-1=i\,]\,[\,q+n-1=j\,]\;\SCkernel{b_{mn}}"),
            Reason(
                "Differentiate",
                runs(ref("D1"), " term by term. The entries of $A$ are independent: "
                     r"$\partial a_{st}/\partial a_{ij}=[\,s=i\,]\,[\,t=j\,]$."),
            ),
        ),
        RelationLine(
            "2",
            "2",
            "proved",
            Math(""),
            "=",
            Math(
                r"\begin{cases}\SCkernel{b_{i-p+1,\,j-q+1}}&1\le i-p+1\le K,\;1\le j-q+1\le K,\\"
                r"0&\text{otherwise.}\end{cases}"
            ),
            Reason("Sift.", runs("Only $m=i-p+1$, $n=j-q+1$ can make both brackets $1$; that term is in the sum "
                                 r"exactly when both lie in $1,\dots,K$.")),
        ),
        StageHeading("II", "II", runs("The outputs that touch $a_{ij}$"), runs("for every $a_{ij}$ of $A$")),
        RelationLine(
            "3",
            "3",
            "proved",
            Math(r"\frac{\partial E}{\partial a_{ij}}"),
            "=",
            Math(
                r"\sum_{p=1}^{P}\sum_{q=1}^{Q}\SCupstream{g_{pq}}\,\frac{\partial c_{pq}}{\partial a_{ij}}"
            ),
            Reason(
                "Chain rule,",
                runs("with ", ref("D2"), ". $A$ reaches $E$ only through the entries of $C$."),
                needs=runs("$E$ differentiable at $C$ ", ref("T")),
            ),
        ),
        RelationLine(
            "4",
            "4",
            "proved",
            Math(""),
            "=",
            Math(
                r"\sum_{p=\max(1,\,i-K+1)}^{\min(P,\,i)}\;\sum_{q=\max(1,\,j-K+1)}^{\min(Q,\,j)}"
                r"\SCupstream{g_{pq}}\,\SCkernel{b_{i-p+1,\,j-q+1}}"
            ),
            Reason(
                "Insert",
                runs(ref("2"), " and drop the zero terms."),
                (
                    Substep(
                        "4.1",
                        runs(r"$1\le i-p+1\le K$ holds exactly when $i-K+1\le p\le i$; likewise for $q$ and $j$."),
                        runs(r"The left inequality is $p\le i$, the right one $p\ge i-K+1$."),
                    ),
                    Substep("4.2", runs(r"No sum is empty: $i\le I=P+K-1$.")),
                ),
            ),
        ),
        StageHeading("III", "III", runs("Read the sum as a correlation"), runs("for every $a_{ij}$ of $A$")),
        RelationLine(
            "5",
            "5",
            "proved",
            Math(""),
            "=",
            Math(
                r"\sum_{u=1}^{K}\sum_{v=1}^{K}\SCupstream{\tilde g_{i+u-1,\,j+v-1}}\;\SCkernel{b_{K+1-u,\,K+1-v}}"
            ),
            Reason(
                "Substitute",
                runs("$u=K+1-(i-p+1)$ and $v=K+1-(j-q+1)$."),
                (
                    Substep(
                        "5.1",
                        runs(r"$p\mapsto u$ maps $i-K+1,\dots,i$ one-to-one onto $1,\dots,K$, and $p=i+u-K$."),
                    ),
                    Substep(
                        "5.2",
                        runs("By ", ref("D3"), r" with $r=K-1$, $\SCupstream{\tilde g_{i+u-1,\,j+v-1}}$ is "
                             r"$\SCupstream{g_{pq}}$, or $0$ where $\SCupstream{G}$ has no such entry."),
                        runs("Row $i+u-1$ less $r$ is $p$; column likewise $q$."),
                    ),
                ),
            ),
        ),
        RelationLine(
            "6",
            "6",
            "proved",
            Math(""),
            "=",
            Math(rf"\left({PAD}\star{ROT}\right)_{{ij}}"),
            Reason("Recognise", runs(ref("D1"), " in ", ref("5"), f": image ${PAD}$, kernel ${ROT}$ by ", ref("D4"),
                                     ". Sizes: $P+2(K-1)-K+1=I$.")),
            qed=True,
        ),
        figure(),
    )  # fmt: skip


def figure() -> FigureBlock:
    scenes = gradient_figure([DrawnAxis(5, 3), DrawnAxis(5, 3)], at=(2, 4))
    return FigureBlock(
        "fig1",
        "1",
        tuple(scenes),
        (
            Math(r"\operatorname{pad}_2(\SCupstream{G})"),
            Math(r"\operatorname{rot}_{180}(\SCkernel{B})"),
            Math(r"\partial E/\partial A"),
        ),
        (Math(r"\star"), Math("=")),
        runs("Step ", ref("5"), r" at $I=J=5$, $K=3$, for the entry $(2,4)$. The window meets $\SCupstream{G}$ in four "
             "cells, so four outputs touch $a_{24}$:"),
        "exact",
        Math(
            r"\begin{aligned}\frac{\partial E}{\partial a_{24}}&=\SCupstream{g_{12}}\SCkernel{b_{23}}"
            r"+\SCupstream{g_{13}}\SCkernel{b_{22}}\\&\quad{}+\SCupstream{g_{22}}\SCkernel{b_{13}}"
            r"+\SCupstream{g_{23}}\SCkernel{b_{12}}\end{aligned}"
        ),
    )  # fmt: skip


def refutation() -> tuple[Block, ...]:
    return (
        Band(
            runs("Refuted claim"),
            runs(r"claimed for all $I,J\ge K\ge1$; separated first at $I=J=K=2$"),
            (
                RelationLine(
                    "R",
                    "R",
                    "refuted",
                    Math("c_{ij}"),
                    r"\overset{\SCbad{?}}{=}",
                    Math(r"\sum_{m=1}^{K}\sum_{n=1}^{K}a_{i+m-1,\,j+\SCbad{m}-1}\,\SCkernel{b_{mn}}"),
                    Reason("Against", runs(ref("D1"), " read at $(p,q)=(i,j)$. The column offset of $a$ repeats the "
                                           r"row index $\SCbad{m}$ of the kernel.")),
                ),
                RelationLine(
                    "",
                    "",
                    "none",
                    Math("A"),
                    "=",
                    Math(
                        r"\begin{pmatrix}1&0\\0&0\end{pmatrix},\qquad\SCkernel{B}="
                        r"\begin{pmatrix}0&\SCkernel{1}\\0&0\end{pmatrix},\qquad i=j=1"
                    ),
                    Reason("Witness.", runs(r"$a_{11}=\SCkernel{b_{12}}=1$, all else $0$. None is smaller: for $K=1$ "
                                            r"both sides are $a_{ij}\SCkernel{b_{11}}$.")),
                ),
                RelationLine(
                    "",
                    "",
                    "none",
                    Math(r"\text{by }c_{11}"),
                    "=",
                    Math(r"a_{11}\SCkernel{b_{11}}+a_{12}\SCkernel{b_{12}}+a_{21}\SCkernel{b_{21}}"
                         r"+a_{22}\SCkernel{b_{22}}=1\cdot 0+0\cdot 1+0\cdot 0+0\cdot 0=0"),
                ),
                RelationLine(
                    "",
                    "",
                    "none",
                    Math(r"\text{by R}"),
                    "=",
                    Math(r"a_{11}\SCkernel{b_{11}}+a_{1\SCbad{1}}\SCkernel{b_{12}}+a_{2\SCbad{2}}\SCkernel{b_{21}}"
                         r"+a_{22}\SCkernel{b_{22}}=1\cdot 0+\SCbad{1}\cdot 1+0\cdot 0+0\cdot 0=\SCbad{1}"),
                ),
            ),
        ),
        RelationLine(
            "R'",
            "R′",
            "proved",
            Math("c_{ij}"),
            "=",
            Math(r"\sum_{m=1}^{K}\sum_{n=1}^{K}a_{i+m-1,\,j+\boldsymbol n-1}\,\SCkernel{b_{mn}}"),
            Reason("Repair.", runs("One index changes, $m$ to $n$; what results is ", ref("D1"),
                                   ". Of the $18$ changes of one index of the claim, no other is true.")),
        ),
    )  # fmt: skip


def wide_things() -> tuple[Block, ...]:
    """Statements and matrices that do not fit their column, in ways that differ."""
    entries = r"\\".join("&".join(rf"\SCkernel{{b_{{{i}{j}}}}}" if abs(i - j) < 3 else r"\SCzero"
                                  for j in range(1, 26)) for i in range(1, 10))  # fmt: skip
    long_sum = "+".join(rf"\SCupstream{{g_{{{p}{q}}}}}\SCkernel{{b_{{{4 - p},{4 - q}}}}}"
                        for p in range(1, 4) for q in range(1, 4))  # fmt: skip
    return (
        StageHeading("VI", "VI", runs("What does not fit a column"), runs("$I=J=5$")),
        RelationLine(
            "q2.10",
            "2.10",
            "exact",
            Math(r"\frac{\partial E}{\partial a_{33}}"),
            "=",
            Math(long_sum),
            Reason("Expand.", runs("Wider than the statement column: the reason stands below.")),
        ),
        RelationLine(
            "q2.11",
            "2.11",
            "undecided",
            Math(r"\left(\operatorname{pad}_{2}(\SCupstream{G})\star\operatorname{rot}_{180}(\SCkernel{B})\right)_{ij}"),
            "=",
            Math(r"\SCupstream{g_{11}}\SCkernel{b_{33}}+\SCupstream{g_{12}}\SCkernel{b_{32}}"),
            Reason("Count.", runs("A left-hand side that would push every sign of equality to the right. ",
                                  Code("symconv.report.to_latex"), " is the name to type.")),
            rows=(
                Math(r"+\SCupstream{g_{21}}\SCkernel{b_{23}}+\SCupstream{g_{22}}\SCkernel{b_{22}}"),
                Math(r"=\sum_{u=1}^{2}\sum_{v=1}^{2}\SCupstream{g_{uv}}\SCkernel{b_{4-u,\,4-v}}"),
            ),
        ),
        Display(
            Math(r"\begin{pmatrix}" + entries + r"\end{pmatrix}"),
            "matrix",
            "M",
            "exact",
            Reason("Matrix.", runs("Wider than the page: scaled on paper, scrolled on screen.")),
        ),
        Display(
            Math(r"\begin{pmatrix}1&3&6&5&3\\5&12&21&\mathbf{16}&9\\12&27&45&33&18\end{pmatrix}"),
            reason=Reason("Small.", runs("This one has room.")),
        ),
        Paragraph(runs("Running text in the statement column with ", Strong("emphasis"), ", a formula $a+b$ and the "
                       "characters 100 % _ # ~ ^ < > & { } \\ as typed.")),
        Band(
            runs("A note"),
            runs("no claim"),
            (Paragraph(runs("A band may also hold what is merely contested."), mark="undecided", number="N", id="N"),),
            "note",
        ),
    )  # fmt: skip


def ledger() -> tuple[Block, ...]:
    return (
        StageHeading("V", "V", runs("What was recomputed"),
              runs(r"$86$ sizes: $K\le4$ and $K\le I,J\le6$")),
        Ledger(
            (
                LedgerRow(runs("1, 2"), runs("each derivative read off (D1), entry by entry; $86$ sizes"),
                          runs("index algebra, $I,J,K$ symbolic")),
                LedgerRow(runs("3"), runs("not recomputed"), runs("the chain rule, taken as known")),
                LedgerRow(runs("4, 5, 6"),
                          runs(r"both sides expanded to polynomials in $\SCupstream{g_{pq}},\SCkernel{b_{mn}}$; $86$ "
                               "sizes"),
                          runs("index algebra, $I,J,K$ symbolic")),
                LedgerRow(runs("R, R′"), runs("sizes searched from the smallest up; $18$ edits tried"),
                          runs("witness; then (D1)")),
            )
        ),
    )  # fmt: skip


def sample() -> Document:
    """Every block, every inline run, every mark."""
    axis = DrawnAxis(5, 3, stride=2, before=1, after=1)
    forward = window_figure([axis, axis], at=(2, 3))
    return Document(
        title="The gradient of a correlation with respect to its input",
        lead=runs(
            r"Sliding a kernel forward is undone, in the gradient, by sliding the kernel turned by $180^\circ$ over "
            "the upstream gradient, padded so far that every entry of the input gets its turn."
        ),
        author="Ada Lovelace, Émilie du Châtelet",
        running="derivation of ∂E/∂A",
        status=(
            StatusLine("proved", runs(Ref("1", "1–6"), r" proved for all $I,J\ge K\ge1$")),
            StatusLine("exact", runs(Ref("q2.10", "2.10"), " proved at $I=J=5$, $K=3$")),
            StatusLine("refuted", runs(Ref("R", "R"), " refuted at $I=J=K=2$; repair: ", Ref("R'", "R′"))),
            StatusLine("undecided", runs(Ref("q2.11", "2.11"), " undecided")),
        ),
        blocks=(
            *theorem(),
            notation(),
            *derivation(),
            Section("q2", "2", runs("A refuted claim, and $5\\times5$ by $3\\times3$"), runs("question 2 of 2")),
            *refutation(),
            *wide_things(),
            FigureBlock(
                "fig2",
                "2",
                tuple(forward),
                tuple(Math(name) for name in ("A", r"\SCkernel{B}", "C")[: len(forward)]),
                (Math(r"\star"), Math("="))[: len(forward) - 1],
                runs("The window of one output with stride $2$ and padding $1$."),
            ),
            *ledger(),
        ),
        colophon=runs("Written by symconv from ", Code("reports/sample.toml"), "."),
    )

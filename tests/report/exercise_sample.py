"""A document that uses every block of a worked exercise, with numbers written by hand."""

from __future__ import annotations

from report.sample import ref, runs

from symconv.report.document import (
    Document,
    Folded,
    Graded,
    GradedLine,
    Math,
    Paragraph,
    Reason,
    RelationLine,
    Section,
    StatusLine,
    Text,
    TheoremBlock,
)
from symconv.report.exercise import (
    Asked,
    Entries,
    Grid,
    GridCell,
    Grids,
    Half,
    Live,
    Sheet,
    Station,
    Stations,
    TheoremLine,
    Witness,
    WrittenEntry,
)
from symconv.report.inline import Inline


def plane(text: str, tensor: str = "", **options: object) -> Grid:
    """A table from rows of words; 0 is grey, and what stands behind a colon are states of the cell."""
    rows = []
    for line in text.strip().split("/"):
        cells = []
        for word in line.split():
            number, _, states = word.partition(":")
            zero = ("z",) if number == "0" else ()
            cells.append(GridCell(number.replace("-", "−"), (*zero, *filter(None, states.split(",")))))  # type: ignore[arg-type]
        rows.append(tuple(cells))
    return Grid(tuple(rows), tensor or "a picture", tensor, **options)  # type: ignore[arg-type]


def stations() -> Stations:
    x = plane("0:ring 0:ring 0:ring/0:ring 1:s1,et,el,eb,er 2/0:ring 0 -3", "X", lead=(0,))
    return Stations(
        "figure-1",
        "1",
        (
            Station(
                runs("Input $X$"),
                runs("$1\\times 2\\times 2$"),
                Half(runs("outside reads 0"), ((x,),)),
                Half(runs(r"$\partial E/\partial X$, in thirds"), ((plane("1 0/0 -2", "dX", kind="gradient"),),)),
            ),
            Station(
                runs(r"Kernels $\SCkernel{W}$"),
                runs("$1\\to 2$"),
                Half(
                    runs("upper index: to, from"),
                    (
                        (
                            plane("2 1/0 1", "W", kind="kernel", caption=Math("W^{11}")),
                            plane("0 1/1 -1", "W", kind="kernel", caption=Math("W^{21}")),
                        ),
                    ),
                ),
                None,
            ),
            Station(
                runs("ReLU $A$"),
                runs("$1\\times 2\\times 2$"),
                Half((), ((plane("2:me,won 0:dead/0:dead 5", "A", window=(2, 2)),),)),
                Half(runs(r"$\partial E/\partial A$"), ((plane("3:twin 0/0 1", "dA", kind="gradient"),),)),
            ),
        ),
        Live(runs("ReLU, row 1, column 1"), Math(r"a_{11}=\max(0,2)=2"), runs("Flows into 1 entry of H.")),
        runs("The network at work."),
    )


def theorem() -> TheoremBlock:
    proof = Folded(
        runs("Proof"),
        (
            RelationLine(
                "1",
                "1",
                "proved",
                Math(r"\frac{\partial E}{\partial\SCkernel{b_o}}"),
                "=",
                Math(r"\sum_{p,q}\SCupstream{g^o_{pq}}\cdot 1"),
                Reason("Chain rule"),
                qed=True,
            ),
        ),
        proof=True,
        open=True,
    )
    lines = (
        TheoremLine(
            Math(r"\frac{\partial E}{\partial\SCkernel{b_o}}"),
            "=",
            Math(r"\sum_{p,q}\SCupstream{g^o_{pq}}"),
            runs("the sum of the gradient map"),
        ),
        TheoremLine(
            Math(r"\frac{\partial E}{\partial\SCkernel{W^{oc}}}"),
            "=",
            Math(r"\operatorname{pad}_r(X^c)\star\SCupstream{G^o}"),
            runs("the image against the gradient"),
        ),
    )
    return TheoremBlock(
        "T1",
        "T1",
        "proved",
        "A convolution with bias",
        runs("Let $0\\le r$. Then for all $o$ and $c$"),
        lines,
        proof,
        ("W", "X"),
    )


def graded() -> Graded:
    three = plane("1 1", kind="gradient")
    return Graded(
        runs("1 of 2 lines stand"),
        (
            GradedLine(
                "L1",
                "L1",
                "exact",
                runs(r"The convolution has $2\cdot 9\cdot 2+2=38$ parameters."),
                "Right,",
                runs("by ", ref("1"), "."),
            ),
            GradedLine(
                "L2",
                "L2",
                "refuted",
                runs(r"$\frac{\partial E}{\partial\SCkernel{b_o}}=\SCbad{g^o_{pq}}$"),
                "Wrong.",
                runs("The bias stands in every entry of the map."),
                Witness(Grids((three, three), (Math("="),)), runs("A map of $1\\times2$: the derivative is $2$.")),
                (
                    RelationLine(
                        "L2r",
                        "L2'",
                        "proved",
                        Math(r"\frac{\partial E}{\partial\SCkernel{b_o}}"),
                        "=",
                        Math(r"\SCfixed{\sum_{p,q}}\SCupstream{g^o_{pq}}"),
                        Reason("Repair,", runs("by ", ref("T1"))),
                    ),
                ),
            ),
        ),
    )


def cells(*texts: str) -> tuple[tuple[Inline, ...], ...]:
    return tuple(runs(text) for text in texts)


def exercise_document(map_json: str = "") -> Document:
    sheet = Sheet(
        cells("layer", "output", "parameters"),
        (cells("Convolution", "$2\\times6\\times6$", "$38$"),),
        cells("Together", "", "$38$"),
    )
    sentences = Sheet(cells("what", "by what"), (cells("Figure 1", "plain loops"),), texts=True)
    entries = Entries((WrittenEntry(runs("$(1;1,1)$"), runs("(−1)·3 + 1·3"), runs("0")),) * 4)
    return Document(
        "A worked exercise",
        runs("Every block, once."),
        (
            Asked((runs(r"An image $X$ passes through $Z=\SCkernel{W}\star X$. "), runs("Answer the questions."))),
            stations(),
            Section("q-1", "1", runs("Sizes")),
            Asked((runs("How large is the output?"),)),
            sheet,
            sentences,
            Section("q-2", "2", runs("Backward")),
            theorem(),
            Grids((plane("1 2/3 4", caption=Math("Z^1")), plane("5 6/7 8", caption=Math("Z^2")))),
            Folded(runs("All 4 entries, written out"), (entries,)),
            Section("q-3", "3", runs("A solution, graded")),
            graded(),
            Paragraph((Text("The end."),)),
        ),
        (StatusLine("proved", runs("T1, 1 proved")),),
        map=map_json,
    )

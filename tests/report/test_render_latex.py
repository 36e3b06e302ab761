"""The LaTeX writer: complete, literal, deterministic, and set by pdflatex without a box that sticks out."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from sample import runs, sample

from symconv.errors import RenderError
from symconv.report.document import (
    Band,
    Code,
    Display,
    Document,
    FigureBlock,
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
from symconv.report.render import to_latex

ATTACK = r"\input{/etc/passwd} 100% _#~^<script> -- `` \end{document} ((( x ))) ((* if x *)) {{ x }} $x$ & \\"

needs_pdflatex = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")


def typeset(folder: Path, tex: str, times: int = 1) -> str:
    """Compiles a document and returns its log."""
    (folder / "t.tex").write_text(tex, encoding="utf-8")
    for _ in range(times):
        done = subprocess.run(
            ["pdflatex", "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "t.tex"],
            cwd=folder,
            capture_output=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout.decode("utf-8", "replace")[-2000:]
    return (folder / "t.log").read_text("utf-8", "replace")


def complaints(log: str) -> list[str]:
    """Lines of a log that mean a fault on the page."""
    return [line for line in log.splitlines() if re.match(r"(Over|Under)full|!|.*Warning", line)]


def printed(folder: Path) -> str:
    done = subprocess.run(["pdftotext", "-layout", "t.pdf", "-"], cwd=folder, capture_output=True, check=True)
    return done.stdout.decode("utf-8")


def test_the_same_document_gives_the_same_bytes() -> None:
    assert to_latex(sample()) == to_latex(sample())
    assert to_latex(sample(), fragment=True) == to_latex(sample(), fragment=True)


def test_the_sample_agrees_with_the_golden_file(golden: Callable[[str, str], None]) -> None:
    golden("sample.tex", to_latex(sample()))


def test_user_text_is_literal_everywhere() -> None:
    hostile = Document(
        title=ATTACK,
        author=ATTACK,
        running=ATTACK,
        lead=(Text(ATTACK), Strong(ATTACK), Code(ATTACK)),
        status=(StatusLine("proved", (Text(ATTACK),)),),
        blocks=(
            Section("s", ATTACK, (Text(ATTACK),), (Text(ATTACK),)),
            StageHeading("st", ATTACK, (Text(ATTACK),), (Text(ATTACK),)),
            RelationLine("x", ATTACK, "proved", Math("a"), "=", Math("b"), Reason(ATTACK, (Ref("x", ATTACK),))),
            Notation((NotationRow("n", ATTACK, (), (), ATTACK, ()),), convention=ATTACK),
            Ledger((), headings=(ATTACK, ATTACK, ATTACK)),
        ),
        colophon=(Text(ATTACK),),
    )
    tex = to_latex(hostile)
    assert r"\input{/" not in tex
    assert r"\textbackslash{}input\{/etc/passwd\} 100\% \_\#" in tex
    assert tex.count(r"\end{document}") == 1
    assert tex.count("((( x )))") > 20


@needs_pdflatex
def test_an_attack_is_printed_and_not_executed(tmp_path: Path) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    title = r"\input{/etc/passwd} 100% _#~^<script>"
    typeset(tmp_path, to_latex(Document(title=title, author=title, lead=(), blocks=())), times=2)
    text = printed(tmp_path)
    assert title in " ".join(text.split())
    assert "root:" not in text


@pytest.mark.parametrize("field", ["title", "author", "running title"])
def test_characters_that_pdflatex_cannot_set_are_named_with_their_field(field: str) -> None:
    text = "x 漢"
    document = Document(
        title=text if field == "title" else "t",
        author=text if field == "author" else "",
        running=text if field == "running title" else "r",
        lead=(),
        blocks=(),
    )
    with pytest.raises(RenderError, match=rf"^{field} must use characters .*, got U\+6F22 .*position 2"):
        to_latex(document)


def test_a_formula_with_a_command_is_rejected() -> None:
    document = Document("t", (), (Paragraph((Math(r"\input{/etc/passwd}"),)),))
    with pytest.raises(RenderError, match=r"formula \\input"):
        to_latex(document)


def test_the_fragment_names_its_packages_and_has_no_preamble() -> None:
    tex = to_latex(sample(), fragment=True)
    head = tex.splitlines()[:5]
    assert all(line.startswith("%") for line in head[:3])
    assert r"\usepackage{textcomp,lmodern,amsmath,amssymb,xcolor,graphicx,tikz}" in tex
    assert r"\documentclass" not in tex
    assert r"\begin{document}" not in tex
    assert not re.search(r"\\(newcommand|definecolor)\b", tex)


@needs_pdflatex
def test_the_sample_is_set_without_complaint(tmp_path: Path) -> None:
    assert complaints(typeset(tmp_path, to_latex(sample()), times=2)) == []


ARTICLE = r"""\documentclass%s{article}
\usepackage[T1]{fontenc}
\usepackage{textcomp,lmodern,amsmath,amssymb,xcolor,graphicx,tikz}
%s
\begin{document}
Before.
%s
Between.
%s
After.
\end{document}
"""


@needs_pdflatex
@pytest.mark.parametrize("options", ["", "[11pt]", "[12pt,a4paper]"])
@pytest.mark.parametrize("package", ["", r"\usepackage[hidelinks]{hyperref}"])
def test_the_fragment_fits_into_an_article_twice(tmp_path: Path, options: str, package: str) -> None:
    fragment = to_latex(sample(), fragment=True)
    log = typeset(tmp_path, ARTICLE % (options, package, fragment, "" if package else fragment), times=2)
    assert [line for line in complaints(log) if "Rerun" not in line and "Label(s)" not in line] == []


def awkward() -> Document:
    """Every place filled with what is too long for it."""
    word = "incomprehensibilities" * 8
    sentence = (Text("A sentence of many words that goes on and on and on, as sentences do, " * 3),)
    long = Math("+".join(f"a_{{{n},{n + 1}}}" for n in range(60)))
    solid = Math(r"\text{" + "x" * 140 + "}")
    formulas = (Text("see "), long, Text(" and "), solid, Text(", "), Code("a.very.long_name" * 8), Text("."))
    reason = Reason(word, formulas, (Substep("12.34.56", formulas, formulas),), formulas)
    figure = next(block for block in sample().blocks if isinstance(block, FigureBlock))
    return Document(
        title=word + " of words",
        author=word,
        running=word * 3,
        lead=formulas,
        status=(StatusLine("proved", formulas), StatusLine("none", (Text(word),))),
        blocks=(
            Section("s", "Question 1", sentence, sentence),
            StageHeading("st", "XXXVIII", (*sentence, Math("x")), formulas),
            Notation((NotationRow("n", "D100.200", formulas, formulas, word, formulas),), word),
            RelationLine("a", "10.20.30", "proved", long, "=", Math("x"), reason),
            RelationLine("b", "2", "proved", Math("x"), "=", long, reason, rows=(long, solid)),
            RelationLine("c", "3", "exact", solid, r"\leq", solid, None, qed=True, large=True),
            Display(long, reason=reason),
            Display(solid),
            Paragraph(formulas, mark="undecided", number="A long number"),
            Paragraph(formulas, wide=True),
            dataclasses.replace(figure, scenes=figure.scenes * 2, captions=figure.captions * 2, signs=figure.signs * 2
                                + (Math(""),), caption=formulas, display=long),
            dataclasses.replace(figure, id="f2", scenes=figure.scenes * 4, captions=figure.captions * 4,
                                signs=figure.signs * 4 + (Math(""),) * 3, caption=()),
            Band(sentence, formulas, tuple(
                RelationLine(f"r{n}", str(n), "refuted", Math("x"), "=", Math(r"\sum_{n=1}^N a_n"),
                             Reason("R.", sentence))
                for n in range(40)
            )),
            Ledger((LedgerRow(formulas, formulas, formulas),) * 30),
        ),
        colophon=formulas,
    )  # fmt: skip


@needs_pdflatex
def test_nothing_sticks_out_however_long_it_is(tmp_path: Path) -> None:
    log = typeset(tmp_path, to_latex(awkward()), times=2)
    assert [line for line in complaints(log) if "Underfull" not in line] == []


@needs_pdflatex
def test_nothing_sticks_out_of_an_article(tmp_path: Path) -> None:
    log = typeset(tmp_path, ARTICLE % ("", "", to_latex(awkward(), fragment=True), ""))
    assert [line for line in complaints(log) if "Overfull \\hbox" in line] == []


@needs_pdflatex
def test_every_letter_that_passes_the_check_can_be_set(tmp_path: Path) -> None:
    from symconv.report.escape import _MATHS, _SYMBOLS, _T1_LETTERS

    everything = " ".join(sorted(_T1_LETTERS | set(_SYMBOLS) | set(_MATHS)) + [chr(c) for c in range(33, 127)])
    title = "".join(c for c in everything if c != "\N{SOFT HYPHEN}")
    log = typeset(tmp_path, to_latex(Document(title, (Text(everything), Strong(everything), Code(everything)), ())))
    assert [line for line in complaints(log) if "Overfull" in line or line.startswith("!")] == []
    assert "Missing character" not in log
    assert "undefined" not in log.replace("shape undefined", "")


@needs_pdflatex
def test_a_heading_never_stands_alone_at_the_foot(tmp_path: Path) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    blocks = []
    for n in range(70):
        blocks.append(StageHeading(f"s{n}", "", (Text(f"Stage number {n}"),)))
        blocks.append(RelationLine(f"e{n}", "", "none", Math("a"), "=", Math("b"), Reason(f"Rule {n}", runs("short"))))
    typeset(tmp_path, to_latex(Document("t", (), tuple(blocks))), times=2)
    pages = printed(tmp_path).split("\f")
    assert len(pages) > 3
    for n in range(70):
        (page,) = [p for p in pages if re.search(rf"Stage number {n}\b", p)]
        assert re.search(rf"Rule {n}\b", page), f"stage {n} was torn from its statement"


def test_bad_references_and_ids_are_named() -> None:
    lonely = Document("t", (Ref("nowhere", "(9)"),), ())
    with pytest.raises(RenderError, match=r"got 'nowhere' under the label '\(9\)'"):
        to_latex(lonely)
    twice = Document("t", (), (Paragraph((), id="x"), Band((), (), (Paragraph((), id="x"),))))
    with pytest.raises(RenderError, match=r"got 'x' twice"):
        to_latex(twice)
    figure = next(block for block in sample().blocks if isinstance(block, FigureBlock))
    with pytest.raises(RenderError, match=r"figure 1 must have one caption a scene .* got 3 scenes, 1 captions"):
        to_latex(Document("t", (), (dataclasses.replace(figure, captions=figure.captions[:1], caption=()),)))


def test_a_row_without_a_relation_stands_behind_the_sign() -> None:
    chain = RelationLine("x", "", "none", Math("a"), "=", Math("b"), rows=(Math("+c"), Math("=d"), Math(r"\leq e")))
    tex = to_latex(Document("t", (), (chain,)))
    assert r"\SCline{\hphantom{{}={}}{}+c}\SCline{{}=d}\SCline{{}\leq e}" in tex


@needs_pdflatex
def test_the_lines_of_two_entries_stand_as_far_apart_as_those_of_one(tmp_path: Path) -> None:
    page = to_latex(Document("t", (), (Paragraph(runs("here")),)))
    head, _, _ = page.partition(r"\begin{document}")
    entry, both = (rf"\SCindented{{3.4mm}}{{}}{{{text}}}\par " for text in ("one one", r"one one\par one one"))
    measured = r"\setbox0\vbox{\hsize6cm\linewidth6cm\noindent %s}\message{TALL=\the\dimexpr\ht0+\dp0\relax}"
    body = measured % both + measured % (entry * 2) + measured % (both * 2) + measured % (entry * 4)
    log = typeset(tmp_path, head + r"\begin{document}" + body + r"x\end{document}")
    one_of_two, two, two_of_two, four = (float(number) for number in re.findall(r"TALL=([\d.]+)pt", log))
    assert two == pytest.approx(one_of_two, abs=0.1)
    assert four <= two_of_two <= four + 1.1  # \lineskip may stand between two boxes

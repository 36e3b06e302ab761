"""The command line: what it writes, what it refuses, and that nothing is ever left half-written."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from symconv.cli import application
from symconv.problems.starter import starter
from symconv.report.pdf import find_pdflatex

ROOT = Path(__file__).resolve().parents[1]

SMALL = """\
title = "A small one"
index_base = 1

[data]
A = [1, 2, 3, 4]
B = [1, 0]

[operators.conv]
kind = "Conv"
input_size = [4]
kernel_size = [2]

[[questions]]
id = "1"
title = "Size"
ask = "size"
operator = "conv"

[[questions]]
id = "2"
title = "Values"
ask = "values"
operator = "conv"
input = "A"
weight = "B"
"""


def run(*arguments: str | Path) -> Result:
    """A command in this process; an exception that is no message for the user fails the test."""
    result = CliRunner().invoke(application.commands, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert "Traceback" not in result.output
    return result


def process(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "symconv", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"PYTHONUTF8": "1"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def names(folder: Path) -> list[str]:
    """All files below a folder, hidden and temporary ones included."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A problem file that is quickly worked out."""
    path = tmp_path / "small.toml"
    path.write_text(SMALL, encoding="utf-8")
    return path


# --- help -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["", "init", "report", "derive", *(f"derive {k}" for k in (
    "conv", "maxpool", "avgpool", "lppool"
))])  # fmt: skip
def test_help_teaches_with_examples(command: str) -> None:
    result = run(*command.split(), "--help")
    assert result.exit_code == 0
    assert "Examples:\n" in result.output
    assert f"symconv {command}".strip() in result.output.split("Examples:")[1]


def test_the_examples_of_the_help_are_real_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "homework.toml").write_text(SMALL, encoding="utf-8")
    own = Path(__file__).parent / "operators" / "matching.py"
    (tmp_path / "matching.py").write_text(own.read_text(encoding="utf-8"), encoding="utf-8")
    examples = set()
    for command in ("derive", "derive conv", "derive maxpool", "derive avgpool", "derive lppool", "report"):
        for line in run(*command.split(), "--help").output.split("Examples:")[1].split("Options:")[0].splitlines():
            words = shlex.split(line.strip().split("   ")[0])
            if words[:1] == ["symconv"] and not {"--pdf", "--watch"} & set(words):  # the last never ends
                examples.add(tuple(words[1:]))
    assert len(examples) >= 14
    for example in sorted(examples):
        assert run(*example).exit_code == 0, example


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("adaptive-avgpool", "there is no operator 'adaptive-avgpool'; did you mean 'adaptive-avg'?"),
        ("ConvTranspose2d", "there is no operator 'ConvTranspose2d'; did you mean 'conv-transpose'?"),
        ("gru", "there is no operator 'gru'; there are adaptive-avg, adaptive-max, avgpool, batch-norm, conv, "),
    ],
)
def test_an_unknown_operator_is_told_what_there_is(name: str, message: str) -> None:
    result = run("derive", name, "--kernel", "2")
    assert result.exit_code == 2
    assert message in result.output


def test_every_operator_is_said_in_a_whole_phrase() -> None:
    listed = run("derive", "--help").output.split("Commands:\n")[1]
    assert "..." not in listed
    assert "  avgpool         The average of every window.\n" in listed


def test_help_is_quick_and_imports_nothing_heavy() -> None:
    program = (
        "import sys\nfrom symconv.cli.application import commands\n"
        "try: commands(['--help'])\nexcept SystemExit: pass\n"
        "print([name for name in ('sympy', 'numpy', 'z3', 'jinja2', 'rich', 'lark') if name in sys.modules])"
    )
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
        best = min(best, time.perf_counter() - start)
    assert done.stdout.endswith("[]\n")
    assert best < 0.6  # 0.2 s on an idle machine; tests share theirs


def test_version_and_usage_errors() -> None:
    assert run("--version").output.startswith("symconv ")
    for arguments in (["nosuch"], ["report", "--nope"], ["derive", "conv"], ["derive", "maxpool", "--flip"]):
        assert run(*arguments).exit_code == 2


# --- report -----------------------------------------------------------------------------------------------------------


def test_the_packaged_example_is_written_and_summed_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("report")
    assert result.exit_code == 0
    assert names(tmp_path) == ["reports/dsga1008-hw2.html", "reports/dsga1008-hw2.tex"]
    lines = result.output.splitlines()
    assert lines[:2] == ["wrote reports/dsga1008-hw2.tex", "wrote reports/dsga1008-hw2.html"]
    counts = {line.split(maxsplit=1)[1]: int(line.split()[0]) for line in lines[3:]}
    assert len(counts) == 4
    assert counts["proved for all symbolic sizes"] >= 20
    assert counts["refuted"] >= 1  # the printed matrix of the exercise is the other reading
    assert counts["undecided"] == 0


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    for seed in ("1", "2"):
        assert process("report", "--fragment", "-o", tmp_path / seed, PYTHONHASHSEED=seed).returncode == 0
    first, second = tmp_path / "1", tmp_path / "2"
    assert len(names(first)) == 3
    for name in names(first):
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_a_fragment_has_a_body_and_no_preamble(tmp_path: Path, small: Path) -> None:
    assert run("report", small, "-o", tmp_path / "out", "--fragment", "--no-html", "--no-tex").exit_code == 0
    assert names(tmp_path / "out") == ["small.fragment.tex"]
    text = (tmp_path / "out" / "small.fragment.tex").read_text(encoding="utf-8")
    assert r"\documentclass" not in text
    assert r"\begin{document}" not in text
    assert "A small one" in text


def test_files_can_be_left_out_but_not_all(tmp_path: Path, small: Path) -> None:
    assert run("report", small, "-o", tmp_path / "a", "--no-tex").exit_code == 0
    assert names(tmp_path / "a") == ["small.html"]
    result = run("report", small, "-o", tmp_path / "b", "--no-tex", "--no-html")
    assert result.exit_code == 2
    assert "nothing to write" in result.output


@pytest.mark.skipif(find_pdflatex() is None, reason="pdflatex is not installed")
def test_a_pdf_is_written(tmp_path: Path, small: Path) -> None:
    assert run("report", small, "-o", tmp_path / "out", "--pdf", "--no-tex", "--no-html").exit_code == 0
    assert (tmp_path / "out" / "small.pdf").read_bytes().startswith(b"%PDF")
    assert names(tmp_path / "out") == ["small.pdf"]


def test_a_pdf_without_pdflatex_says_what_to_install(
    tmp_path: Path, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run("report", small, "-o", tmp_path / "out", "--pdf")
    assert result.exit_code == 2
    assert "install TeX Live" in result.output
    assert not (tmp_path / "out").exists()


HOSTILE = r"\input{/etc/passwd} 100% _#~^"


@pytest.mark.skipif(find_pdflatex() is None, reason="pdflatex is not installed")
def test_a_hostile_title_is_printed_as_typed(tmp_path: Path, small: Path) -> None:
    small.write_text(SMALL.replace('"A small one"', f"'{HOSTILE}'"), encoding="utf-8")
    assert run("report", small, "-o", tmp_path / "out", "--pdf").exit_code == 0
    assert HOSTILE in (tmp_path / "out" / "small.html").read_text(encoding="utf-8")
    assert r"\input{/etc" not in (tmp_path / "out" / "small.tex").read_text(encoding="utf-8")


def test_a_title_that_pdflatex_cannot_set_is_refused_and_html_alone_takes_it(tmp_path: Path, small: Path) -> None:
    small.write_text(SMALL.replace("A small one", "卷积"), encoding="utf-8")
    result = run("report", small, "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert result.output.startswith("Error: title must use characters that pdflatex can set")
    assert not (tmp_path / "out").exists()
    assert run("report", small, "-o", tmp_path / "out", "--no-tex").exit_code == 0
    assert "卷积" in (tmp_path / "out" / "small.html").read_text(encoding="utf-8")


# --- nothing half-written ---------------------------------------------------------------------------------------------


def test_where_one_file_cannot_be_written_none_is(tmp_path: Path, small: Path) -> None:
    (tmp_path / "out" / "small.html").mkdir(parents=True)
    (tmp_path / "out" / "small.tex").write_text("old", encoding="utf-8")
    result = run("report", small, "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "it is a directory" in result.output
    assert names(tmp_path / "out") == ["small.tex"]
    assert (tmp_path / "out" / "small.tex").read_text(encoding="utf-8") == "old"


def test_an_output_directory_that_cannot_be_one(tmp_path: Path, small: Path) -> None:
    (tmp_path / "file").write_text("kept", encoding="utf-8")
    for folder in ("file", "file/deeper"):
        result = run("report", small, "-o", tmp_path / folder)
        assert result.exit_code == 2
        assert result.output.startswith(f"Error: cannot write to {tmp_path / folder}: ")
    assert names(tmp_path) == ["file", "small.toml"]
    assert (tmp_path / "file").read_text(encoding="utf-8") == "kept"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_directory(tmp_path: Path, small: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    result = run("report", small, "-o", locked)
    assert result.exit_code == 2
    assert "Permission denied" in result.output


def test_the_problem_file_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "mine.tex"
    path.write_text(SMALL, encoding="utf-8")
    result = run("report", path, "-o", tmp_path)
    assert result.exit_code == 2
    assert "it is the problem file" in result.output
    assert names(tmp_path) == ["mine.tex"]
    assert path.read_text(encoding="utf-8") == SMALL


def test_a_disk_that_fills_up_leaves_the_old_report(
    tmp_path: Path, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("report", small, "-o", tmp_path / "out").exit_code == 0
    before = {name: (tmp_path / "out" / name).read_bytes() for name in names(tmp_path / "out")}
    small.write_text(SMALL.replace("A small one", "Another one"), encoding="utf-8")
    opened = os.fdopen
    calls: list[int] = []

    def full(handle: int, mode: str) -> object:
        calls.append(handle)
        if len(calls) == 2:
            os.close(handle)
            raise OSError(28, "No space left on device")
        return opened(handle, mode)

    monkeypatch.setattr(os, "fdopen", full)
    result = run("report", small, "-o", tmp_path / "out")
    monkeypatch.undo()
    assert result.exit_code == 2
    assert "No space left on device" in result.output
    assert {name: (tmp_path / "out" / name).read_bytes() for name in names(tmp_path / "out")} == before


# --- bad input --------------------------------------------------------------------------------------------------------

BAD = {
    "an unknown key": ("index_base = 1", 'colour = "red"', r"unknown key 'colour'"),
    "a misspelt key": ("kernel_size", "kernal_size", r"did you mean 'kernel_size'?"),
    "ragged data": ("[1, 2, 3, 4]", "[[1, 2], [3]]", r"is ragged"),
    "data of a wrong shape": ("[1, 2, 3, 4]", "[1, 2, 3]", r"A has shape 3, and operator 'conv' takes 4"),
    "a string for a number": ("[1, 2, 3, 4]", '[1, 2, 3, "four"]', r"must be a number, got the string 'four'"),
    "a string for a size": ("kernel_size = [2]", 'kernel_size = "2"', r"must be an integer, or a list of one integer"),
    "stride 0": ("kernel_size = [2]", "kernel_size = [2]\nstride = 0", r"stride must be >= 1, got 0"),
    "a kernel that is too large": ("kernel_size = [2]", "kernel_size = [5]", r"(5 > 4 + 0 + 0)"),
    "no TOML": ("[data]", "[data", r"is not valid TOML"),
    "an integer of thousands of digits": ("[1, 2, 3, 4]", f"[{'1' * 5000}]", r"is not valid TOML"),
    "a nest of brackets": ("[1, 2, 3, 4]", "[" * 3000 + "]" * 3000, r"is nested too deeply"),
    "a deep array": ("[1, 2, 3, 4]", "[" * 40 + "1" + "]" * 40, r"must be nested at most 6 deep"),
    "sizes that explode": ("input_size = [4]", "input_size = [99999999]", r"a report goes through at most"),
    "a control character": ('"A small one"', r'"A \u001b[31m"', r"has the control character U+001B"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_problem_file_is_one_message(case: str, tmp_path: Path, small: Path) -> None:
    old, new, message = BAD[case]
    assert SMALL.count(old) == 1
    small.write_text(SMALL.replace(old, new), encoding="utf-8")
    result = run("report", small, "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert result.output.startswith("Error: small.toml: ")
    assert result.output.count("\n") == 1
    assert message in result.output
    assert names(tmp_path) == ["small.toml"]


def test_a_missing_file_a_directory_and_bytes_that_are_no_text(tmp_path: Path) -> None:
    result = run("report", tmp_path / "none.toml")
    assert (result.exit_code, "does not exist" in result.output, "symconv init" in result.output) == (2, True, True)
    result = run("report", tmp_path)
    assert (result.exit_code, "cannot be read" in result.output) == (2, True)
    (tmp_path / "bytes.toml").write_bytes(b"title = '\xff'")
    result = run("report", tmp_path / "bytes.toml")
    assert (result.exit_code, "is not UTF-8 text (byte 9)" in result.output) == (2, True)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
def test_a_file_without_end_is_not_read_to_the_end() -> None:
    result = run("report", "/dev/zero")
    assert (result.exit_code, "at most 1,000,000 bytes" in result.output) == (2, True)


def test_control_characters_of_a_file_name_do_not_reach_the_terminal(tmp_path: Path) -> None:
    result = run("report", tmp_path / "a\x1b[2Jb.toml")
    assert result.exit_code == 2
    assert "\x1b" not in result.output
    assert r"a\x1b[2Jb.toml" in result.output


def test_an_error_is_a_message_on_stderr_without_a_traceback() -> None:
    done = process("derive", "conv", "--kernel", "3x3", "--stride", "0")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "Error: stride must be >= 1, got 0\n")


def test_an_output_that_takes_no_unicode_is_said() -> None:
    done = process("derive", "conv", "--kernel", "3", PYTHONUTF8="0", PYTHONIOENCODING="latin-1")
    assert done.returncode == 2
    assert done.stderr.startswith("Error: the output must take Unicode, and its encoding is latin-1")


@pytest.mark.skipif(os.name != "posix", reason="pipes are broken in another way elsewhere")
def test_a_reader_that_goes_away_is_quiet() -> None:
    read, write = os.pipe()
    os.close(read)
    program = [sys.executable, "-m", "symconv", "derive", "conv", "--kernel", "3"]
    done = subprocess.run(program, cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


# --- init -------------------------------------------------------------------------------------------------------------


def test_the_file_of_init_can_be_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("init")
    assert (result.exit_code, result.output) == (0, "wrote problem.toml\nnext: symconv report problem.toml\n")
    assert (tmp_path / "problem.toml").read_text(encoding="utf-8") == starter()
    result = run("report", "problem.toml")
    assert result.exit_code == 0
    assert names(tmp_path) == ["problem.toml", "reports/problem.html", "reports/problem.tex"]
    assert "    0  refuted" in result.output
    assert "    0  undecided" in result.output
    result = run("check", "problem.toml")
    assert result.exit_code == 0
    words = [line.split()[:3] for line in result.output.splitlines() if line.startswith("c")]
    assert words == [
        ["c1", "literal", "exact"],
        ["c2", "literal", "exact"],
        ["c2", "general", "proved"],
        ["c3", "general", "proved"],
        ["c4", "general", "proved"],
        ["c5", "literal", "exact"],
    ]


def test_init_replaces_a_file_only_by_force(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("mine", encoding="utf-8")
    result = run("init", path)
    assert result.exit_code == 2
    assert "it is there already" in result.output
    assert path.read_text(encoding="utf-8") == "mine"
    assert run("init", path, "--force").exit_code == 0
    assert path.read_text(encoding="utf-8") == starter()
    assert run("init", tmp_path, "--force").exit_code == 2
    assert run("init", tmp_path / "nowhere" / "a.toml").exit_code == 2


# --- derive -----------------------------------------------------------------------------------------------------------


def derived(*arguments: str) -> str:
    """The text of a derivation."""
    result = run("derive", *arguments)
    assert result.exit_code == 0, result.output
    return result.output


def test_sizes_are_symbolic_unless_given() -> None:
    assert "[proved: for all I₁, I₂]" in derived("conv", "--kernel", "3x3")
    text = derived("conv", "--kernel", "3x3", "--input", "5x5")
    assert "proved" not in text
    assert "[exact: " in text
    assert "K₁" in derived("conv", "--kernel", "3x3", "--symbolic")
    assert run("derive", "conv", "--kernel", "3x3", "--symbolic", "--input", "5x5").exit_code == 2


def test_every_way_to_write_sizes() -> None:
    first = derived("conv", "--kernel", "3", "--input", "7x6", "--stride", "2x1", "--padding", "1:0,0:2")
    second = derived("conv", "--kernel", "3×3", "--input", "7,6", "--stride", "2,1", "--padding", "1:0x0:2")
    assert first == second
    assert "a[2p+m−3, q+n−1]" in first  # 1-based: 2(p-1) + (m-1) - 1 + 1 and (q-1) + (n-1) + 1
    assert derived("conv", "--kernel", "3", "--padding", "1") == derived("conv", "--kernel", "3", "--padding", "1:1")
    assert "3p+2m−4" in derived("avgpool", "--kernel", "3", "--dilation", "2").replace(" ", "")


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--input", "5y5", "must be a shape such as 5x5"),
        ("--input", "5x-5", "must be a shape such as 5x5"),
        ("--input", "x".join("1" * 7), "must have at most 6 axes"),
        ("--stride", "2x", "must be an integer, or one an axis"),
        ("--padding", "1:2:3", "or before:after such as 1:0,0:2"),
        ("--padding", "smae", "did you mean 'same'?"),
        ("--names", "input", "must be pairs such as input=x"),
        ("--names", "input=x,input=y", "must give 'input' one letter"),
        ("--names", "inpt=x", "did you mean 'input'?"),
        ("--input", "99x99", "takes at most 4,096 entries, got 9,801"),
        ("--input", "1x5", "needs an effective size of at most the padded input"),
    ],
)
def test_a_bad_option_is_named(option: str, value: str, message: str) -> None:
    result = run("derive", "conv", "--kernel", "3x3", option, value)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_letters_index_base_and_latex() -> None:
    text = derived("conv", "--kernel", "3", "--names", "input=x,weight=w,output=y,input_index=k", "--index-base", "0")
    assert "y[p] = ∑(m = 0 … 2) x[p+m]·w[m]" in text
    latex = derived("conv", "--kernel", "3", "--format", "latex")
    assert latex.startswith("For $I \\geq 3$.\n\n(D1) $C = A \\star B$: $c_{p} = ")  # nothing is left out
    assert "\\[\n\\begin{aligned}\n\\frac{\\partial c_{p}}{\\partial a_{i}} &= " in latex
    assert "(1), (2), (3) proved for all $I$." in latex
    assert "(needs $E$ differentiable in the outputs)" in latex


def test_what_belongs_to_one_operator() -> None:
    assert "∂E/∂d" in derived("conv", "--kernel", "3", "--wrt", "bias")
    assert "h" in derived("conv", "--kernel", "3", "--in-channels", "2", "--what", "output")
    ones = derived("conv", "--kernel", "3", "--input", "5", "--all-ones")
    assert len(ones) > len(derived("conv", "--kernel", "3", "--input", "5"))
    assert run("derive", "conv", "--kernel", "3", "--all-ones", "--wrt", "weight").exit_code == 2
    assert run("derive", "conv", "--kernel", "3", "--what", "output", "--wrt", "weight").exit_code == 2
    assert derived("maxpool", "--kernel", "2", "--ties", "split") != derived("maxpool", "--kernel", "2")
    assert "|a[i]|^(1/2)" in derived("lppool", "--kernel", "2", "--norm", "3/2", "--what", "derivative")
    assert "1/5" in derived("avgpool", "--kernel", "2", "--divisor", "5", "--what", "output")
    for norm in ("0.5", "zz", "-1", "nan"):
        assert run("derive", "lppool", "--kernel", "2", "--norm", norm).exit_code == 2


# --- progress ---------------------------------------------------------------------------------------------------------

SLOW = """
import sys, time
from symconv.cli.activity import Activity
with Activity("working [hard]") as activity:
    time.sleep(1)
    activity.say("nearly done")
    time.sleep(0.3)
print("done")
"""


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_progress_is_shown_on_a_terminal_alone() -> None:
    import pty

    done = subprocess.run([sys.executable, "-c", SLOW], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("done\n", "")
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", SLOW],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm"},
        text=True,
        check=True,
    )
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert done.stdout == "done\n"
    assert "working [hard]" in shown
    assert "nearly done" in shown


# --- the public names -------------------------------------------------------------------------------------------------


def test_every_public_name_is_there_and_is_what_a_type_checker_sees() -> None:
    import ast

    import symconv

    assert sorted(symconv.__all__) == list(symconv.__all__)
    for name in symconv.__all__:
        assert getattr(symconv, name) is not None
        assert name in dir(symconv)
    tree = ast.parse(Path(symconv.__file__).read_text(encoding="utf-8"))
    block = next(n for n in tree.body if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING")
    typed = {a.name: f"{n.module}" for n in block.body if isinstance(n, ast.ImportFrom) for a in n.names}
    assert typed == symconv._MODULE
    assert set(symconv.__all__) == {*typed, "__version__"}
    with pytest.raises(AttributeError, match=r"^module 'symconv' has no attribute 'Cnov'$"):
        symconv.Cnov  # noqa: B018


def test_a_public_name_loads_only_what_it_needs() -> None:
    program = (
        "import json, sys, symconv\nsymconv.SymconvError\n"
        "print(json.dumps([name for name in ('sympy', 'numpy', 'z3', 'click') if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []

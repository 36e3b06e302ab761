"""What the system does to a command: full disks, closed streams, odd paths, signals. One message, nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "symconv"]
posix = pytest.mark.skipif(os.name != "posix", reason="signals, pipes and devices of POSIX")


def run(*arguments: str, folder: Path, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], cwd=folder, capture_output="stdout" not in options, text=True, timeout=120, **options
    )  # type: ignore[call-overload]


@posix
def test_a_full_disk_behind_the_output_is_said(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        ended = run("shape", "--input", "5", "--kernel", "3", folder=tmp_path, stdout=full, stderr=subprocess.PIPE)
    assert (ended.returncode, ended.stderr) == (2, "Error: cannot read or write the output: No space left on device\n")


@posix
@pytest.mark.parametrize(("kernel", "status"), [("3", 0), ("30", 2)])
def test_a_closed_stderr_changes_no_status(tmp_path: Path, kernel: str, status: int) -> None:
    words = " ".join([*COMMAND, "shape", "--input", "5", "--kernel", kernel])
    ended = subprocess.run(["sh", "-c", f"{words} 2>&-"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert ended.returncode == status
    assert "Traceback" not in ended.stdout


@pytest.mark.parametrize("arguments", [("init", "x" * 300), ("report", "-o", "x" * 300), ("check", "x" * 300)])
def test_a_name_that_is_too_long_is_one_message(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ended = run(*arguments, folder=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.startswith("Error: ")
    assert ended.stderr.count("\n") == 1
    assert len(ended.stderr) < 400
    assert list(tmp_path.iterdir()) == []


@posix
def test_a_pipe_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    ended = run("init", "pipe.toml", "--force", folder=tmp_path)
    assert (ended.returncode, (tmp_path / "pipe.toml").is_fifo()) == (2, True)
    assert "pipe.toml: it is no plain file (a pipe, a socket or a device)" in ended.stderr


@posix
def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link.toml").symlink_to(tmp_path / "there" / "real.toml")
    assert run("init", "link.toml", folder=tmp_path).returncode == 0
    assert (tmp_path / "link.toml").is_symlink()
    assert (tmp_path / "there" / "real.toml").read_text().startswith("#")


@posix
def test_a_link_to_itself_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    ended = run("init", "loop", "--force", folder=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.startswith("Error: cannot write loop")


LAYER = '\n[operators.conv]\nkind = "Conv"\ninput_size = [5]\nkernel_size = [3]\n'


@pytest.mark.parametrize("key", ["names", "data.A", "title"])
def test_a_key_of_a_thousand_parts_is_one_message(tmp_path: Path, key: str) -> None:
    (tmp_path / "deep.toml").write_text(f"{key}.{'.'.join('a' * 1000)} = 1\n{LAYER}")
    ended = run("check", "deep.toml", folder=tmp_path)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ('names = { kernel = "w" }', "got 'kernel'; did you mean 'weight'?"),
        ("data = { A = [1, -1/2] }", 'a fraction stands in quotes: "-1/2"'),
        ("data.A = 1 / 3", 'a fraction stands in quotes: "1 / 3"'),
    ],
)
def test_advice_leads_to_what_was_meant(tmp_path: Path, line: str, advice: str) -> None:
    (tmp_path / "p.toml").write_text(
        f'title = "x"\n{line}\n{LAYER}\n[[claims]]\noperator = "conv"\ntext = "size == 3"\n'
    )
    ended = run("check", "p.toml", folder=tmp_path)
    assert ended.returncode == 2
    assert advice in ended.stderr


def test_advice_on_toml_is_silent_about_quoted_fractions(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text('data = { A = ["-1/2", }\n')
    ended = run("check", "p.toml", folder=tmp_path)
    assert "is not valid TOML" in ended.stderr
    assert "in quotes" not in ended.stderr


def heard() -> None:
    """A shell that runs the tests in the background has them ignore interrupts; the command that is tried does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


# What runs under a signal: proofs by the solver, which are where interrupts were lost.
@posix
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_command_in_the_middle_of_its_proofs(tmp_path: Path, number: int, status: int) -> None:
    process = subprocess.Popen(
        [*COMMAND, "theorems"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heard,
    )
    time.sleep(1.5)
    process.send_signal(number)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == status
    assert "Traceback" not in said


INTERRUPTED = "Interrupted; nothing was left half-written.\n"

# In the middle of a command, in the reading of its options, and twice: while the first one ends it.
PLACES = {
    "callback": """application.commands.commands["theorems"].callback = lambda **options: send()""",
    "options": """application.commands.make_context = lambda *given, **options: send()""",
    "twice": """
def twice(**options):
    threading.Timer(0.3, send).start()
    try:
        send()
    finally:
        sys.stderr = Slow()
class Slow:
    def write(self, text):
        sys.__stderr__.write(text)
        time.sleep(0.6)
    def flush(self):
        sys.__stderr__.flush()
application.commands.commands["theorems"].callback = twice
""",
}


@posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("place", PLACES)
def test_a_signal_ends_a_command_wherever_it_comes(tmp_path: Path, place: str, name: str) -> None:
    program = f"""
import os, signal, sys, threading, time
from symconv.cli import application, main
def send():
    os.kill(os.getpid(), signal.{name})
    time.sleep(0.01)
{PLACES[place]}
main()
"""
    command = [sys.executable, "-c", program, "theorems"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, preexec_fn=heard)
    due = (130, INTERRUPTED) if name == "SIGINT" else (143, "")
    assert (ended.returncode, ended.stderr) == due


LOST = """
import os, signal, time
from symconv.cli import application, main
class Lost:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)
def lose(**options):
    Lost()
    time.sleep(5)
    print("did not come through")
application.commands.commands["theorems"].callback = lose
main()
"""


@posix
def test_an_interrupt_that_was_lost_while_an_object_went_away_is_sent_again(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LOST, "theorems"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, preexec_fn=heard)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", INTERRUPTED)


HALF_MADE = """
import signal
from symconv.cli import application, main
class HalfMade:
    def __init__(self):
        signal.raise_signal(NUMBER)
        self.owner = True
    def __del__(self):
        print(self.owner)
application.commands.commands["theorems"].callback = lambda **options: HalfMade()
main()
"""


@posix
@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_an_object_that_a_signal_left_half_made_goes_in_silence(tmp_path: Path, name: str, status: int) -> None:
    program = HALF_MADE.replace("NUMBER", f"signal.{name}")
    command = [sys.executable, "-c", program, "theorems"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, preexec_fn=heard)
    assert ended.returncode == status
    assert "Traceback" not in ended.stderr


@posix
def test_sigterm_takes_a_running_pdflatex_and_its_directory_along(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "pdflatex"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    program.chmod(0o755)
    (tmp_path / "scratch").mkdir()
    (tmp_path / "p.toml").write_text(
        f'title = "x"\n{LAYER}\n[[questions]]\nid = "1"\ntitle = "t"\nask = "size"\noperator = "conv"\n'
    )
    environment = os.environ | {"PATH": f"{program.parent}:{os.environ['PATH']}", "TMPDIR": str(tmp_path / "scratch")}
    process = subprocess.Popen([*COMMAND, "report", "p.toml", "--pdf"], cwd=tmp_path, env=environment)
    deadline = time.monotonic() + 60
    while not (tmp_path / "pid").is_file() or not (tmp_path / "pid").read_text().strip():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    assert list((tmp_path / "scratch").iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    assert not (tmp_path / "reports").exists()


def test_search_paths_of_tex_that_a_user_has_set_are_not_handed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from symconv.report.pdf import to_pdf

    program = tmp_path / "pdflatex"
    program.write_text("#!/bin/sh\nenv > env.txt\ncp env.txt report.pdf\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for name in ("TEXINPUTS", "TEXINPUTS_pdflatex", "TEXMFHOME", "T1FONTS", "BIBINPUTS"):
        monkeypatch.setenv(name, "/nowhere")
    given = to_pdf("x").decode()
    assert "/nowhere" not in given
    assert "openin_any=p" in given

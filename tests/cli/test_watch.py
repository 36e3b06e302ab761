"""`symconv report --watch`: the page that is served follows the file, for this machine and who knows the address."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from symconv.cli.application import commands
from symconv.cli.watching import LivePage, watch
from symconv.errors import ProblemFileError

PAGE = (
    "<html><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'sha256-abc='\">"
    '<body><main><h2 id="q-2d-2">Two</h2></main></body></html>'
)


def fetch(address: str, host: str = "") -> tuple[int, str]:
    request = urllib.request.Request(address, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.fixture
def page() -> Iterator[LivePage]:
    page = LivePage("homework.toml")
    yield page
    page.close()


def test_the_page_is_for_this_machine_and_for_who_knows_the_address(page: LivePage) -> None:
    page.show(PAGE)
    assert page.address.startswith("http://127.0.0.1:")
    assert len(page.address.split("/")[3]) >= 20
    status, body = fetch(page.address)
    assert status == 200
    assert '<h2 id="q-2d-2">Two</h2>' in body
    root = page.address.rsplit("/", 2)[0]
    assert fetch(f"{root}/") == (404, "there is nothing here")
    assert fetch(f"{root}/wrong-token/")[0] == 404
    assert fetch(f"{page.address}../../etc/passwd")[0] == 404
    assert fetch(page.address, "evil.example:80")[0] == 403
    with pytest.raises(urllib.error.URLError):
        fetch(page.address.replace("127.0.0.1", "127.0.0.2"))


def test_the_policy_of_the_page_lets_its_own_script_alone_run(page: LivePage) -> None:
    page.show(PAGE)
    body = fetch(page.address)[1]
    policy = body[body.index("script-src") : body.index('">', body.index("script-src"))]
    assert policy.startswith("script-src 'sha256-abc=' 'sha256-")
    assert policy.endswith("connect-src 'self'")
    assert "unsafe-inline" not in policy


def test_news_come_at_once_and_an_error_says_at_which_question(page: LivePage) -> None:
    page.show(PAGE)
    page.fail('homework.toml: questions[1] ("2"): printed: has </script> 3 rows')
    state = json.loads(fetch(f"{page.address}after/1")[1])
    assert state == {"version": 2, "error": state["error"], "place": "q-2d-2"}
    body = fetch(page.address)[1]
    assert "\\u003c/script>" in body
    assert "has </script> 3" not in body
    waiting: list[str] = []
    thread = threading.Thread(target=lambda: waiting.append(fetch(f"{page.address}after/2")[1]))
    thread.start()
    time.sleep(0.2)
    assert not waiting
    page.show(PAGE)
    thread.join(10)
    assert json.loads(waiting[0]) == {"version": 3, "error": "", "place": ""}


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(300):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen within 15 seconds")


def test_every_save_builds_again_and_an_unchanged_one_does_not(tmp_path: Path) -> None:
    pytest.importorskip("watchfiles", reason="watchfiles is not installed: pip install .[test]")
    source = tmp_path / "homework.toml"
    source.write_text("one")
    said: list[str] = []
    built: list[str] = []
    stop = threading.Event()

    def build() -> str:
        built.append(source.read_text())
        if built[-1] == "bad":
            raise ProblemFileError('homework.toml: questions[0] ("1"): is bad')
        return PAGE

    thread = threading.Thread(target=watch, args=(source, build, said.append), kwargs={"stop": stop})
    thread.start()
    try:
        wait_for(lambda: built == ["one"] and len(said) == 2)
        address = said[0].split()[-1]
        source.write_text("bad")
        wait_for(lambda: any("is bad" in line for line in said))
        assert json.loads(fetch(f"{address}after/1")[1])["place"] == "q-2d-1"
        other = tmp_path / "new"  # as editors save: a new file takes the place of the old one
        other.write_text("two")
        other.replace(source)
        wait_for(lambda: built[-1] == "two" and "built" in said[-1])
        count = len(built)
        source.write_text("two")
        time.sleep(0.8)
        assert len(built) == count
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()


def test_without_a_file_or_a_page_there_is_nothing_to_watch(tmp_path: Path) -> None:
    for arguments in (["report", "--watch"], ["report", str(tmp_path / "none.toml"), "--watch"]):
        result = CliRunner().invoke(commands, arguments)
        assert result.exit_code == 2
        assert "--watch needs" in result.output

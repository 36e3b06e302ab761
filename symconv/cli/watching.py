"""``symconv report --watch``: the page that is open in a browser follows the file.

The server listens on this machine alone and gives the page to who knows its address, which holds a token: other pages
in the same browser, and other users of the machine, do not. A name that leads to 127.0.0.1 from outside is refused too.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import threading
from collections.abc import Callable
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from symconv.errors import SymconvError

__all__ = ["LivePage", "watch"]

_WAIT = 20.0  # seconds that a browser is left waiting for news
_QUESTION = re.compile(r"(?:question|solution) '([^']+)'|(?:questions|solutions)\[\d+\] \(\"([^\"]+)\"\)")
_POLICY = re.compile(r"script-src ('sha256-[A-Za-z0-9+/=]+')")
_SCRIPT = """
(async () => {
  "use strict";
  let state = STATE;
  const show = () => {
    document.getElementById("live-error")?.remove();
    if (!state.error) return;
    const box = document.createElement("div");
    box.id = "live-error";
    box.setAttribute("role", "alert");
    box.style.cssText = "grid-column:1/-1;margin:14px 0;padding:12px 18px;border-left:4px solid #a3142b;" +
      "background:#faf3f4;color:#1a1d21;white-space:pre-wrap;overflow-wrap:anywhere";
    box.textContent = state.error;
    const place = state.place && document.getElementById(state.place);
    if (place) place.after(box); else document.querySelector("main").prepend(box);
    box.scrollIntoView({ block: "nearest" });
  };
  show();
  for (;;) {
    try {
      const answer = await fetch(`after/${state.version}`);
      if (!answer.ok) return;
      const next = await answer.json();
      if (next.version === state.version) continue;
      if (!next.error) { location.reload(); return; }
      state = next;
      show();
    } catch { await new Promise((done) => setTimeout(done, 1000)); }
  }
})();
"""
_EMPTY = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-'">
<title>NAME</title></head><body style="font:17px/1.5 serif"><main style="max-width:60em;margin:2em auto">
<h1>NAME</h1></main></body></html>"""


class LivePage:
    """A page as it is served: the last one that could be made, and what is wrong with the file since.

    Attributes:
        address: where a browser finds it.
    """

    def __init__(self, name: str, port: int = 0) -> None:
        self._html = _EMPTY.replace("NAME", escape(name))
        self._state: dict[str, Any] = {"version": 0, "error": "", "place": ""}
        self._news = threading.Condition()
        self._token = secrets.token_urlsafe(16)
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}/{self._token}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def show(self, html: str) -> None:
        """A new page."""
        with self._news:
            self._html = html
            self._change("", "")

    def fail(self, message: str) -> None:
        """What is wrong with the file; it is shown at the question that it names, or at the top."""
        found = _QUESTION.search(message)
        from symconv.report.escape import anchor

        with self._news:
            self._change(message, anchor(f"q-{found[1] or found[2]}") if found else "")

    def _change(self, error: str, place: str) -> None:
        self._state = {"version": self._state["version"] + 1, "error": error, "place": place}
        self._news.notify_all()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, host: str) -> tuple[int, str, str]:
        """Status, type and body of an answer to a request."""
        if host.rpartition(":")[0] not in ("127.0.0.1", "localhost"):
            return 403, "text/plain", "this page is for this machine alone"
        token, _, rest = path.removeprefix("/").partition("/")
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            return 404, "text/plain", "there is nothing here"
        if rest == "":
            with self._news:
                return 200, "text/html", _with_script(self._html, self._state)
        seen = re.fullmatch(r"after/([0-9]{1,9})", rest)
        if seen is None:
            return 404, "text/plain", "there is nothing here"
        with self._news:
            self._news.wait_for(lambda: self._state["version"] != int(seen[1]), timeout=_WAIT)
            return 200, "application/json", json.dumps(self._state)


def _with_script(html: str, state: dict[str, Any]) -> str:
    """The page with the script that follows the file, which its security policy lets run and ask this server."""
    script = _SCRIPT.replace("STATE", json.dumps(state).replace("<", "\\u003c"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    allowed = _POLICY.sub(rf"script-src \1 'sha256-{digest}'; connect-src 'self'", html, count=1)
    allowed = allowed.replace("script-src 'sha256-'", f"script-src 'sha256-{digest}'; connect-src 'self'", 1)
    start, end, rest = allowed.rpartition("</body>")
    return f"{start}<script>{script}</script>{end}{rest}"


def _handler(page: LivePage) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = page.answer(self.path, self.headers.get("Host", ""))
            content = body.encode()
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("Referrer-Policy", "no-referrer")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing: a terminal is for what happens to the file."""

    return Handler


def watch(
    source: Path,
    build: Callable[[], str],
    say: Callable[[str], None],
    *,
    stop: threading.Event | None = None,
    port: int = 0,
) -> None:
    """Build a page now and after every change of a file, until the program is interrupted.

    Args:
        source: the file.
        build: makes the page, and writes what is to be written; raises a `SymconvError` for what is wrong in the file.
        say: told what happens, in a line.
        stop: ends it when it is set.
        port: of the server; a free one unless given.
    """
    from time import perf_counter

    from watchfiles import watch as changes

    page = LivePage(source.name, port)
    say(f"watching {source.name}; open {page.address}")
    last: bytes | None = None
    folder = source.resolve().parent
    try:
        # The first turn comes at once: nothing that happens while the first page is made is missed.
        for _ in changes(
            folder,
            watch_filter=lambda _, path: Path(path).name == source.name,
            debounce=100,
            step=20,
            rust_timeout=200,
            yield_on_timeout=True,
            stop_event=stop,
            recursive=False,
            raise_interrupt=False,
        ):
            content = _content(source)
            if content == last:
                continue
            last = content
            start = perf_counter()
            try:
                page.show(build())
                say(f"built in {perf_counter() - start:.2f} s")
            except SymconvError as error:
                page.fail(str(error))
                say(f"Error: {error}")
    finally:
        page.close()


def _content(source: Path) -> bytes:
    """What the file holds; nothing while an editor replaces it."""
    try:
        return source.read_bytes()
    except OSError:
        return b""

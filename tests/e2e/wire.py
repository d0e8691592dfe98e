"""The wire between a worker and the outside: what went over it, and what happens on it when a test says so.

A proxy on loopback before the sandbox's AWS, or its status page. It passes every request on as it came, and every
answer, unless a test says otherwise. Operations are named as `tests.e2e.operations` says.
"""

import http
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

from tests.e2e.operations import key_of, operation_of

When = Literal["before", "after"]

_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length"}
_UPSTREAM_SECONDS = 30


@dataclass(frozen=True)
class Call:
    """One request that was passed on, the HTTP status that came back, and the access key that signed it."""

    operation: str
    status: int
    key: str | None


@dataclass
class Trap:
    """Does something once, at an operation's first request; if `since` is given, after one of that went well.

    `operation` is its name or a glob; where `about` is given, the request holds it.
    `start` is how many calls had been made when the trap was laid.
    """

    operation: str
    when: When
    do: Callable[[], object]
    since: str | None
    about: str
    cut: bool
    start: int
    sprung: bool = False


class Wire(ThreadingHTTPServer):
    """Listens at `url` and passes on to `upstream`. `calls` holds what was passed on, oldest first.

    `alter` is given every operation and the content of its answer, and gives the content that the worker gets.
    """

    daemon_threads = True
    request_queue_size = 128  # a worker opens dozens of connections at once

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = urlsplit(upstream).netloc
        self.calls: list[Call] = []
        self.traps: list[Trap] = []
        self.denied: dict[str, tuple[str, str]] = {}
        self.dead: set[str] = set()
        self.deaf: set[str] = set()
        self.ahead: dict[str, timedelta] = {}
        self.alter: Callable[[str, bytes], bytes] = lambda _operation, content: content
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def count(self, operation: str, start: int = 0) -> int:
        """How many requests of an operation went well, from the `start`-th call on."""
        return sum(one.operation == operation and one.status < 400 for one in self.calls[start:])

    def trap(
        self,
        operation: str,
        when: When,
        do: Callable[[], object],
        *,
        since: str | None = None,
        about: str = "",
        cut: bool = False,
    ) -> None:
        """Do something before the next such request is passed on, or before the good answer to one is.

        `cut` ends it there: what was not passed on by then never is.
        """
        self.traps.append(Trap(operation, when, do, since, about, cut, len(self.calls)))

    @contextmanager
    def denying(self, prefix: str, code: str, message: str = "Not for you") -> Iterator[None]:
        """Answer every operation whose name begins so with an error of AWS's JSON protocol, and pass none on."""
        self.denied[prefix] = code, message
        try:
            yield
        finally:
            del self.denied[prefix]

    @contextmanager
    def down(self, prefix: str) -> Iterator[None]:
        """Hang up on every operation whose name begins so, as a service does that is not there."""
        self.dead.add(prefix)
        try:
            yield
        finally:
            self.dead.remove(prefix)

    @contextmanager
    def losing(self, prefix: str) -> Iterator[None]:
        """Pass every operation on whose name begins so, and lose its answer."""
        self.deaf.add(prefix)
        try:
            yield
        finally:
            self.deaf.remove(prefix)

    @contextmanager
    def clock(self, prefix: str, ahead: timedelta) -> Iterator[None]:
        """Let the clock of what answers such operations be so far ahead: the worker's is behind by as much."""
        self.ahead[prefix] = ahead
        try:
            yield
        finally:
            del self.ahead[prefix]

    def dated(self, operation: str, date: str) -> str:
        """The Date header that an answer to an operation gets."""
        by = next((by for prefix, by in self.ahead.items() if operation.startswith(prefix)), None)
        return date if by is None else format_datetime(parsedate_to_datetime(date) + by, usegmt=True)

    def cut(self, operation: str, when: When, body: bytes) -> bool:
        """Spring the first trap that this request is for, if there is one, and tell whether it ends here."""
        with self._lock:
            fits = (
                trap
                for trap in self.traps
                if not trap.sprung
                and trap.when == when
                and fnmatchcase(operation, trap.operation)
                and (trap.since is None or self.count(trap.since, trap.start))
                and (trap.about in operation or trap.about.encode() in body)
            )
            trap = next(fits, None)
            if trap is None:
                return False
            trap.sprung = True
        trap.do()
        return trap.cut

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a sender that was killed while it waited."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Wire

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        operation = operation_of(self, body)
        denied = next((said for prefix, said in self.server.denied.items() if operation.startswith(prefix)), None)
        if denied is not None:
            self._deny(*denied)
            return
        if operation.startswith(tuple(self.server.dead)) or self.server.cut(operation, "before", body):
            self.close_connection = True
            return
        answer, content = self._pass_on(body)
        self.server.calls.append(Call(operation, answer.status, key_of(self)))
        lost = operation.startswith(tuple(self.server.deaf))
        if lost or (answer.status < http.HTTPStatus.BAD_REQUEST and self.server.cut(operation, "after", body)):
            self.close_connection = True
            return
        content = self.server.alter(operation, content)
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, self.server.dated(operation, value) if name.lower() == "date" else value)
        length = answer.getheader("Content-Length", "0") if self.command == "HEAD" else str(len(content))
        self._end(length, content)

    def do_GET(self) -> None:
        self.do_POST()

    def do_PATCH(self) -> None:
        self.do_POST()

    def do_PUT(self) -> None:
        self.do_POST()

    def do_HEAD(self) -> None:
        self.do_POST()

    def do_DELETE(self) -> None:
        self.do_POST()

    def _pass_on(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        upstream = http.client.HTTPConnection(self.server.upstream, timeout=_UPSTREAM_SECONDS)
        try:
            upstream.request(self.command, self.path, body, dict(self.headers.items()))
            answer = upstream.getresponse()
            return answer, answer.read()
        finally:
            upstream.close()

    def _deny(self, code: str, message: str) -> None:
        self.send_response_only(400)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        content = json.dumps({"__type": code, "message": message}).encode()
        self._end(str(len(content)), content)

    def _end(self, length: str, content: bytes) -> None:
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args: object) -> None:
        """Say nothing on stderr."""


@contextmanager
def wire(upstream: str) -> Iterator[Wire]:
    with Wire(upstream) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()

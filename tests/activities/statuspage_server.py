"""A Statuspage that remembers what it was told and fails when it is told to."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class StatusPageServer(ThreadingHTTPServer):
    """Public incidents newest first; `failures` are answers (status, headers) to give first, None to answer as usual.

    `lost` answers are dropped after their effect: the connection is closed instead. `told` is what took effect.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.incidents: list[dict[str, Any]] = []
        self.received: list[tuple[str, str]] = []
        self.requests: list[tuple[str, str, Any]] = []
        self.failures: list[tuple[int, dict[str, str]] | None] = []
        self.lost = 0
        self.authorization = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def writes(self) -> list[tuple[str, Any]]:
        return [(method, body["incident"]) for method, _, body in self.requests if method != "GET"]


class _Handler(BaseHTTPRequestHandler):
    server: StatusPageServer

    def do_GET(self) -> None:
        self._take(None)

    def do_POST(self) -> None:
        self._take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    do_PATCH = do_POST  # noqa: N815 - the name that http.server looks for

    def log_message(self, *_args: object) -> None:
        """Say nothing on stderr."""

    def _take(self, body: Any) -> None:
        self.server.requests.append((self.command, self.path, body))
        self.server.authorization = self.headers["Authorization"]
        if self.server.failures and (failure := self.server.failures.pop(0)):
            status, headers = failure
            return self._answer(status, {"error": "as the test wants it"}, headers)
        answer = self._done(body)
        if body is not None and self.server.lost:
            self.server.lost -= 1
            self.connection.close()
            return None
        return self._answer(201 if self.command == "POST" else 200, answer, {})

    def _done(self, body: Any) -> Any:
        incidents = self.server.incidents
        if body is not None:
            self.server.received.append((self.command, body["incident"]["status"]))
        path, _, query = self.path.partition("?")
        if self.command == "POST":
            incidents.insert(0, _kept({"id": f"p{len(incidents)}", "created_at": "2026-11-23T03:31:00.000Z"}, body))
            return incidents[0]
        if self.command == "PATCH":
            [known] = [known for known in incidents if known["id"] == path.rpartition("/")[2]]
            return _kept(known, body)
        if path.endswith("/unresolved"):
            return [known for known in incidents if known["status"] != "resolved"]
        wanted = dict(pair.split("=") for pair in query.split("&"))
        size, number = int(wanted["limit"]), int(wanted["page"])
        return incidents[(number - 1) * size : number * size]

    def _answer(self, status: int, answer: Any, headers: dict[str, str]) -> None:
        text = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def _kept(known: dict[str, Any], body: Any) -> dict[str, Any]:
    received = dict(body["incident"])
    states = received.pop("components", {})
    known.update(received)
    if states:
        known["components"] = [{"id": name, "status": state} for name, state in states.items()]
    return known


@contextmanager
def statuspage_server() -> Iterator[StatusPageServer]:
    with StatusPageServer() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()

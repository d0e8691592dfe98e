"""An OTLP collector that keeps what it is sent."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector(ThreadingHTTPServer):
    """Spans by their id, each with the name of the service that sent it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.spans: dict[bytes, tuple[str, Any]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def path_to(self, name: str) -> list[tuple[str, str]]:
        """(service, span) from the root to a span of that name, as far as they have come in; the longest of several."""
        return max(
            (self._path(span) for _, span in list(self.spans.values()) if span.name == name), key=len, default=[]
        )

    def _path(self, span: Any) -> list[tuple[str, str]]:
        path: list[tuple[str, str]] = []
        while span is not None:
            path.insert(0, (self.spans[span.span_id][0], span.name))
            span = self.spans.get(span.parent_span_id, (None, None))[1]
        return path


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        sent = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
        for resource in sent.resource_spans:
            names = {one.key: one.value.string_value for one in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.server.spans.update({span.span_id: (names["service.name"], span) for span in scope.spans})
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Say nothing on stderr."""


@contextmanager
def collector() -> Iterator[Collector]:
    with Collector() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()

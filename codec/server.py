"""A codec server that decodes and does nothing else: for Temporal's UI, and for people without AWS credentials.

`POST /decode` takes and gives `{"payloads": [{"metadata": {…}, "data": …}]}`, as Temporal's own clients and UI do.
What is no payload of ours comes back as it was. So does all that is sent to `/encode`, which UI and clients ask before
they signal: whoever could have something encrypted as ours could have it taken for ours, and what people say is taken
in the clear.
"""

import logging
from collections.abc import Callable, Collection
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from google.protobuf.json_format import MessageToJson, Parse, ParseError
from temporalio.api.common.v1 import Payload, Payloads

_BODY_MAX = 32 * 1024 * 1024
"""More than Temporal's UI asks for at once: a page of history has 4 MB."""

_SECONDS = 30.0
_DECODE, _ENCODE = "/decode", "/encode"
_BEARER = "Bearer "
_ASKED = "authorization, content-type, x-namespace"


class CodecServer(ThreadingHTTPServer):
    """Serves at an address until it is shut down.

    `opened` decodes a payload, and may raise where KMS does not answer. `origins` are the sites whose pages may ask,
    such as the UI's. `admits` judges a bearer token; without it everybody is let in who reaches the address.
    """

    daemon_threads = True

    def __init__(
        self,
        address: tuple[str, int],
        opened: Callable[[Payload], Payload],
        origins: Collection[str],
        admits: Callable[[str], bool] | None,
    ) -> None:
        super().__init__(address, _Handler)
        self.opened, self.origins, self.admits = opened, frozenset(origins), admits


class _Handler(BaseHTTPRequestHandler):
    server: CodecServer
    timeout = _SECONDS
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "codec", ""

    def do_OPTIONS(self) -> None:
        """Tell a browser whether a page of this origin may ask."""
        origin = self.headers.get("Origin")
        self._answer(HTTPStatus.NO_CONTENT if origin in self.server.origins else HTTPStatus.FORBIDDEN)

    def do_POST(self) -> None:
        """Decode."""
        status, body = self._decoded()
        self._answer(status, body)

    def _decoded(self) -> tuple[HTTPStatus, bytes]:
        if (refused := self._refused()) is not None:
            self.close_connection = True  # what it sent was not read
            return refused, b""
        content = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            asked = Parse(content, Payloads(), max_recursion_depth=20)
        except (ParseError, UnicodeDecodeError, ValueError, RecursionError):
            return HTTPStatus.BAD_REQUEST, b""
        try:
            opened = self.server.opened if self._asks(_DECODE) else _as_it_is
            found = Payloads(payloads=[opened(payload) for payload in asked.payloads])
        except Exception as error:  # noqa: BLE001 - KMS is away, or denies: nothing is told but that
            logging.getLogger(__name__).warning("KMS: %s", type(error).__name__)
            return HTTPStatus.SERVICE_UNAVAILABLE, b""
        return HTTPStatus.OK, MessageToJson(found, indent=None).encode()

    def _asks(self, what: str) -> bool:
        return urlsplit(self.path).path.rstrip("/") == what  # the UI asks for `/decode?preserveStorageRefs=true`

    def _refused(self) -> HTTPStatus | None:
        """Why a request is not even read."""
        if not self._asks(_DECODE) and not self._asks(_ENCODE):
            return HTTPStatus.NOT_FOUND
        # a page of any other site may send this request; that of a name which was led here is no better
        origin = self.headers.get("Origin")
        if origin is not None and origin not in self.server.origins:
            return HTTPStatus.FORBIDDEN
        token = self.headers.get("Authorization", "")
        if self.server.admits and not (token.startswith(_BEARER) and self.server.admits(token.removeprefix(_BEARER))):
            return HTTPStatus.UNAUTHORIZED
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            return HTTPStatus.LENGTH_REQUIRED
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE if len(length) > 9 or int(length) > _BODY_MAX else None

    def _answer(self, status: HTTPStatus, body: bytes = b"") -> None:
        self.send_response(status)
        origin = self.headers.get("Origin")
        if origin in self.server.origins:
            self.send_header("Access-Control-Allow-Origin", str(origin))
            self.send_header("Access-Control-Allow-Credentials", "true")
            self.send_header("Access-Control-Allow-Methods", "POST")
            self.send_header("Access-Control-Allow-Headers", _ASKED)
        self.send_header("Vary", "Origin")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Type", "application/json")
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(body)))
        if status == HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", "Bearer")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Say nothing of requests: what is decoded is nobody else's."""


def _as_it_is(payload: Payload) -> Payload:
    return payload

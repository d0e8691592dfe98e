"""A signed request reaches STS as it was signed, once, and nothing that comes back is followed or read without end."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import pytest
import requests

from activities.aws.shared import sts
from activities.aws.shared.sts import post_to_sts, posting
from authority.aws_iam import MOST_ANSWER, Answer
from authority.aws_requests import sts_host

HEADERS = {"authorization": "AWS4-HMAC-SHA256 Credential=A", "host": sts_host("eu-west-1")}


class Endpoint(HTTPServer):
    """Answers by `path`, and keeps what came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.came: list[tuple[str, dict[str, str], bytes]] = []

    def at(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.came.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        content = b"x" * (MOST_ANSWER * 4) if self.path == "/much" else b"an answer"
        self.send_response(302 if self.path == "/elsewhere" else 200)
        self.send_header("Location", "/")
        self.send_header("Content-Length", str(len(content) + (self.path == "/short")))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as one:
        serving = Thread(target=one.serve_forever, args=(0.01,))
        serving.start()
        yield one
        one.shutdown()
        serving.join()


def test_it_is_sent_as_it_was_signed(endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password of this machine's user for the host stays where it is."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login jane password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert post_to_sts(endpoint.at("/"), HEADERS, b"Action=GetCallerIdentity") == (200, b"an answer")
    path, headers, body = endpoint.came[0]
    assert (path, body) == ("/", b"Action=GetCallerIdentity")
    assert headers.items() >= HEADERS.items()


def test_no_redirect_is_followed(endpoint: Endpoint) -> None:
    assert post_to_sts(endpoint.at("/elsewhere"), HEADERS, b"").status == 302
    assert [path for path, *_ in endpoint.came] == ["/elsewhere"]


def test_of_much_only_enough_to_refuse_it_is_read(endpoint: Endpoint) -> None:
    assert MOST_ANSWER < len(post_to_sts(endpoint.at("/much"), HEADERS, b"").body) < MOST_ANSWER * 2


def test_what_breaks_off_or_is_not_there_is_an_error_of_the_system(endpoint: Endpoint) -> None:
    """As `Post` promises: an `OSError`."""
    assert issubclass(requests.RequestException, OSError)
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as gone:
        nobody = f"http://127.0.0.1:{gone.server_port}/"
    for url in (endpoint.at("/short"), nobody):
        with pytest.raises(requests.RequestException):
            post_to_sts(url, HEADERS, b"")


class _Clients:
    """Clients whose STS is at an endpoint."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def client(self, service: str) -> Any:
        return boto3.client(service, region_name="eu-west-1", endpoint_url=self._endpoint)  # type: ignore[call-overload]

    once = client


def test_sts_is_asked_where_the_workers_own_clients_find_it(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as an endpoint in their VPC; what was signed is sent as it is. That of all regions takes none."""
    own = f"https://{sts_host('eu-west-1')}/"
    assert posting(_Clients(endpoint.at("")))(own, HEADERS, b"a body") == (200, b"an answer")
    path, headers, body = endpoint.came[0]
    assert (path, headers["host"], body) == ("/", sts_host("eu-west-1"), b"a body")
    asked = list[str]()

    def sent(url: str, *_: Any) -> Answer:
        asked.append(url)
        return Answer(200, b"")

    monkeypatch.setattr(sts, "post_to_sts", sent)
    for known in ("https://sts.amazonaws.com", f"https://{sts_host('eu-west-1')}"):
        posting(_Clients(known))(own, HEADERS, b"")
    assert asked == [own, own]

"""The codec server: it decodes for whoever may ask, encodes nothing, and fails on nothing that comes."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload

from codec.server import CodecServer

UI = "http://127.0.0.1:8233"
SEALED = {"metadata": {"encoding": base64.b64encode(b"sealed").decode()}, "data": "eHh4"}
CLEAR = {"metadata": {"encoding": base64.b64encode(b"json/plain").decode()}, "data": base64.b64encode(b'"hi"').decode()}


def opened(payload: Payload) -> Payload:
    if payload.data == b"away":
        raise ConnectionError("KMS is away")
    clear = Payload(metadata={"encoding": b"json/plain"}, data=b'"hi"')
    return clear if payload.metadata.get("encoding") == b"sealed" else payload


@contextmanager
def served(admits: Callable[[str], bool] | None = None) -> Iterator[str]:
    server = CodecServer(("127.0.0.1", 0), opened, [UI], admits)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served() as address:
        yield address


def ask(url: str, payloads: list[Any], path: str = "/decode", **headers: str) -> requests.Response:
    return requests.post(f"{url}{path}", json={"payloads": payloads}, headers=headers, timeout=5)


def test_it_decodes_and_does_nothing_else(url: str) -> None:
    """What is ours is decoded, what is not comes back as it was, and so does what is to be encoded."""
    assert ask(url, [SEALED, CLEAR]).json() == {"payloads": [CLEAR, CLEAR]}
    assert ask(url, [SEALED], "/decode?preserveStorageRefs=true").json() == {"payloads": [CLEAR]}
    assert ask(url, []).json() == {}
    assert ask(url, [CLEAR, SEALED], "/encode").json() == {"payloads": [CLEAR, SEALED]}
    assert ask(url, [CLEAR], "/other").status_code == 404
    assert requests.get(f"{url}/decode", timeout=5).status_code == 501


def test_only_pages_of_named_sites_may_ask(url: str) -> None:
    """The UI's pages may, with a token; those of any other site may not, whatever kind of request they send."""
    asked = requests.options(f"{url}/decode", headers={"Origin": UI}, timeout=5)
    assert asked.headers["Access-Control-Allow-Origin"] == UI
    assert "authorization" in asked.headers["Access-Control-Allow-Headers"]
    assert ask(url, [SEALED], Origin=UI).headers["Access-Control-Allow-Origin"] == UI
    evil = {"Origin": "https://evil.example"}
    assert requests.options(f"{url}/decode", headers=evil, timeout=5).status_code == 403
    answer = ask(url, [SEALED], **evil)
    assert (answer.status_code, answer.content) == (403, b"")
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_token_is_asked_for_where_it_is_to_be() -> None:
    """Without one, or with another, nothing is decoded."""
    with served(lambda token: token == "good") as url:
        assert ask(url, [SEALED]).status_code == 401
        assert ask(url, [SEALED], Authorization="Bearer other").status_code == 401
        assert ask(url, [SEALED], Authorization="good").status_code == 401
        assert ask(url, [SEALED], Authorization="Bearer good").json() == {"payloads": [CLEAR]}
        assert requests.options(f"{url}/decode", headers={"Origin": UI}, timeout=5).status_code == 204


def test_kms_away_is_told_and_tells_nothing(url: str) -> None:
    """The UI learns that it can be asked again later."""
    answer = ask(url, [SEALED, {"data": base64.b64encode(b"away").decode()}])
    assert (answer.status_code, answer.content) == (503, b"")
    assert ask(url, [SEALED]).ok


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode) | st.just(b'{"payloads":' * 500))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_sent_is_answered(url: str, body: bytes) -> None:
    """What is no request is refused, and the server goes on."""
    assert requests.post(f"{url}/decode", data=body, timeout=5).status_code in {200, 400}
    assert ask(url, [SEALED]).json() == {"payloads": [CLEAR]}


def test_a_body_is_bounded(url: str) -> None:
    """One that is too long is not read, and neither is one without a length."""
    sent = requests.Request("POST", f"{url}/decode", data=b"x").prepare()
    for length, status in (("99999999999999999999", 413), (str(64 * 1024 * 1024), 413), ("-1", 411), ("x", 411)):
        sent.headers["Content-Length"] = length
        with requests.Session() as session:
            assert session.send(sent, timeout=5).status_code == status
    assert json.loads(ask(url, [SEALED]).content)

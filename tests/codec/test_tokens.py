"""OIDC tokens: only those of the issuer, for this audience, signed by a key that it publishes, and not yet over."""

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from starters.client.tokens import Tokens
from starters.errors import RefusedError

AUDIENCE = "incident-codec"


class Issuer(ThreadingHTTPServer):
    """Publishes its keys as OpenID providers do."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Published)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.name = self.url
        self.keys = [ECKey.generate_key("P-256", {"kid": "one"})]
        self.reads = 0
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def token(self, key: Any = None, alg: str = "ES256", **claims: Any) -> str:
        key = key or self.keys[-1]
        known = {"iss": self.name, "aud": AUDIENCE, "exp": int(time.time()) + 60, "sub": "somebody"}
        told = {name: value for name, value in {**known, **claims}.items() if value is not None}
        return jwt.encode({"alg": alg, "kid": key.kid}, told, key, algorithms=[alg])


class _Published(BaseHTTPRequestHandler):
    server: Issuer

    def do_GET(self) -> None:
        self.server.reads += 1
        keys = {"keys": [key.as_dict(private=False) for key in self.server.keys]}
        about = {"issuer": self.server.name, "jwks_uri": f"{self.server.url}/keys"}
        body = json.dumps(keys if self.path == "/keys" else about).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    made = Issuer()
    yield made
    made.shutdown()
    made.server_close()


def test_a_good_token_is_admitted_and_no_other(issuer: Issuer) -> None:
    """Another audience or issuer, one that is over or never ends, an unknown key, no signature: none is."""
    tokens = Tokens(issuer.url, AUDIENCE)
    assert tokens.admits(issuer.token())
    assert tokens.admits(issuer.token(aud=["other", AUDIENCE]))
    public = OctKey.import_key(json.dumps(issuer.keys[0].as_dict(private=False)), {"kid": "one"})
    head, body, _ = issuer.token().split(".")
    for bad in (
        issuer.token(aud="other"),
        issuer.token(aud=None),
        issuer.token(iss="https://elsewhere"),
        issuer.token(exp=int(time.time()) - 1),
        issuer.token(exp=None),
        issuer.token(nbf=int(time.time()) + 60),
        issuer.token(ECKey.generate_key("P-256", {"kid": "one"})),
        issuer.token(public, "HS256"),
        f"{head}.{body}.",
        "eyJhbGciOiJub25lIn0." + body + ".",
        "",
        "x.y.z",
        "é" * 100,
        "x" * 100_000,
    ):
        assert not tokens.admits(bad), bad[:40]


def test_keys_are_rotated(issuer: Issuer) -> None:
    """A new key is read when a token first names it, and not more than once a minute for whatever comes."""
    now = 0.0
    tokens = Tokens(issuer.url, AUDIENCE, lambda: now)
    issuer.keys = [ECKey.generate_key("P-256", {"kid": "two"})]
    assert not tokens.admits(issuer.token())
    now = 61.0
    assert tokens.admits(issuer.token())
    reads = issuer.reads
    for _ in range(50):
        assert not tokens.admits("x.y.z")
    assert issuer.reads == reads


def test_an_issuer_that_calls_itself_otherwise_is_refused(issuer: Issuer) -> None:
    """Its keys would be somebody else's."""
    issuer.name = "https://elsewhere"
    with pytest.raises(RefusedError, match="calls itself"):
        Tokens(issuer.url, AUDIENCE)
    with pytest.raises(RefusedError, match="cannot be read"):
        Tokens("http://127.0.0.1:1", AUDIENCE)

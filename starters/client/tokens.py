"""OIDC: whether a bearer token is of an issuer that is trusted, meant for us, and still good."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Any

import requests
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from starters.errors import RefusedError

_ALGORITHMS = ["ES256", "RS256", "PS256", "EdDSA"]
_SECONDS = 5
_KEYS_AGAIN_SECONDS = 60.0
_TOKEN_MAX = 16 * 1024


class Tokens:
    """Judges the tokens of one issuer, by the keys that it publishes (OpenID Connect Discovery 1.0).

    Its keys are read anew when a token's is not among them, once a minute at most.
    """

    def __init__(self, issuer: str, audience: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises `RefusedError` for an issuer that does not publish its keys."""
        self._issuer, self._clock, self._lock = issuer, clock, Lock()
        self._claims = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
        )
        self._keys, self._read_at = self._published(), clock()

    def admits(self, token: str) -> bool:
        """Whether a token is good."""
        if len(token) > _TOKEN_MAX:
            return False
        return self._is_good(token) or (self._renewed() and self._is_good(token))

    def _is_good(self, token: str) -> bool:
        try:
            self._claims.validate(jwt.decode(token, self._keys, algorithms=_ALGORITHMS).claims)
        except (JoseError, ValueError, TypeError):
            return False
        return True

    def _renewed(self) -> bool:
        """Read the keys again, unless that was just done; tells whether there may be others."""
        with self._lock:
            if self._clock() - self._read_at < _KEYS_AGAIN_SECONDS:
                return False
            self._read_at = self._clock()
            try:
                self._keys = self._published()
            except RefusedError:
                return False
            return True

    def _published(self) -> KeySet:
        try:
            about = _read(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
            if about["issuer"] != self._issuer:
                raise RefusedError(f"--issuer: {self._issuer} calls itself {about['issuer']!r}")
            return KeySet.import_key_set(_read(str(about["jwks_uri"])))
        except (requests.RequestException, KeyError, TypeError, ValueError, JoseError) as error:
            raise RefusedError(
                f"--issuer: the keys of {self._issuer} cannot be read ({type(error).__name__})"
            ) from error


def _read(url: str) -> Any:
    answer = requests.get(url, timeout=_SECONDS, allow_redirects=False)
    answer.raise_for_status()
    return answer.json()

"""Statuspage's REST API: one request a second for all workers of a machine, every failure with its kind."""

import fcntl
import os
import tempfile
import time
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import requests
from temporalio.exceptions import ApplicationError

from activities import local_files
from activities.action import RuleError
from domain.values.errors import FINAL, ErrorKind

_TIMEOUT_SECONDS = (3.0, 15.0)
_INTERVAL = timedelta(seconds=1.05)  # a little over one second: the network may bunch two requests up
_FARTHEST_SECONDS = 600
_THROTTLED = frozenset({420, 429})
_DENIED = frozenset({401, 403})


class StatusPageClient:
    """Sends requests to `base_url` (with or without the `/v1` that ends it) as the holder of `api_key`.

    Safe for threads, which share one pace, as all processes of a machine do that use the same key. Workers of several
    machines may meet: what Statuspage throttles is tried again when it says. Without a key every request is refused.
    """

    def __init__(self, base_url: str, api_key: str, *, interval: timedelta = _INTERVAL) -> None:
        self._base_url = base_url.rstrip("/").removesuffix("/v1") + "/v1"
        self._api_key = api_key
        self._pace = _Pace(interval, api_key)

    def request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send one request, `path` relative to the API's root, and return the decoded answer.

        Sends once: a lost answer must be looked up before anything is created again. Throttling, timeouts and
        5xx raise `Transient` (with the server's own delay where it names one), other 4xx a final kind.
        """
        if not self._api_key:
            raise RuleError("the worker's setting STATUSPAGE_API_KEY is missing: nothing can be told to the public")
        self._pace.wait()
        doing = f"Statuspage {method} {path.partition('?')[0]}"
        try:
            answer = requests.request(
                method,
                f"{self._base_url}/{path.lstrip('/')}",
                json=body,
                headers={"Authorization": f"OAuth {self._api_key}"},
                timeout=_TIMEOUT_SECONDS,
            )
        except requests.RequestException as error:
            raise _failure(ErrorKind.TRANSIENT, f"{doing}: {type(error).__name__}") from error
        if not answer.ok:
            raise _refusal(answer, doing)
        try:
            return answer.json()
        except requests.JSONDecodeError as error:
            raise _failure(ErrorKind.TRANSIENT, f"{doing}: the answer is no JSON") from error


class _Pace:
    """Hands out moments to send, `interval` apart, to however many threads and processes ask.

    The next moment stands in a file of the machine's, under a lock that ends with whoever holds it.
    """

    def __init__(self, interval: timedelta, api_key: str) -> None:
        self._interval = interval.total_seconds()
        name = f"statuspage-{os.getuid()}-{sha256(api_key.encode()).hexdigest()[:16]}.pace"
        self._path = Path(tempfile.gettempdir()) / name

    def wait(self) -> None:
        if not self._interval:
            return
        with local_files.appending(self._path) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            now = time.time()  # noqa: TID251 - processes of one machine keep a pace by it, and no more
            following = float(file.read() or 0)
            # a moment too far ahead was written before the clock was set back
            mine = following if now < following < now + _FARTHEST_SECONDS else now
            file.truncate(0)
            file.write(str(mine + self._interval).encode())
        time.sleep(mine - now)


def _refusal(answer: requests.Response, doing: str) -> ApplicationError:
    """Give a status its kind. The answer's body is left out: it may repeat what was sent."""
    told = f"{doing}: HTTP {answer.status_code}"
    if answer.status_code in _THROTTLED or answer.status_code >= requests.codes.internal_server_error:
        seconds = answer.headers.get("Retry-After", "")
        return _failure(ErrorKind.TRANSIENT, told, timedelta(seconds=int(seconds)) if seconds.isdigit() else None)
    if answer.status_code in _DENIED:
        return _failure(ErrorKind.ACCESS_DENIED, f"{told}: check the worker's STATUSPAGE_API_KEY")
    return _failure(ErrorKind.INVALID_REQUEST, told)


def _failure(kind: ErrorKind, message: str, delay: timedelta | None = None) -> ApplicationError:
    return ApplicationError(message, type=kind.value, non_retryable=kind in FINAL, next_retry_delay=delay)

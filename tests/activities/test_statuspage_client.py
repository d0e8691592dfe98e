import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError

from activities.action import RuleError
from activities.statuspage_client import StatusPageClient
from tests.activities.statuspage_server import StatusPageServer, statuspage_server

AT_ONCE = timedelta(0)
UNRESOLVED = "pages/page1/incidents/unresolved"


@pytest.fixture
def server() -> Iterator[StatusPageServer]:
    with statuspage_server() as running:
        yield running


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/"])
def test_where_and_as_whom(server: StatusPageServer, ending: str) -> None:
    """Requests go to version 1 of the API, the key in the header and never in the address."""
    client = StatusPageClient(server.url + ending, "secret", interval=AT_ONCE)
    assert client.request("GET", UNRESOLVED) == []
    assert server.requests == [("GET", f"/v1/{UNRESOLVED}", None)]
    assert server.authorization == "OAuth secret"


@pytest.mark.parametrize(
    ("status", "headers", "kind", "final", "delay"),
    [
        (420, {"Retry-After": "7"}, "Transient", False, timedelta(seconds=7)),
        (429, {}, "Transient", False, None),
        (429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, "Transient", False, None),
        (500, {}, "Transient", False, None),
        (503, {}, "Transient", False, None),
        (401, {}, "AccessDenied", True, None),
        (403, {}, "AccessDenied", True, None),
        (400, {}, "InvalidRequest", True, None),
        (404, {}, "InvalidRequest", True, None),
        (422, {}, "InvalidRequest", True, None),
    ],
)
def test_failures(
    server: StatusPageServer, status: int, headers: dict[str, str], kind: str, final: bool, delay: timedelta | None
) -> None:
    """Every refusal has a kind: throttling waits as long as it is told to, only 4xx is final, no body is repeated."""
    server.failures = [(status, headers)]
    with pytest.raises(ApplicationError) as raised:
        StatusPageClient(server.url, "secret", interval=AT_ONCE).request("GET", UNRESOLVED)
    error = raised.value
    assert (error.type, error.non_retryable, error.next_retry_delay) == (kind, final, delay)
    assert str(status) in error.message
    assert "as the test wants it" not in error.message
    assert len(server.requests) == 1


def test_unreachable_is_transient() -> None:
    """A status page that does not answer is tried again later."""
    with pytest.raises(ApplicationError) as raised:
        StatusPageClient("http://127.0.0.1:9", "secret", interval=AT_ONCE).request("GET", UNRESOLVED)
    assert raised.value.type == "Transient"
    assert not raised.value.non_retryable


def test_without_a_key_nothing_is_sent(server: StatusPageServer) -> None:
    """A missing key is refused, naming the setting, and no request leaves."""
    with pytest.raises(RuleError, match="STATUSPAGE_API_KEY"):
        StatusPageClient(server.url, "").request("GET", UNRESOLVED)
    assert server.requests == []


def test_processes_share_the_pace(server: StatusPageServer) -> None:
    """Two workers on one machine know nothing of each other, and still do not send twice in the same second."""
    ask = f"""
from datetime import timedelta
from activities.statuspage_client import StatusPageClient
client = StatusPageClient({server.url!r}, "of-two", interval=timedelta(milliseconds=300))
for _ in range(2):
    client.request("GET", {UNRESOLVED!r})
"""
    begun = time.monotonic()
    workers = [subprocess.Popen([sys.executable, "-c", ask]) for _ in range(2)]
    assert [one.wait(60) for one in workers] == [0, 0]
    assert len(server.requests) == 4
    assert time.monotonic() - begun >= 0.9


def test_threads_share_the_limit(server: StatusPageServer) -> None:
    """However many threads ask, requests leave no closer together than the interval."""
    client = StatusPageClient(server.url, "secret", interval=timedelta(milliseconds=100))
    begun = time.monotonic()
    with ThreadPoolExecutor(5) as threads:
        list(threads.map(lambda _: client.request("GET", UNRESOLVED), range(5)))
    assert time.monotonic() - begun >= 0.4
    assert len(server.requests) == 5

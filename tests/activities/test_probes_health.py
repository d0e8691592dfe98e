from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

from activities.http_health import HealthEndpoint, HealthEndpointParams
from domain.model.finding import Finding, FindingStatus
from tests.activities.given import Stubbed
from tests.activities.scopes import NOW, environment, scope

BODY = b"patient 4711"


@contextmanager
def portal(*answers: int) -> Iterator[str]:
    """Serve these statuses in order, the last of them for ever; 0 does not answer at all."""
    left = list(answers)
    done = Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = left.pop(0) if len(left) > 1 else left[0]
            if self.path == "/login":
                status = 200
            if not status:
                done.wait(30)
                return
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/login")
            self.send_header("Content-Length", str(len(BODY)))
            self.end_headers()
            self.wfile.write(BODY)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/health"
    finally:
        done.set()
        server.shutdown()
        server.server_close()


def look(url: str, attempts: int = 3, timeout_seconds: float = 10) -> Finding:
    here = environment(health={"portal": {"url": url, "timeout_seconds": timeout_seconds, "attempts": attempts}})
    return HealthEndpoint(Stubbed("ecs")).observe(scope(environment=here), HealthEndpointParams(endpoint="portal"), NOW)


def test_an_endpoint_that_answers_is_ok() -> None:
    """Every request is answered 2xx: status and latency are kept, the body is not."""
    with portal(200) as url:
        finding = look(url)
    assert finding.status is FindingStatus.OK
    assert [one["status"] for one in finding.facts["attempts"]] == [200, 200, 200]
    assert all(one["seconds"] >= 0 for one in finding.facts["attempts"])
    assert "4711" not in finding.model_dump_json()


def test_an_endpoint_that_always_fails_is_suspect() -> None:
    """All requests fail, and the finding says with which status."""
    with portal(503) as url:
        finding = look(url)
    assert finding.status is FindingStatus.SUSPECT
    assert finding.summary == "portal: all 3 requests failed (503)"


def test_a_lone_failure_among_successes_is_told() -> None:
    """One failure in three is no outage, but it is not hidden either."""
    with portal(500, 200) as url:
        finding = look(url)
    assert finding.status is FindingStatus.OK
    assert finding.summary.startswith("portal: 1 of 3 requests failed (500); the others took up to ")
    assert finding.facts["failed"] == 1


def test_a_redirect_is_no_answer() -> None:
    """A redirect may lead to a login page that answers 200 whatever state the application is in."""
    with portal(302) as url:
        assert look(url).status is FindingStatus.SUSPECT


def test_an_endpoint_that_hangs_is_given_up_on() -> None:
    """A request that takes longer than its timeout counts as failed."""
    with portal(0) as url:
        finding = look(url, attempts=2, timeout_seconds=0.3)
    assert finding.status is FindingStatus.SUSPECT
    assert finding.facts["attempts"] == [{"ok": False, "error": "ReadTimeout"}] * 2


def test_an_endpoint_that_is_gone_is_suspect() -> None:
    """A refused connection is a failure of the application, not of the probe."""
    with portal(200) as url:
        pass
    finding = look(url)
    assert finding.summary == "portal: all 3 requests failed (ConnectionError)"

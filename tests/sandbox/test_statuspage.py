"""The local status page keeps Statuspage's rules."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sandbox.runtime.outbox import Outbox
from sandbox.statuspage.api import application
from sandbox.statuspage.page import Page
from sandbox.statuspage.rate_limit import Limit

INCIDENTS = "/v1/pages/page-1/incidents"
Ask = Callable[..., TestResponse]


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(outbox: Outbox, clock: Clock) -> FlaskClient:
    page = Page("page-1", [("portal", "component-1"), ("api", "component-2")])
    return application(page, "key", outbox, Limit(clock=clock)).test_client()


@pytest.fixture
def ask(client: FlaskClient, clock: Clock) -> Ask:
    """Send requests with the right key, a second apart."""

    def send(method: str, path: str, **rest: Any) -> TestResponse:
        clock.now += 1
        return client.open(path, method=method, headers={"Authorization": "OAuth key"}, **rest)

    return send


def post(ask: Ask, **fields: Any) -> dict[str, Any]:
    answer = ask("POST", INCIDENTS, json={"incident": {"name": "Service outage", **fields}})
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.get_json()
    return created


def test_incident_is_created_updated_and_resolved(ask: Ask) -> None:
    """An incident keeps its metadata and every update, newest first, and is not listed as unresolved once resolved."""
    made = post(ask, body="We look.", metadata={"incident_orchestrator": {"incident_id": "inc-1", "seq": 1}})
    assert made["status"] == "investigating"
    assert [one["id"] for one in ask("GET", f"{INCIDENTS}/unresolved").get_json()] == [made["id"]]
    update = {
        "status": "resolved",
        "body": "Done.",
        "metadata": {"incident_orchestrator": {"incident_id": "inc-1", "seq": 2}},
    }
    assert ask("PATCH", f"{INCIDENTS}/{made['id']}", json={"incident": update}).status_code == 200
    shown = ask("GET", f"{INCIDENTS}/{made['id']}").get_json()
    assert [one["body"] for one in shown["incident_updates"]] == ["Done.", "We look."]
    assert shown["metadata"] == {"incident_orchestrator": {"incident_id": "inc-1", "seq": 2}}
    assert shown["resolved_at"]
    assert ask("GET", f"{INCIDENTS}/unresolved").get_json() == []


def test_same_post_again_is_another_incident(ask: Ask) -> None:
    """There is no idempotency key: posting twice creates two incidents."""
    first, second = post(ask), post(ask)
    assert first["id"] != second["id"]
    assert [one["id"] for one in ask("GET", INCIDENTS).get_json()] == [second["id"], first["id"]]


def test_list_is_searched_and_paged(ask: Ask) -> None:
    """`q` searches, `limit` and `page` page."""
    made = [post(ask, name=f"Outage {number}")["id"] for number in range(3)]
    assert [one["id"] for one in ask("GET", f"{INCIDENTS}?q=outage+1").get_json()] == [made[1]]
    pages = [ask("GET", f"{INCIDENTS}?limit=2&page={number}").get_json() for number in (1, 2, 3)]
    assert [[one["id"] for one in page] for page in pages] == [[made[2], made[1]], [made[0]], []]


def test_components_follow_posts(ask: Ask) -> None:
    """An incident sets the status of its components; a component's status can also be set by itself."""
    made = post(ask, component_ids=["component-1"], components={"component-1": "major_outage"})
    assert [(one["id"], one["status"]) for one in made["components"]] == [("component-1", "major_outage")]
    path = "/v1/pages/page-1/components/component-1"
    assert ask("PATCH", path, json={"component": {"status": "operational"}}).get_json()["status"] == "operational"
    shown = ask("GET", "/v1/pages/page-1/components").get_json()
    assert [one["status"] for one in shown] == ["operational", "operational"]


def test_form_fields_are_taken(ask: Ask) -> None:
    """The form fields that the runbook's own curl sends are accepted like JSON."""
    answer = ask("POST", INCIDENTS, data={"incident[name]": "Outage", "incident[impact_override]": "major"})
    assert answer.status_code == 201
    assert (answer.get_json()["name"], answer.get_json()["impact"]) == ("Outage", "major")


@pytest.mark.parametrize(
    "header", [None, "OAuth wrong", "Bearer key", "key", "OAuth"], ids=["none", "wrong", "bearer", "bare", "empty"]
)
def test_wrong_key_is_401(client: FlaskClient, header: str | None) -> None:
    """Only requests with the header `Authorization: OAuth <key>` are admitted."""
    answer = client.get(INCIDENTS, headers={"Authorization": header} if header else {})
    assert (answer.status_code, answer.get_json()) == (401, {"error": "Could not authenticate"})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/pages/other/incidents"),
        ("GET", f"{INCIDENTS}/nothing"),
        ("PATCH", "/v1/pages/page-1/components/nothing"),
        ("GET", "/v1/pages/page-1/nothing"),
    ],
)
def test_unknown_is_404(ask: Ask, method: str, path: str) -> None:
    """Another page, incident, component or path is not found, in JSON."""
    answer = ask(method, path, json={"component": {"status": "operational"}})
    assert answer.status_code == 404
    assert answer.get_json()["error"]


@pytest.mark.parametrize(
    "incident",
    [
        None,
        {},
        {"body": "no name"},
        {"name": "n" * 256},
        {"name": "n", "body": "b" * 25_001},
        {"name": "n", "status": "broken"},
        {"name": "n", "impact_override": "huge"},
        {"name": "n", "metadata": {"incident_orchestrator": "text"}},
        {"name": "n", "components": {"nothing": "operational"}},
        {"name": "n", "components": {"component-1": "gone"}},
    ],
)
def test_bad_post_is_422(ask: Ask, outbox: Outbox, incident: Any) -> None:
    """An invalid post is refused with the reasons, and nothing is sent."""
    answer = ask("POST", INCIDENTS, json={"incident": incident})
    assert answer.status_code == 422
    assert isinstance(answer.get_json()["error"], list)
    assert outbox.entries() == []
    assert ask("GET", INCIDENTS).get_json() == []


def test_one_request_a_second(client: FlaskClient, clock: Clock) -> None:
    """A second request within a second of the last admitted one gets 420 with Retry-After, and changes nothing."""

    def tried(at: float) -> TestResponse:
        clock.now = at
        return client.post(INCIDENTS, json={"incident": {"name": "Outage"}}, headers={"Authorization": "OAuth key"})

    assert tried(1.0).status_code == 201
    refused = tried(1.6)
    assert (refused.status_code, refused.headers["Retry-After"]) == (420, "1")
    assert tried(1.99).status_code == 420
    assert tried(2.0).status_code == 201
    clock.now = 3.0
    listed = client.get(INCIDENTS, headers={"Authorization": "OAuth key"})
    assert len(listed.get_json()) == 2


def test_posts_reach_the_outbox(ask: Ask, outbox: Outbox) -> None:
    """Every post is public: it is in the outbox with the incident's id from its metadata, or none."""
    made = post(ask, body="We look.", metadata={"incident_orchestrator": {"incident_id": "inc-1"}})
    ask("PATCH", f"{INCIDENTS}/{made['id']}", json={"incident": {"status": "resolved", "body": "Done."}})
    post(ask)
    delivered = [(one["to"], one["role"], one["subject"], one["body"], one["incident"]) for one in outbox.entries()]
    assert delivered == [
        ("page-1", "public", "Service outage: investigating", "We look.", "inc-1"),
        ("page-1", "public", "Service outage: resolved", "Done.", "inc-1"),
        ("page-1", "public", "Service outage: investigating", "", None),
    ]

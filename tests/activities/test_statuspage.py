from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.action import NoticeAction, RuleError
from activities.statuspage import _GRAVITY, Identified, Investigating, Monitoring, PostParams, Resolved
from activities.statuspage_client import StatusPageClient
from tests.activities.aws_calls import RecordedAws
from tests.activities.scopes import scope
from tests.activities.statuspage_server import StatusPageServer, statuspage_server

World = tuple[RecordedAws, StatusPageClient]
PORTAL = PostParams(components=("portal",))


@pytest.fixture
def server() -> Iterator[StatusPageServer]:
    with statuspage_server() as running:
        yield running


@pytest.fixture
def world(server: StatusPageServer) -> World:
    return RecordedAws(), StatusPageClient(server.url, "secret", interval=timedelta(0))


def other(number: int, **changes: Any) -> dict[str, Any]:
    """A public incident that is none of ours."""
    return {
        "id": f"other{number}",
        "status": "resolved",
        "created_at": "2026-11-23T03:32:00.000Z",
        "metadata": {},
    } | changes


def test_first_post(server: StatusPageServer, world: World) -> None:
    """The first notice opens one public incident that is ours by its metadata and says the component is down."""
    received = Investigating(*world).send(scope(), PORTAL, 1)
    [(method, incident)] = server.writes()
    assert method == "POST"
    assert incident == {
        "name": "Service outage",
        "status": "investigating",
        "impact_override": "critical",
        "body": received.text,
        "deliver_notifications": True,
        "metadata": {"incident_orchestrator": {"incident_id": "inc-20261123-7f3k", "seq": 1}},
        "component_ids": ["component1"],
        "components": {"component1": "major_outage"},
    }
    assert received.reference == "pages/page1/incidents/p0"


def test_a_repeat_tells_nothing(server: StatusPageServer, world: World) -> None:
    """The same notice again gives the same reference and writes nothing."""
    first = Investigating(*world).send(scope(), PORTAL, 1)
    again = Investigating(*world).send(scope(), PORTAL, 1)
    assert again == first
    assert len(server.writes()) == 1


def test_a_lost_answer_is_looked_up(server: StatusPageServer, world: World) -> None:
    """A post whose answer was lost is found by the next attempt, never made twice."""
    server.lost = 1
    with pytest.raises(ApplicationError) as raised:
        Investigating(*world).send(scope(), PORTAL, 1)
    assert raised.value.type == "Transient"
    assert Investigating(*world).send(scope(), PORTAL, 1).reference == "pages/page1/incidents/p0"
    assert [method for method, _ in server.writes()] == ["POST"]


def test_overlapping_attempts_post_once(server: StatusPageServer, world: World) -> None:
    """Attempts that overlap, because one outlived its timeout, open one public incident."""
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: Investigating(*world).send(scope(), PORTAL, 1), range(4)))
    assert len(server.writes()) == 1


def test_the_course_of_an_outage(server: StatusPageServer, world: World) -> None:
    """Later notices update the one public incident; resolving sets the component operational."""
    notices: list[NoticeAction[Any]] = [Investigating(*world), Identified(*world), Monitoring(*world), Resolved(*world)]
    references = {notice.send(scope(), PORTAL, number).reference for number, notice in enumerate(notices, start=1)}
    assert references == {"pages/page1/incidents/p0"}
    assert [(method, received["status"]) for method, received in server.writes()] == [
        ("POST", "investigating"),
        ("PATCH", "identified"),
        ("PATCH", "monitoring"),
        ("PATCH", "resolved"),
    ]
    assert "components" not in server.writes()[2][1]
    assert server.incidents[0]["components"] == [{"id": "component1", "status": "operational"}]


def test_an_overtaken_update_is_not_told(server: StatusPageServer, world: World) -> None:
    """An update that arrives after a later one stays untold: the public never hears the past again."""
    Investigating(*world).send(scope(), PORTAL, 1)
    Resolved(*world).send(scope(), PORTAL, 3)
    Monitoring(*world).send(scope(), PORTAL, 2)
    assert [received["status"] for _, received in server.writes()] == ["investigating", "resolved"]


def test_resolved_reaches_components_it_was_not_told_of(server: StatusPageServer, world: World) -> None:
    """Resolving leaves no component of our public incident down, named again or not."""
    Investigating(*world).send(scope(), PORTAL, 1)
    Resolved(*world).send(scope(), PostParams(), 2)
    assert server.incidents[0]["components"] == [{"id": "component1", "status": "operational"}]


@pytest.mark.parametrize(
    ("theirs", "shown"),
    [("critical", "major_outage"), ("minor", "degraded_performance"), ("maintenance", "under_maintenance")],
)
def test_a_component_is_as_bad_as_the_worst_of_its_incidents(
    server: StatusPageServer, world: World, theirs: str, shown: str
) -> None:
    """Resolving ours does not call operational what another open incident is about; a repeat of it neither."""
    about = [{"id": "component1", "status": "major_outage"}]
    server.incidents.append(other(1, status="identified", impact=theirs, components=about))
    Investigating(*world).send(scope(), PostParams(components=("portal",), impact="minor"), 1)
    worst = max(shown, "degraded_performance", key=_GRAVITY.index)
    assert server.writes()[0][1]["components"] == {"component1": worst}
    Resolved(*world).send(scope(), PORTAL, 2)
    assert server.writes()[1][1]["components"] == {"component1": shown}


def test_nothing_published_nothing_resolved(server: StatusPageServer, world: World) -> None:
    """An incident the public never heard of is not announced by its end."""
    assert Resolved(*world).send(scope(), PORTAL, 1).reference == "none"
    assert server.writes() == []


def test_found_among_many_resolved_ones(server: StatusPageServer, world: World) -> None:
    """Ours is found though it is resolved and more than a page of newer ones stand before it."""
    Investigating(*world).send(scope(), PORTAL, 1)
    Resolved(*world).send(scope(), PORTAL, 2)
    server.incidents[:0] = [other(number) for number in range(150)]
    Investigating(*world).send(scope(), PORTAL, 1)
    assert len(server.writes()) == 2


def test_looking_ends_at_the_declaration(server: StatusPageServer, world: World) -> None:
    """Public incidents older than ours are not read through page by page."""
    server.incidents = [other(number, created_at="2026-11-01T00:00:00.000Z") for number in range(350)]
    Investigating(*world).send(scope(), PORTAL, 1)
    assert sum(method == "GET" for method, _, _ in server.requests) == 2


def test_ours_alone_is_touched(server: StatusPageServer, world: World) -> None:
    """A public incident of another incident, or of nobody, is neither updated nor taken for ours."""
    theirs = {"incident_orchestrator": {"incident_id": "inc-20261123-aaaa", "seq": 9}}
    server.incidents = [other(1, status="investigating", metadata=theirs), other(2, status="monitoring")]
    Investigating(*world).send(scope(), PORTAL, 1)
    assert [method for method, _ in server.writes()] == ["POST"]


def test_unknown_component_is_refused(server: StatusPageServer, world: World) -> None:
    """A component that the environment does not name is refused before anything is sent."""
    with pytest.raises(RuleError, match=r"no component billing; the environment names: portal"):
        Investigating(*world).send(scope(), PostParams(components=("billing",)), 1)
    assert server.requests == []


@pytest.mark.parametrize("impact", ["none", "minor", "major", "critical"])
@pytest.mark.parametrize("notice", [Investigating, Identified, Monitoring, Resolved])
def test_the_public_hears_nothing_of_ours(
    server: StatusPageServer, world: World, notice: type[NoticeAction[PostParams]], impact: str
) -> None:
    """No text holds the title, a cause, an address, or the word that only Legal may say."""
    about = scope(title="breach: patient file of bed 9 leaked from 198.51.100.7", type="data-breach")
    server.incidents = [
        other(1, status="investigating", metadata={"incident_orchestrator": {"incident_id": about.incident, "seq": 0}}),
    ]
    notice(*world).send(about, PostParams.model_validate({"impact": impact}), 1)
    [(_, received)] = server.writes()
    said = f"{received.get('name', '')} {received['body']}".lower()
    for word in ("breach", "patient", "leak", "198.51", "bed 9", "data"):
        assert word not in said

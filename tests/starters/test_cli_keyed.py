"""A key stands for one open incident; ids are never used twice. None of it needs a worker."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import RawValue, SearchAttributePair
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from codec.converter import encrypted
from codec.encoding import ENCODING
from domain.model.declaration import KeyHold
from domain.values import ids
from starters.client import encryption, start_once
from starters.client.start_once import Started
from tests.builders import T0, declaration, incident_id
from tests.starters import backstage
from workflows import search_attributes

KEY, PLACE = "alarm/portal", declaration().environment.name
HOLDER = ids.key_workflow_id(PLACE, KEY)
LIVE = search_attributes.pairs("system-outage", "P1", "live")
SEALED = RawValue(Payload(metadata={"encoding": ENCODING}, data=b"x"))


@pytest_asyncio.fixture
async def client() -> AsyncIterator[Client]:
    env: WorkflowEnvironment = await backstage.server()
    async with env:
        yield env.client


async def begin(client: Client, **changes: Any) -> Started:
    declared = declaration(**{"key": KEY, **changes}).model_dump(mode="json")
    return await start_once.start(client, declared, lambda made: str(made["incident_id"]))


async def alerts(client: Client, incident: str) -> int:
    history = await client.get_workflow_handle(incident).fetch_history()
    return sum(event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED for event in history.events)


async def incidents(client: Client, count: int) -> list[str]:
    """The incidents that visibility lists, once there are as many; the test's timeout bounds the wait."""
    found: list[str] = []
    while len(found) < count:
        found = [listed.id async for listed in client.list_workflows("WorkflowType = 'Incident'")]
    return found


async def hold(client: Client, incident: str) -> str:
    """Take the key as a starter that dies right after."""
    handle = await client.start_workflow(
        "IncidentKey",
        KeyHold(incident_id=incident),
        id=HOLDER,
        task_queue=ids.task_queue(PLACE),
        memo={"incident": incident},
    )
    assert handle.result_run_id is not None
    return handle.result_run_id


async def test_concurrent_alerts_of_one_key_open_one_incident(client: Client) -> None:
    """25 starts at once with one key give one incident, exactly one `created`, and 24 duplicate alerts on it."""
    started = await asyncio.gather(*(begin(client, declared_at=T0 + timedelta(seconds=n)) for n in range(25)))
    assert len({one.incident for one in started}) == 1
    assert sum(one.created for one in started) == 1
    assert await alerts(client, started[0].incident) == 24


async def test_a_dead_starters_incident_is_completed_by_the_next(client: Client) -> None:
    """Who took the key and died leaves an id; of any number of later starters one creates that incident."""
    promised = incident_id(T0)
    await hold(client, promised)
    started = await asyncio.gather(*(begin(client) for _ in range(5)))
    assert {one.incident for one in started} == {promised}
    assert sum(one.created for one in started) == 1


async def test_a_key_whose_incident_has_ended_opens_a_new_one(client: Client) -> None:
    """A hold that outlived its incident is ended, and concurrent starters share one new incident."""
    first = await begin(client)
    await client.get_workflow_handle(first.incident).terminate()
    started = await asyncio.gather(*(begin(client) for _ in range(5)))
    assert len({one.incident for one in started}) == 1
    assert started[0].incident != first.incident
    assert sum(one.created for one in started) == 1


async def test_a_closed_incident_that_still_winds_down_takes_no_alert(client: Client) -> None:
    """Closing is final: an alert that comes while the closed incident's workflow still runs opens a new one."""
    closing = incident_id(T0)
    closed = LIVE.updated(SearchAttributePair(search_attributes.INCIDENT_STATUS, "closed"))
    memo = {"key": HOLDER}
    await client.start_workflow(
        "Incident", id=closing, task_queue=ids.task_queue(PLACE), search_attributes=closed, memo=memo
    )
    run = await hold(client, closing)
    started = await begin(client)
    assert started.created
    assert started.incident != closing
    assert await alerts(client, closing) == 0
    old = await client.get_workflow_handle(HOLDER, run_id=run).describe()
    assert old.status is WorkflowExecutionStatus.TERMINATED


@pytest.mark.parametrize(
    ("kind", "queue"),
    [("Whatever", ids.task_queue(PLACE)), ("Incident", "his"), ("Incident", ids.task_queue("staging"))],
)
async def test_what_is_no_incident_takes_no_alert(client: Client, kind: str, queue: str) -> None:
    """A workflow of another type, or on another queue than the environment's, swallows no alarm by its memo."""
    named = incident_id(T0)
    await client.start_workflow(kind, id=named, task_queue=queue, memo={"key": HOLDER}, search_attributes=LIVE)
    await hold(client, named)
    started = await begin(client)
    assert started.created
    assert started.incident != named
    assert await alerts(client, named) == 0


@pytest.mark.parametrize(
    ("mode", "delay", "heard"),
    [
        ("live", timedelta(), 1),
        ("live", timedelta(days=3650), 0),
        ("dry-run", timedelta(), 0),
        ("drill", timedelta(), 0),
        ("upkeep", timedelta(), 0),
    ],
)
async def test_an_alarm_is_given_to_what_is_live_and_runs(
    client: Client, mode: str, delay: timedelta, heard: int
) -> None:
    """What the server starts years from now hears nothing till then, and nobody is paged for what is no live one."""
    named = incident_id(T0)
    attributes = search_attributes.pairs("system-outage", "P1", mode)
    await client.start_workflow(
        "Incident",
        id=named,
        task_queue=ids.task_queue(PLACE),
        memo={"key": HOLDER},
        search_attributes=attributes,
        start_delay=delay or None,
    )
    await hold(client, named)
    started = await begin(client)
    assert (started.incident == named, started.created) == (bool(heard), not heard)
    assert await alerts(client, named) == heard


@pytest.mark.parametrize("of", ["the key", "its incident"])
async def test_what_cannot_be_decrypted_keeps_no_alarm(
    client: Client, of: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may be an honest one's, so the key is left to it; the alarm is declared without, and it is said."""
    for setting in ("INCIDENT_CODEC_KEY", "TEMPORAL_CODEC_ENDPOINT"):
        monkeypatch.delenv(setting, raising=False)
    told: dict[str, Any] = {**client.config(), "data_converter": encrypted(pydantic_data_converter, encryption.codec())}
    ours = Client(**told)
    named, queue = incident_id(T0), ids.task_queue(PLACE)
    await client.start_workflow("Incident", id=named, task_queue=queue, memo={"key": SEALED}, search_attributes=LIVE)
    memo = {"incident": SEALED if of == "the key" else named}
    await client.start_workflow("IncidentKey", id=HOLDER, task_queue=queue, memo=memo)
    started = await begin(ours)
    assert started.created
    assert "Warning: " in (said := capsys.readouterr().err)
    assert "encrypted" in said
    made = await client.get_workflow_handle(started.incident).describe()
    assert await made.memo_value("key", None) is None
    assert (await client.get_workflow_handle(HOLDER).describe()).status is WorkflowExecutionStatus.RUNNING
    assert await alerts(client, named) == 0


async def test_a_memo_that_nobody_can_read_stands_for_no_incident(client: Client) -> None:
    """The key is taken from it, and the alarm is declared."""
    place = ids.task_queue(PLACE)
    memo = {"incident": RawValue(Payload(metadata={"encoding": b"no/such"}, data=b"x"))}
    await client.start_workflow("IncidentKey", id=HOLDER, task_queue=place, memo=memo)
    assert (await begin(client)).created


async def test_a_key_is_of_its_environment_alone(client: Client) -> None:
    """An alarm that staging has too opens an incident in each, and no alert of one lands on the other's."""
    place = declaration().environment
    there = await begin(client, environment=place.model_copy(update={"name": "staging"}))
    here = await begin(client)
    assert (there.created, here.created) == (True, True)
    assert await alerts(client, there.incident) == 0


@pytest.mark.parametrize(
    "memo", [{}, {"incident": 7}, {"incident": "key/x\x1b[2J"}, {"incident": "Restore/" + "x" * 900}]
)
async def test_a_key_that_stands_for_no_incident_is_let_go(client: Client, memo: dict[str, Any]) -> None:
    """Whoever takes a key as none of our starters does keeps no incident from being declared, and names none."""
    await client.start_workflow(
        "IncidentKey",
        id=HOLDER,
        task_queue=ids.task_queue(PLACE),
        memo=memo,
    )
    started = await begin(client)
    assert started.created
    assert ids.is_incident_id(started.incident)


async def test_a_key_never_answers_for_another(client: Client) -> None:
    """25 keys within one slot of ids get 25 incidents, and no alert lands on another key's incident."""
    started = await asyncio.gather(*(begin(client, key=f"{KEY}/{n}") for n in range(25)))
    assert all(one.created for one in started)
    assert len({one.incident for one in started}) == 25
    assert sum([await alerts(client, one.incident) for one in started]) == 0


async def test_without_a_key_every_start_is_an_incident(client: Client) -> None:
    """Starts without a key at the same instant get different ids; an id that ended is not used again."""
    first = await begin(client, key=None)
    await client.get_workflow_handle(first.incident).terminate()
    started = await asyncio.gather(*(begin(client, key=None) for _ in range(6)))
    assert all(one.created for one in started)
    assert len({first.incident, *(one.incident for one in started)}) == 7
    assert len(await incidents(client, 7)) == 7


@pytest.mark.parametrize("title", ["Portal", "ä" * 200])
async def test_a_long_title_is_cut_for_the_summary_only(client: Client, title: str) -> None:
    """A title of any alphabet starts an incident; the UI's summary is cut between two characters."""
    started = await begin(client, title=title)
    found = await client.get_workflow_handle(started.incident).describe()
    summary = await found.static_summary()
    assert summary
    assert len(summary.encode()) <= 300
    assert title.startswith(summary)
    assert await found.memo_value("title") == title

"""Running incidents and changes page and hear whoever stands in, from when they do until they do not any more."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from domain.config.delegation import Delegation
from tests.builders import CHAIN, LEADS, declaration, minutes
from tests.delegating import delegation
from tests.workflows.asking import MANAGER, approve, ask
from tests.workflows.standing_in import learned
from tests.workflows.told import Told
from tests.workflows.world import World

FIRST = [*LEADS, MANAGER]
STAND_IN = "privacy-officer"


def lent(now: datetime, start: float, end: float, role: str = "devops-lead") -> Delegation:
    """The stand-in holds a role from so many minutes after now until so many."""
    at = now.replace(microsecond=0)
    return delegation(role=role, by=role, at=at - minutes(600), since=at + minutes(start), until=at + minutes(end))


def waves(pages: list[dict[str, Any]], started: datetime) -> dict[int, Counter[tuple[str, str]]]:
    """Who was paged as which role, by the minute since the declaration."""
    found: dict[int, Counter[tuple[str, str]]] = {}
    for page in pages:
        minute = round((datetime.fromisoformat(page["at"]) - started) / timedelta(minutes=1))
        found.setdefault(minute, Counter())[page["to"], page["role"]] += 1
    return found


async def test_an_unanswered_p0_pages_the_table_and_the_stand_in_in_their_time(
    skipping: WorkflowEnvironment, world: World
) -> None:
    """From the seventh minute until the twenty-second: at once, with each round, and then no more. Nobody else is."""
    started = (await skipping.get_current_time()).replace(microsecond=0)
    async with world.workers(skipping.client):
        declared = declaration(declared_at=started, delegations=(lent(started, 7, 22),))
        told = await Told.start(skipping.client, declared)
        await skipping.sleep(minutes(31))
        state = await told.state()
        kinds = [one["kind"] for one in await told.timeline()]
    expected = {minute: Counter((role, role) for role in FIRST) for minute in (0, 5, 10)}
    expected |= {minute: Counter((role, role) for role in (*FIRST, "cto")) for minute in (15, 20, 25)}
    expected[30] = Counter((role, role) for role in (*LEADS, *CHAIN))
    expected[7] = Counter()
    for minute in (7, 10, 15, 20):
        expected[minute][STAND_IN, "devops-lead"] += 1
    assert waves(state["pages"], started) == expected
    assert Counter(role for role, _ in world.pages) == Counter(
        role for wave in expected.values() for (_, role) in wave.elements()
    )
    assert (kinds.count("stand-in"), kinds.count("stand-in-over")) == (1, 1)
    assert [(one["in_force"], one["over"]) for one in state["stand_ins"]] == [(False, True)]


async def test_a_change_under_way_learns_who_stands_in_and_until_when(
    skipping: WorkflowEnvironment, world: World
) -> None:
    """Told while a change waits for votes: one page, and none but it; a vote in time counts, and none later."""
    async with world.workers(skipping.client):
        started = (await skipping.get_current_time()).replace(microsecond=0)
        told = await Told.start(skipping.client, declaration(declared_at=started))
        await told.do("acknowledge")
        change = await ask(told, by="development-lead")
        before = len((await told.state())["pages"])
        one = lent(await skipping.get_current_time(), 0, 4, MANAGER)
        await told.do("delegate", by=MANAGER, delegation=one.model_dump(mode="json", exclude_none=True))
        pages = (await told.state())["pages"][before:]
        assert [(page["to"], page["role"], page["about"]) for page in pages] == [
            (STAND_IN, MANAGER, change["workflow_id"])
        ]
        await learned(told, 1)
        await skipping.sleep(minutes(4))
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await approve(told, change, STAND_IN)
        assert f"{STAND_IN} may not decide this" in str(refused.value.cause)
        again = lent(await skipping.get_current_time(), 0, 60, MANAGER)
        await told.do("delegate", by=MANAGER, delegation=again.model_dump(mode="json", exclude_none=True))
        await learned(told, 2)
        assert [vote["role"] for vote in (await approve(told, change, STAND_IN))["approvals"]] == [MANAGER]
        await told.change_is("rollback", "applied")
    assert len(world.acted) == 1


async def test_ended_early_it_is_over_for_the_change_too(server: WorkflowEnvironment, world: World) -> None:
    """The change's own workflow refuses the vote from then on."""
    async with world.workers(server.client):
        started = datetime.now().astimezone()
        one = lent(started, -5, 60, MANAGER)
        told = await Told.start(server.client, declaration(declared_at=started, delegations=(one,)))
        await told.do("acknowledge")
        change = await ask(told, by="development-lead")
        await told.do("end_delegation", by=STAND_IN, delegation=one.id, reason="back")
        await learned(told, 1)
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await approve(told, change, STAND_IN)
        assert f"{STAND_IN} may not decide this" in str(refused.value.cause)
        assert (await approve(told, change))["status"] in {"applying", "verifying", "applied"}

"""A time without a zone, of the year 1, of the past or of the future stops no incident and moves no clock."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from domain.config.obligation import Obligations
from domain.values.timestamps import stamp
from tests.attacks.stranger import failed_tasks
from tests.builders import declaration
from tests.workflows.asking import approve, ask, begin, refused
from tests.workflows.told import Told
from tests.workflows.world import World

_IMPOSSIBLE = (
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "0026-11-23T03:00:00Z",
    "2026-11-23T03:00:00",
    "1e400",
    "-9e99",
)
_DUTIES = Obligations.model_validate(
    {
        "facts": [{"id": "eligible_at", "title": "Eligible"}],
        "obligations": [
            {
                "id": "oaic",
                "title": "Tell the OAIC",
                "basis": "law",
                "source": "s 26WK",
                "starts": "eligible_at",
                "due": {"within": "30d", "basis": "law", "source": "s 26WH"},
                "owner": "privacy-officer",
            }
        ],
    }
)


async def _incident(env: WorkflowEnvironment) -> Told:
    told = await Told.start(env.client, declaration(declared_at=datetime.now(UTC), obligations=_DUTIES))
    await told.do("acknowledge")
    return told


@pytest.mark.parametrize("at", _IMPOSSIBLE)
async def test_no_fact_is_of_such_a_time(server: WorkflowEnvironment, world: World, at: str) -> None:
    """By signal and by update it is refused, no duty begins, and the incident goes on."""
    async with world.workers(server.client):
        told = await _incident(server)
        fact = {"by": "devops-lead", "fact": "eligible_at", "at": at}
        for _ in range(2):  # nor when it is said again
            await told.handle.signal("record_fact", fact)
            with pytest.raises(WorkflowUpdateFailedError):
                await told.handle.execute_update("record_fact", fact)
        reasons = await refused(told, 2)
        assert (await told.state())["obligations"] == []
        await told.do("note", text="it goes on")
        assert await failed_tasks(server.client, told.handle.id) == []
    assert all(reason.startswith("Refused record_fact: at") for reason in reasons)


async def test_a_fact_long_before_is_asked_for_twice(server: WorkflowEnvironment, world: World) -> None:
    """One more than a year before the declaration is taken once it is said again; another is asked for on its own."""
    old = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2000)
    async with world.workers(server.client):
        told = await _incident(server)
        for at in (old, old + timedelta(days=1)):
            with pytest.raises(WorkflowUpdateFailedError) as asked:
                await told.do("record_fact", fact="eligible_at", at=stamp(at))
            assert "say the same again to confirm it" in str(asked.value.cause)
        assert (await told.state())["obligations"] == []
        state = await told.do("record_fact", fact="eligible_at", at=stamp(old))
        reasons = await refused(told, 2)
    assert state["obligations"][0]["due_at"] == stamp(old + timedelta(days=30))
    assert len(reasons) == 2


async def test_what_a_change_says_is_dated_as_it_can_be(server: WorkflowEnvironment, world: World) -> None:
    """Forged news without a zone, of 1999 or of the year 9999 is refused or dated behind the latest entry."""
    async with world.workers(server.client):
        told = await begin(server)
        change = await ask(told)
        for at in (*_IMPOSSIBLE, "1999-12-31T00:00:00Z", "2199-12-31T00:00:00Z"):
            await told.handle.signal("change_progress", _forged(change["workflow_id"], at))
        await refused(told, len(_IMPOSSIBLE))
        await approve(told, change)
        await told.change_is("rollback", "applied")
        entries = await told.timeline()
        assert await failed_tasks(server.client, told.handle.id) == []
    times = [datetime.fromisoformat(entry["at"]) for entry in entries]
    assert all(later >= earlier - timedelta(minutes=1) for earlier, later in pairwise(times))
    assert max(times) <= datetime.now(UTC)


async def test_an_approval_that_ends_at_no_time(server: WorkflowEnvironment, world: World) -> None:
    """Votes are asked for until an instant that a clock can count to, or not at all."""
    async with world.workers(server.client):
        told = await begin(server)
        change = await ask(told)
        ends = (*_IMPOSSIBLE, "2199-12-31T00:00:00Z")
        for until in ends:
            forged = _forged(change["workflow_id"], stamp(datetime.now(UTC)))
            asked = {"kind": "approval-asked", "title": "t", "eligible_at": [], "voters": [], "until": until}
            forged["events"][0]["event"] |= asked
            await told.handle.signal("change_progress", forged)
        await refused(told, len(ends))
        assert await failed_tasks(server.client, told.handle.id) == []


def _forged(workflow_id: str, at: str) -> dict[str, Any]:
    event = {"kind": "electorate", "step": "rollback", "workflow_id": workflow_id, "eligible_at": ["cto"]}
    return {"workflow_id": workflow_id, "events": [{"at": at, "actor": "cto", "event": event}]}

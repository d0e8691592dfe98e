"""An incident in which somebody stands in, and how a test knows that a change has learned of it."""

import asyncio
from datetime import UTC, datetime, timedelta

from tests.delegating import delegation
from tests.workflows.asking import approve
from tests.workflows.told import Told
from tests.workflows.world import World


async def learned(told: Told, times: int) -> None:
    """Wait until the rollback has been told so often who stands in."""
    while True:
        events = (await told.change("rollback").fetch_history()).events
        names = [event.workflow_execution_signaled_event_attributes.signal_name for event in events]
        if names.count("stand_ins_are") == times:
            return
        await asyncio.sleep(0.02)


async def stood_in(told: Told, world: World) -> None:
    """Somebody is told to stand in while a change waits for votes, approves it, and is not needed any more."""
    now = datetime.now(UTC).replace(microsecond=0)
    span = {"at": now - timedelta(hours=1), "since": now - timedelta(hours=1), "until": now + timedelta(hours=4)}
    one = delegation(role="technical-manager", by="technical-manager", **span)
    await told.do("acknowledge")
    await told.do("request_change", by="development-lead", step="rollback")
    change = await told.change_is("rollback", "awaiting-approval")
    await told.do("delegate", by=one.by, delegation=one.model_dump(mode="json", exclude_none=True))
    await learned(told, 1)
    await approve(told, change, one.to)
    await told.change_is("rollback", "applied")
    await told.do("end_delegation", by=one.to, delegation=one.id, reason="the manager is back")
    await told.do("false_alarm", reason="rehearsed")

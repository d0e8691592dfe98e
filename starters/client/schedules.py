"""An organisation's schedules in Temporal: what stands there, making it as the file has it, what came of the runs."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionResult,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleDescription,
    ScheduleHandle,
    ScheduleListActionStartWorkflow,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from domain.config.schedule import Schedule as Row
from domain.values.ids import schedule_id
from starters.client.connection import RPC_TIMEOUT, look, namespace_missing
from starters.client.schedule_rows import WORKFLOW, Difference, Place, as_row, differences, in_temporal
from starters.errors import RefusedError

_STARTS_WITHIN = timedelta(seconds=10)
_LOOK_SECONDS = 0.1


class Standing(NamedTuple):
    """A schedule as Temporal has it, and the row that it would be in the file; None if no row can say what it does."""

    found: ScheduleDescription
    row: Row | None

    @property
    def paused(self) -> str | None:
        """Why it is paused; None if it is not."""
        state = self.found.schedule.state
        return (state.note or "no reason given") if state.paused else None


class Plan(NamedTuple):
    """What `apply` would do: make, change field by field, leave as it is. `strange` stands in no file."""

    created: dict[str, Row]
    changed: dict[str, list[Difference]]
    unchanged: tuple[str, ...]
    strange: tuple[str, ...]


class Run(NamedTuple):
    """One run: when it was due and began (UTC), its workflow, and how that stands; `gone` once Temporal forgot it."""

    due: datetime
    began: datetime
    workflow_id: str
    status: str


async def standing(client: Client, environment: str, named: Iterable[str] = ()) -> dict[str, Standing]:
    """Everything of ours that stands in Temporal under an environment, by the ids of the rows: `named` and others.

    What others there are Temporal tells with a moment's delay.
    """
    others: list[str] = []
    async for one in await client.list_schedules(rpc_timeout=RPC_TIMEOUT):
        action = one.schedule and one.schedule.action
        where, _, id_ = one.id.rpartition(".")
        if where == environment and isinstance(action, ScheduleListActionStartWorkflow) and action.workflow == WORKFLOW:
            others.append(id_)
    ids = list(dict.fromkeys([*named, *sorted(others)]))
    found = await asyncio.gather(*(find(client, environment, id_) for id_ in ids))
    return {id_: one for id_, one in zip(ids, found, strict=True) if one is not None}


async def find(client: Client, environment: str, id_: str) -> Standing | None:
    """One schedule as it stands; None where there is none of this id."""
    try:
        found = await handle(client, environment, id_).describe(rpc_timeout=RPC_TIMEOUT)
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND or namespace_missing(error):
            raise
        return None
    action = found.schedule.action
    row = as_row(found.schedule, await _given(client, action), environment)
    return Standing(found, row if row and row.id == id_ else None)


async def _given(client: Client, action: object) -> list[Any]:
    """What a schedule's runs are given; nothing where it cannot be read: no row of ours makes such a schedule."""
    try:
        return (
            await client.data_converter.decode(action.args) if isinstance(action, ScheduleActionStartWorkflow) else []
        )
    except (KeyError, RuntimeError, TypeError, ValueError):
        return []


def handle(client: Client, environment: str, id_: str) -> ScheduleHandle:
    return client.get_schedule_handle(schedule_id(environment, id_))


def compare(rows: Mapping[str, Row], there: Mapping[str, Standing], place: Place) -> Plan:
    """Tell what the file has that Temporal has not, or has otherwise, field by field."""
    found = {
        id_: list(differences(rows[id_], one.row, one.found.schedule, place))
        for id_, one in there.items()
        if id_ in rows
    }
    return Plan(
        created={id_: row for id_, row in rows.items() if id_ not in there},
        changed={id_: several for id_, several in found.items() if several},
        unchanged=tuple(id_ for id_, several in found.items() if not several),
        strange=tuple(id_ for id_ in there if id_ not in rows),
    )


async def apply(client: Client, plan: Plan, rows: Mapping[str, Row], place: Place, *, prune: bool) -> None:
    """Do what a plan says; a paused schedule stays paused, with its note. Done again, it changes nothing.

    `prune` removes what stands in no file too. Raises `RefusedError` if somebody else makes the same at this moment.
    """
    for id_, row in plan.created.items():
        try:
            made = in_temporal(row, place)
            await client.create_schedule(schedule_id(place.environment, id_), made, rpc_timeout=RPC_TIMEOUT)
        except ScheduleAlreadyRunningError as error:
            raise RefusedError(f"somebody else has just made {id_}; apply again to see what differs") from error
    for id_ in plan.changed:
        wanted = in_temporal(rows[id_], place)
        await handle(client, place.environment, id_).update(_becomes(wanted), rpc_timeout=RPC_TIMEOUT)
    for id_ in plan.strange if prune else ():
        await handle(client, place.environment, id_).delete(rpc_timeout=RPC_TIMEOUT)


def _becomes(wanted: Schedule) -> Callable[[ScheduleUpdateInput], ScheduleUpdate]:
    def update(found: ScheduleUpdateInput) -> ScheduleUpdate:
        return ScheduleUpdate(replace(wanted, state=found.description.schedule.state))

    return update


async def runs(client: Client, there: Standing, last: int) -> list[Run]:
    """The last runs of those that Temporal tells of (ten), oldest first."""
    recent = there.found.info.recent_actions[-last:]
    return list(await asyncio.gather(*(_run(client, result) for result in recent)))


async def _run(client: Client, result: ScheduleActionResult) -> Run:
    action = result.action
    assert isinstance(action, ScheduleActionExecutionStartWorkflow)  # noqa: S101  (there is no other)
    found = await look(client, action.workflow_id, action.first_execution_run_id)
    status = "gone" if found is None else found.status.name.lower() if found.status else "unknown"
    return Run(result.scheduled_at, result.started_at, action.workflow_id, status)


async def trigger(client: Client, environment: str, id_: str, there: Standing) -> str:
    """Start a run now, though the schedule be paused, and return its workflow's id.

    Raises `RefusedError` while another run lasts, which Temporal would skip this one for, or if none begins in time.
    """
    if running := there.found.info.running_actions:
        raise RefusedError(f"a run of {id_} is under way: {_workflow(running[0])}")
    before, schedule = there.found.info.num_actions, handle(client, environment, id_)
    await schedule.trigger(rpc_timeout=RPC_TIMEOUT)
    until = time.monotonic() + _STARTS_WITHIN.total_seconds()
    while time.monotonic() < until:
        info = (await schedule.describe(rpc_timeout=RPC_TIMEOUT)).info
        if info.num_actions > before:
            return _workflow(info.recent_actions[-1].action)
        await asyncio.sleep(_LOOK_SECONDS)
    raise RefusedError(f"Temporal has begun no run of {id_} within {_STARTS_WITHIN.seconds} s; it may still begin")


def _workflow(action: object) -> str:
    """The id of the workflow that a run is."""
    assert isinstance(action, ScheduleActionExecutionStartWorkflow)  # noqa: S101  (there is no other)
    return action.workflow_id

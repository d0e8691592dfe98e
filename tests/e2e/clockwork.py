"""A year of schedules by backfill: its nominal times, and people who do whatever a run of them asks for."""

import re
from asyncio import wait_for
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from temporalio.client import (
    ScheduleBackfill,
    ScheduleOverlapPolicy,
    ScheduleUpdate,
    ScheduleUpdateInput,
    WorkflowHandle,
)
from temporalio.service import RPCError

from domain.config.schedule import Schedule
from domain.values import ids
from starters.files.organisation_folder import load_schedules
from tests.e2e.house import Document, House
from tests.waiting import until

ENVIRONMENT, ZONE, RESTORE = "sandbox", "Australia/Sydney", "restore-primary"
_MOMENT = timedelta(seconds=30)
_LOOK_SECONDS = 10
_CODE = re.compile(r"contact confirm (\S+)")


def rows(house: House) -> dict[str, Schedule]:
    """The organisation's own schedules of the sandbox, by their ids."""
    return load_schedules(Path(house.variables["INCIDENT_RUNBOOKS"]), ZONE).of(ENVIRONMENT)


def due(row: Schedule, year: tuple[datetime, datetime]) -> list[datetime]:
    return list(row.between(*year, ZoneInfo(ZONE)))


class Clockwork:
    """The schedules that `incident schedule apply` made; each runs when it is told to, at a pace of its own."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._client = house.asking.client
        house.run("schedule", "apply", "--yes")
        for row in rows(house):
            house.run("schedule", "pause", row, "--reason", "by hand")

    def _handle(self, row: str) -> Any:
        return self._client.get_schedule_handle(ids.schedule_id(ENVIRONMENT, row))

    def pace(self, row: str, speed: float) -> None:
        """Have the policy clocks of what a schedule declares go so fast, from its next run on."""

        async def faster(found: ScheduleUpdateInput) -> ScheduleUpdate:
            schedule: Any = found.description.schedule
            (given,) = await self._client.data_converter.decode(schedule.action.args)
            schedule.action.args = [{**given, "speed": speed}]
            return ScheduleUpdate(schedule)

        self._house.asking.run(self._handle(row).update(faster))

    def backfill(self, row: str, first: datetime, last: datetime) -> None:
        """Run what was due from `first` to `last`, one after the other."""
        each = ScheduleBackfill(first - _MOMENT, last + _MOMENT, overlap=ScheduleOverlapPolicy.BUFFER_ALL)
        self._house.asking.run(self._handle(row).backfill(each))

    def runs(self, row: str) -> dict[datetime, str]:
        """The runs of a schedule that have ended or last, by when they were due: how each stands."""

        async def listed() -> dict[datetime, str]:
            kept: dict[datetime, str] = {}
            name = ids.scheduled_workflow_id(ENVIRONMENT, row)
            async for one in self._client.list_workflows("WorkflowType = 'Scheduled'"):
                at = {pair.key.name: pair.value for pair in one.typed_search_attributes}.get(
                    "TemporalScheduledStartTime"
                )
                if one.id.startswith(f"{name}-") and isinstance(at, datetime):
                    kept[at.astimezone(UTC)] = one.status.name if one.status else "UNKNOWN"
            return kept

        return self._house.asking.run(listed())

    def incident_of(self, row: str, at: datetime) -> str:
        """The incident that a run has declared, itself or by its drill; waits until it is there."""
        workflow = self._run_id(row, at)

        def declared() -> str | None:
            for name in (workflow, ids.drill_workflow_id(ENVIRONMENT)):
                for child in self._children(name):
                    if child.startswith("inc-"):
                        return child
            return None

        return until(declared, f"{workflow} declares its incident", seconds=180)

    @staticmethod
    def _run_id(row: str, at: datetime) -> str:
        return f"{ids.scheduled_workflow_id(ENVIRONMENT, row)}-{at:%Y-%m-%dT%H:%M:%SZ}"

    def _children(self, workflow: str) -> Iterator[str]:
        try:
            described = self._house.asking.run(self._client.get_workflow_handle(workflow).describe())
        except RPCError:
            return
        yield from (one.workflow_id for one in described.raw_description.pending_children if one.run_id)

    def ended(self, row: str, at: datetime, seconds: float = 180) -> dict[str, Any]:
        """Wait until a run is over, and well; what it came to."""
        run: WorkflowHandle[Any, dict[str, Any]] = self._client.get_workflow_handle(
            self._run_id(row, at), result_type=dict
        )

        def over() -> dict[str, Any] | None:
            try:
                return self._house.asking.run(wait_for(run.result(), _LOOK_SECONDS))
            except (TimeoutError, RPCError):  # it lasts, or has not begun
                return None

        return until(over, f"{row} of {at} is over", seconds)


class People:
    """Who does each thing that an incident of upkeep or a drill asks for."""

    def __init__(self, house: House) -> None:
        self._house = house

    def say_codes(self, incident: str, silent: str | None = None) -> None:
        """All contacts say the codes that came to them, but one who is silent."""
        self._house.until(
            incident, "all codes are sent", lambda state: {one["status"] for one in state["notices"]} == {"sent"}
        )
        codes = {one["to"]: code for one in self._house.outbox(incident) for code in _CODE.findall(one["body"])}
        for one in self._house.json("contact", "list")["contacts"]:
            if one["channel"] and one["contact"] != silent:
                self._house.run("contact", "confirm", codes[one["address"]], "--as", one["contact"])

    def do(self, incident: str) -> None:
        """All tasks that are open are done, each by its owner, who notes how."""
        self._house.until(incident, "it has its tasks", lambda state: state["tasks"], seconds=90)
        state = self._house.state(incident)
        for task in state["tasks"]:
            if task["status"] != "open" or task["step"].startswith("confirm-"):
                continue
            step, owner, note = task["step"], task["owner"], "done as it says"
            if state["proofs"]:
                self._house.run("done", incident, step, "--note", note, "--as", owner)
            else:
                self._house.asking.update(incident, "complete_task", by=owner, step=step, note=note)

    def roll_back(self, incident: str) -> None:
        """A drill of a deployment that broke is responded to as it should be, to its end."""
        house = self._house
        house.run("ack", incident, "--as", "devops-lead")
        house.until(incident, "a finding suggests it", lambda state: _suspect(state, "recent-deployments"))
        house.run("change", incident, "rollback", "--as", "development-lead")
        plan = house.change(incident, "awaiting-approval")["plan"]
        house.run("approve", incident, "rollback", "--digest", plan["digest"], "--as", "technical-manager")
        house.change(incident, "applied")
        house.run("mitigated", incident, "--summary", "rolled back", "--as", "devops-lead")
        house.run("resolve", incident, "--summary", "steady", "--as", "devops-lead")
        self.do(incident)
        house.run("close", incident, "--as", "devops-lead")

    def recover(self, incident: str) -> None:
        """A recovery test: the restore is approved, then its undo, and the rest is signed off."""
        self._house.until(incident, "its tasks are asked for", lambda state: len(state["tasks"]) == 3)
        for word, number in (("change", 1), ("undo", 2)):
            plan = self._house.json(word, incident, RESTORE, "--as", "devops-lead")["plan"]
            self._house.run("approve", incident, RESTORE, "--digest", plan["digest"], "--as", "technical-manager")
            self._house.until(incident, f"{word} is applied", partial(_applied, number), seconds=180)
        self.do(incident)


def _suspect(state: Document, step: str) -> bool:
    return (step, "suspect") in {(one["step"], one["status"]) for one in state["findings"]}


def _applied(number: int, state: Document) -> bool:
    return (number, "applied") in {(one["generation"], one["status"]) for one in state["changes"]}

"""`incident schedule list`, `show`, `run`, `pause` and `resume`, against the real server."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import ScheduleBackfill
from temporalio.common import SearchAttributeKey
from temporalio.worker import Worker

from domain.model.scheduled import ScheduledRun
from domain.values.ids import task_queue
from starters.cli import terminal
from tests.starters.conftest import Said
from tests.starters.docked import Docks
from tests.waiting import until

DUE = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")


@workflow.defn(name="Scheduled", sandboxed=False)
class StandIn:
    """Ends at once, with what it was given and when it was due."""

    @workflow.run
    async def run(self, given: ScheduledRun) -> dict[str, Any]:
        due = workflow.info().typed_search_attributes
        return {
            **given.model_dump(),
            "due": str(next(p.value for p in due if p.key.name == "TemporalScheduledStartTime")),
        }


def test_a_run_by_hand_starts_at_once(docks: Docks) -> None:
    """With what the row declares; while it lasts no other begins; how it ended is told."""
    docks.applied()("pause", "night-watch", "--reason", "Runs by hand alone")
    said = docks("run", "night-watch", "--json")
    id_ = said.json["workflow_id"]
    assert (said.status, id_.startswith(f"scheduled/{docks.environment}/night-watch-")) == (0, True)
    second = docks("run", "night-watch")
    assert (second.status, f"under way: {id_}" in second.err) == (1, True)
    (run,) = docks.one("night-watch")["last_runs"]
    assert (run["workflow_id"], run["status"]) == (id_, "running")
    backstage = docks.backstage

    async def serve() -> Any:
        async with Worker(backstage.client, task_queue=task_queue(docks.environment), workflows=[StandIn]):
            return await backstage.client.get_workflow_handle(id_).result()

    given = backstage.run(serve())
    assert given | {"due": None} == {
        "schedule": "night-watch",
        "environment": docks.environment,
        "declares": "drift",
        "speed": 1,
        "drill": None,
        "due": None,
    }
    assert datetime.fromisoformat(given["due"]) == datetime.fromisoformat(run["due_at"]).replace(microsecond=0)
    assert docks.one("night-watch")["last_runs"][0]["status"] == "completed"
    assert "completed" in docks("list").out


def test_runs_that_were_missed_are_counted(docks: Docks) -> None:
    """Seven nights without a worker: one run waits, which is that of the first, and six are told."""
    week = datetime(2026, 6, 1, tzinfo=UTC)
    docks.applied()
    docks.backstage.run(docks.handle("night-watch").backfill(ScheduleBackfill(week, week + timedelta(days=7))))
    found = until(
        lambda: (one := docks.one("night-watch"))["missed"]["while_another_ran"] == 6 and one, "six are left out"
    )
    assert (found["runs"], found["missed"]["past_catch_up"]) == (1, 0)
    assert [one["due_at"] for one in found["last_runs"]] == ["2026-06-01T02:30:00Z"]
    assert "6 that came while a run before them had not ended" in docks("show", "night-watch").out
    assert "6 times missed" in docks("list").out


def test_the_next_ten_times_are_told_in_both_zones(docks: Docks) -> None:
    """By the organisation's clock, and in UTC."""
    times = docks.applied().one("call-round")["next_runs"]
    assert len(times) == 10
    said = docks("show", "call-round").out
    for at in map(datetime.fromisoformat, times):
        assert f"{at:%Y-%m-%dT%H:%M:%SZ}" in said
    assert said.count("-15 08:15:00 +0") == 10


def _known_to(docks: Docks, command: tuple[str, ...]) -> Said | None:
    said = docks(*command, "nightwatch")
    return said if "known" in said.err else None


def test_an_unknown_schedule_is_refused_with_the_known_ones(docks: Docks) -> None:
    """Exit 1, for each command that takes an id; where none stands, with how to make them."""
    assert "incident schedule apply" in docks("run", "night-watch").err
    docks.applied()
    for command in (("show",), ("run",), ("pause", "--reason", "x"), ("resume",)):
        said = until(partial(_known_to, docks, command), "Temporal lists what stands")
        assert (said.status, "did you mean 'night-watch'?" in said.err) == (1, True)


def test_without_temporal_every_command_exits_3(docks: Docks, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    commands = (
        ("apply", "--yes"),
        ("list",),
        ("show", "a"),
        ("run", "a"),
        ("pause", "a", "--reason", "x"),
        ("resume", "a"),
    )
    for command in commands:
        said = docks(*command)
        assert (said.status, said.err) == (3, "Temporal is not reachable at 127.0.0.1:1\n")


def test_tables_fit_into_80_columns(docks: Docks, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan, the list and one schedule."""
    monkeypatch.setattr(terminal, "_PIPE_WIDTH", 80)
    docks.applied()("pause", "storm-drill", "--reason", "The harbour is closed until the new pontoons are tested")
    for command in (("apply",), ("list",), ("show", "storm-drill")):
        said = docks(*command).out
        assert "storm-drill" in said or command[0] == "show"
        assert max(map(len, said.splitlines())) <= 80

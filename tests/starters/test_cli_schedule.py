"""`incident schedule apply`, against the real server: what it plans, and what then stands in Temporal."""

import dataclasses
import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    ScheduleSpec,
)

from tests.starters.docked import IDS, Docks
from tests.waiting import until


def test_what_would_be_made_is_shown_before_it_is(docks: Docks) -> None:
    """Without a terminal nothing is done but with --yes: the plan is printed, exit 2."""
    for arguments in ((), ("--json",)):
        said = docks("apply", *arguments)
        assert (said.status, "without a terminal, give --yes" in said.err) == (2, True)
        assert all(id_ in said.out for id_ in IDS)
    assert [one["applied"] for one in docks("list", "--json").json] == [False] * len(IDS)
    said = docks("apply", "--yes", "--json")
    assert (said.status, said.json["applied"], [one["id"] for one in said.json["created"]]) == (0, True, IDS)
    assert said.json["created"][1]["when"] == "13:00 on the first Monday of September"


def test_applied_twice_there_is_nothing_to_do(docks: Docks) -> None:
    """Nobody is asked then, with a terminal or without."""
    said = docks.applied()("apply")
    assert (said.status, "Nothing to do." in said.out) == (0, True)
    assert docks("apply", "--json").json | {"zone": None} == {
        "environment": docks.environment,
        "zone": None,
        "created": [],
        "changed": [],
        "unchanged": IDS,
        "not_in_file": [],
        "removed": [],
        "paused": {},
        "applied": False,
    }


def test_on_a_terminal_it_asks(docks: Docks, monkeypatch: pytest.MonkeyPatch) -> None:
    """No is a refusal, and nothing is made."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    for answer, status, applied in ((False, 1, False), (True, 0, True)):
        monkeypatch.setattr("click.confirm", lambda *_, answer=answer, **__: answer)
        said = docks("apply")
        assert (said.status, "night-watch" in said.err) == (status, True)
        assert [one["applied"] for one in docks("list", "--json").json] == [applied] * len(IDS)


def test_each_field_that_differs_is_told_old_and_new(docks: Docks) -> None:
    """And is changed by applying, the zone of the organisation too; the others are left alone."""
    docks.applied().rewrite(
        'declares: drift, at: "04:30", catch_up: 6h', 'declares: drill, at: "05:00", months: [1, 2]'
    )
    docks.rewrite("weekdays: [monday]", "weekdays: [tuesday]")
    docks.rewrite("days: [1, 2, 3, 4, 5, 6, 7], ", "")
    organisation = docks.folder / "organisation.yaml"
    plan = docks("apply", "--json").json
    changed = {one["id"]: [tuple(field.values()) for field in one["differences"]] for one in plan["changed"]}
    assert changed == {
        "night-watch": [
            ("declares", "drift", "drill"),
            ("at", "04:30", "05:00"),
            ("months", "every", "1, 2"),
            ("catch_up", "6h", "1d"),
        ],
        "storm-drill": [("days", "1, 2, 3, 4, 5, 6, 7", "every"), ("weekdays", "monday", "tuesday")],
    }
    assert "months: every → 1, 2" in docks("apply").out
    organisation.write_text(organisation.read_text(encoding="utf-8").replace("Europe/Oslo", "Europe/Lisbon"))
    assert "zone: Europe/Oslo → Europe/Lisbon" in docks("apply", "--yes").out
    assert docks("apply", "--json").json["unchanged"] == IDS
    assert docks.one("night-watch")["zone"] == "Europe/Lisbon"


def _no_calendar(schedule: Schedule) -> Schedule:
    return dataclasses.replace(schedule, spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(timedelta(hours=1))]))


def _more_calendars(schedule: Schedule) -> Schedule:
    return dataclasses.replace(
        schedule, spec=dataclasses.replace(schedule.spec, intervals=[ScheduleIntervalSpec(timedelta(hours=1))])
    )


def _overlapping(schedule: Schedule) -> Schedule:
    policy = dataclasses.replace(schedule.policy, overlap=ScheduleOverlapPolicy.ALLOW_ALL)
    return dataclasses.replace(schedule, policy=policy)


def _starting(was: Schedule, /, **otherwise: str) -> Schedule:
    """With something otherwise in what the workflow is given."""
    assert isinstance(was.action, ScheduleActionStartWorkflow)
    (given,) = was.action.args
    action = dataclasses.replace(was.action, args=[json.loads(given.data) | otherwise])
    return dataclasses.replace(was, action=action)


@pytest.mark.parametrize(
    "change",
    [
        _no_calendar,
        _more_calendars,
        _overlapping,
        partial(_starting, schedule="storm-drill"),
        partial(_starting, environment="production"),
    ],
)
def test_what_somebody_changed_by_hand_is_told_and_taken_back(
    docks: Docks, change: Callable[[Schedule], Schedule]
) -> None:
    """Whatever the file cannot say: other times, two runs at once, another start."""
    docks.applied().by_hand("night-watch", change)
    assert "not as the file has it" in docks("list").out
    (changed,) = docks("apply", "--json").json["changed"]
    assert [one["was"] for one in changed["differences"]] == ["changed by hand"]
    assert docks.applied()("apply", "--json").json["unchanged"] == IDS


def test_what_is_in_no_file_is_told_and_goes_only_when_asked(docks: Docks) -> None:
    """--yes alone removes nothing; another environment, and what is none of ours, is never looked at."""
    docks.applied().rewrite("  - {id: night-watch", "  - {id: day-watch")
    alien = f"{docks.environment}.alien"
    action = ScheduleActionStartWorkflow("Else", id="alien", task_queue="else")
    docks.backstage.run(docks.backstage.client.create_schedule(alien, Schedule(action, ScheduleSpec())))
    told = until(lambda: [one for one in docks("list", "--json").json if not one["in_file"]], "it is listed")
    assert [one["id"] for one in told] == ["night-watch"]
    said = docks("apply", "--yes", "--json").json
    assert (said["not_in_file"], said["removed"]) == (["night-watch"], [])
    assert "--prune removes it" in docks("apply").out
    assert docks("apply", "--prune").status == 2
    said = docks("apply", "--prune", "--yes", "--json").json
    assert (said["removed"], said["unchanged"]) == (["night-watch"], ["day-watch", *IDS[1:]])
    assert docks("show", "night-watch").status == 1
    docks.backstage.run(docks.backstage.client.get_schedule_handle(alien).delete())


def test_a_row_for_other_environments_is_not_made(docks: Docks) -> None:
    """Drills have no place in production."""
    other = docks.folder / "environments" / "other.yaml"
    here = docks.folder / "environments" / f"{docks.environment}.yaml"
    other.write_text(here.read_text(encoding="utf-8").replace(f"name: {docks.environment}", "name: other"))
    docks.rewrite("declares: drill, ", "declares: drill, environments: [other], ")
    assert [one["id"] for one in docks.applied()("list", "--json").json] == ["night-watch", "call-round", "trials"]


def test_what_a_person_paused_stays_paused(docks: Docks) -> None:
    """With the note, which every command tells; resuming is a person's too."""
    said = docks.applied()("pause", "storm-drill", "--reason", "The harbour is closed")
    note = "devops-lead: The harbour is closed"
    assert (said.status, note in said.out) == (0, True)
    docks.rewrite('at: "13:00"', 'at: "14:00"')
    assert docks("apply", "--json").json["paused"] == {"storm-drill": note}
    assert f"stays paused: {note}" in docks("apply", "--yes").out
    assert docks.one("storm-drill")["paused"] == note
    assert f"paused: {note}" in docks("list").out
    again = docks("pause", "storm-drill", "--reason", "Twice")
    assert (again.status, note in again.err) == (1, True)
    assert docks("resume", "storm-drill").status == 0
    assert docks.one("storm-drill")["paused"] is None
    assert docks("resume", "storm-drill").status == 1

"""What a schedule tries is what was not proven for ninety days, by the organisation's own steps; the rest is told."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from activities.catalogue import CHANGES
from domain.config.environment import Environment
from domain.config.runbook import ChangeStep, TaskStep
from domain.model.declaration import Declaration
from domain.model.scheduled import ScheduledCall, ScheduledRun
from domain.rules.proving import GOOD_FOR, Proof, Proven
from domain.values import limits
from starters.files.made_trials import Record
from starters.files.organisation_folder import load_environment, load_organisation
from starters.files.problems import InvalidFile
from starters.files.scheduled import declared
from starters.files.shipped import shipped_folder
from starters.files.trials import Trials, left_to_say, trials
from tests.organisations.folders import HARBOUR, RUNBOOK, written

NOW = datetime(2026, 11, 12, 9, 0, tzinfo=UTC)
MADE_UP = {
    "addresses": "198.51.100.9/32",
    "alarms": "an-alarm",
    "service": "timetable",
    "users": "0b3c9f52-6d1e-4f0e-9a57-0d1c2b3a4f5e",
}
"""What people say when they ask for a trial."""


def sorted_out(folder: Path, where: str, **environment: Any) -> Trials:
    found = load_environment(folder, where).model_copy(update=environment)
    return trials(folder, load_organisation(folder), found)


def run(folder: Path, where: str, record: Record | None = None) -> Declaration:
    asked = ScheduledRun(schedule="trials", environment=where, declares="trials")
    return declared(folder, ScheduledCall(run=asked, at=NOW, now=NOW), record)


def proven_ago(**ago: timedelta) -> Record:
    """What was proven so long ago, by the action's name with an underscore for its dot."""
    named = {name.replace("_", ".", 1): NOW - past for name, past in ago.items()}
    return Record({name: Proven(Proof(name, at, "inc-20260801-aaaa")) for name, at in named.items()})


@pytest.mark.parametrize(("folder", "where"), [(shipped_folder(), "sandbox"), (HARBOUR, "docks")])
def test_every_change_is_tried_or_told_why_not(folder: Path, where: str) -> None:
    """Nothing of the catalogue is left out; what is tried takes its parameters, and what only the asker knows."""
    found = sorted_out(folder, where)
    assert {*found.tried, *found.barred} == set(CHANGES)
    assert not found.tried.keys() & found.barred.keys()
    assert all(found.barred.values())
    for name, step in found.tried.items():
        said = {left: MADE_UP[left] for left in left_to_say(step) if left in MADE_UP}
        CHANGES[name].params.model_validate(step.params | said)


def test_what_axis_imaging_cannot_try_is_what_has_no_way_back() -> None:
    """And what its recovery test tries already; all others are tried, as its own runbooks say."""
    found = sorted_out(shipped_folder(), "sandbox")
    rehearsed = {name for name, why in found.barred.items() if why == "the recovery test does"}
    assert "rds.restore_test" in rehearsed
    assert {name for name, one in CHANGES.items() if one.irreversible} | rehearsed == found.barred.keys()
    assert len(found.tried) > len(found.barred)


@pytest.mark.parametrize(
    ("name", "environment", "why"),
    [
        ("rds.restore_test", {}, "docks has no recovery"),
        ("app.restart", {}, "it has no undo: tasks that were replaced do not come back, and need not"),
        ("rds.failover", {}, "no runbook names it"),
        ("ecs.scale_service", {}, None),
        ("ecs.scale_service", {"kind": "production"}, "nothing is tried in production"),
    ],
)
def test_each_has_its_reason(name: str, environment: dict[str, Any], why: str | None) -> None:
    assert sorted_out(HARBOUR, "docks", **environment).barred.get(name) == why


def test_an_environment_without_what_is_to_be_named_tries_nothing_on_it(tmp_path: Path) -> None:
    """A step may leave it to whoever asks which service it is: where there is none, nobody can say."""
    folder = written(tmp_path)
    file = folder / RUNBOOK
    book = yaml.safe_load(file.read_text(encoding="utf-8"))
    steps = [one for phase in book["phases"] for one in phase["steps"] if one.get("change") == "ecs.scale_service"]
    book["phases"] = [{"id": "now", "title": "Now", "steps": [{"id": "grow", **steps[0], "suggested_by": []}]}]
    file.write_text(yaml.safe_dump(book), encoding="utf-8")
    for services, why in (({}, "docks has no services"), (load_environment(folder, "docks").services, None)):
        assert sorted_out(folder, "docks", services=services).barred.get("ecs.scale_service") == why


def test_of_several_steps_the_one_that_says_most_is_taken() -> None:
    """A promotion whose asker must say that the primary is lost comes after one that needs no word."""
    tried = sorted_out(shipped_folder(), "sandbox").tried
    assert left_to_say(tried["ecs.rollback_service"]) == []
    assert left_to_say(tried["cognito.disable_users"]) == ["users"]
    assert tried["ecs.scale_service"].params == {"service": "backend", "count": 4}
    assert left_to_say(tried["ecs.scale_service"]) == []


def test_a_change_is_asked_for_seen_and_undone() -> None:
    """By its own step, with its parameters and approvers; who asks is told what to give."""
    made = run(shipped_folder(), "sandbox")
    steps = {step.id: step for step in made.runbook.steps()}
    trial, ask, undo = (
        steps["try-cognito-disable-users"],
        steps["ask-cognito-disable-users"],
        steps["undo-cognito-disable-users"],
    )
    assert isinstance(trial, ChangeStep)
    assert (trial.change, trial.params, trial.ask) == ("cognito.disable_users", {"user_pool": "patients"}, ("users",))
    assert trial.approval is not None
    assert trial.approval.roles == ("incident-commander", "security-lead", "technical-manager")
    assert isinstance(ask, TaskStep)
    assert "(incident change ID try-cognito-disable-users, with --set for users)" in ask.task
    assert (ask.opens, ask.key) == ("maintenance", "trials:sandbox")
    assert isinstance(undo, TaskStep)
    assert undo.until_undone == trial.id
    assert (made.mode, made.runbook.id) == ("upkeep", "trials")


def test_what_cannot_be_tried_stands_in_the_description() -> None:
    """Each with its reason, for whoever signs off; so does what could not be read of the record."""
    made = run(shipped_folder(), "sandbox", Record({}, ("inc-20260801-aaaa",)))
    assert "By schedule trials, due " in made.description
    assert "- rds.snapshot: it has no undo: the snapshot stays, as evidence\n" in made.description
    assert "- rds.restore_test: the recovery test does\n" in made.description
    assert made.description.endswith("Could not be read, and proves nothing: inc-20260801-aaaa.")
    sign = made.runbook.steps()[-1]
    assert isinstance(sign, TaskStep)
    assert (sign.id, sign.noted) == ("sign-off", True)


def test_what_was_proven_lately_is_not_tried_again() -> None:
    """Ninety days count, to the second; what has no undo and is proven is not told either."""
    of = proven_ago(rds_failover=GOOD_FOR, ecs_scale_out=GOOD_FOR + timedelta(seconds=1), app_restart=timedelta(days=3))
    made = run(shipped_folder(), "sandbox", of)
    tried = {step.change for step in made.runbook.steps() if isinstance(step, ChangeStep)}
    assert "rds.failover" not in tried
    assert "ecs.scale_out" in tried
    assert "app.restart" not in made.description
    assert len([step for step in made.runbook.steps() if isinstance(step, ChangeStep)]) == len(tried)


@pytest.mark.parametrize(("folder", "where"), [(shipped_folder(), "sandbox"), (HARBOUR, "docks")])
def test_it_fits_on_record(folder: Path, where: str) -> None:
    """With every change of the catalogue to be tried, in the environment that says most."""
    assert limits.size(run(folder, where).model_dump(mode="json", by_alias=True)) + 5_000 < limits.DECLARATION


def test_nothing_is_tried_in_production(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row that does is named, before anything is declared."""
    production: Environment = load_environment(HARBOUR, "docks").model_copy(update={"kind": "production"})
    monkeypatch.setattr("starters.files.scheduled.load_environment", lambda *_: production)
    with pytest.raises(InvalidFile, match=r"schedules.yaml: declares: tries changes, and docks is production"):
        run(HARBOUR, "docks")

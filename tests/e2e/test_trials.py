"""The trials of an environment on a whole sandbox: by a schedule, each asked for, approved, seen and undone."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.catalogue import CHANGES
from sandbox.seed.user_pools import sub
from tests.e2e.conftest import folder_for, opened
from tests.e2e.house import Document, House
from tests.e2e.standing import standing
from tests.e2e.test_upkeep import begun
from tests.e2e.workers import Worker, running
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.xdist_group("e2e"), pytest.mark.timeout(1500)]

USERS = f"users={sub(1)}"
GIVEN = {
    "cloudwatch.disable_alarm_actions": "alarms=axis-imaging-backend-production-cpu-high",
    "cognito.disable_users": USERS,
    "cognito.require_mfa": USERS,
    "ec2.restrict_network": "addresses=198.51.100.24/32",
    "wafv2.block_addresses": "addresses=198.51.100.23/32",
}
"""What people say when they ask, where the task tells them to."""
FAILOVER, GATED = "rds.failover", "ecs.scale_out"
LATELY = 10
"""For so many minutes RDS declines another failover."""


@pytest.fixture
def trial() -> Iterator[House]:
    """A sandbox of its own, in which nothing was proven before."""
    with folder_for("trials") as data_dir, opened(House(data_dir)) as one, running(Worker(one)) as worker:
        yield one
        worker.stop()


def test_every_change_is_tried_and_all_is_as_before(trial: House) -> None:
    """What can be tried takes effect and is undone; AWS then shows what it showed, and the record proves each."""
    before = standing(trial)
    handle, incident = begun(trial, "trials", 1)
    state = trial.until(incident, "its tasks are asked for", lambda state: state["tasks"])
    tried = {CHANGES_BY_STEP[one["step"]]: one for one in state["offers"]}
    flagged = proven(trial)
    barred = {name for name, row in flagged.items() if row["cannot_be_tried"]}
    assert {*tried, *barred} == set(CHANGES)
    shown = trial.run("show", incident)
    assert all(f"- {name}: " in shown for name in barred)
    carried_out(trial, incident, FAILOVER, "change", 1)
    stands = standing(trial)
    assert stands != before
    for name in sorted(tried.keys() - {FAILOVER}):
        with busy(trial, wanted=name == GATED):
            carried_out(trial, incident, name, "change", 1)
        assert standing(trial) != stands, f"{name} takes effect"
        carried_out(trial, incident, name, "undo", 2)
        assert standing(trial) == stands, f"{name} is undone"
    over = max(one["Date"] for one in failovers(trial)) + timedelta(minutes=LATELY)
    time.sleep(max((over - datetime.now(UTC)).total_seconds(), 0))  # to look meanwhile shows nothing
    until(lambda: not failovers(trial), "RDS fails over again")
    carried_out(trial, incident, FAILOVER, "undo", 2)
    for name in tried:
        trial.run("done", incident, f"ask-{slug(name)}", "--as", "devops-lead")
    trial.run("done", incident, "sign-off", "--note", "all back as before", "--as", "devops-lead")
    trial.asking.run(asyncio.wait_for(handle.result(), 60))
    assert standing(trial) == before
    now = proven(trial)
    assert {name for name in tried if now[name]["flagged"] or now[name]["undone_in"] != incident} == set()
    assert {name for name in barred if now[name]["flagged"]} == barred
    state = trial.show(incident)
    assert (state["status"], state["mode"], state["pages"]) == ("closed", "upkeep", [])
    assert {task["status"] for task in state["tasks"]} == {"done"}


def slug(action: str) -> str:
    return action.replace(".", "-").replace("_", "-")


CHANGES_BY_STEP = {f"try-{slug(name)}": name for name in CHANGES}


def proven(house: House) -> dict[str, Document]:
    """What the record says of every change."""
    rows = house.json("runbook", "actions", "--proven")["actions"]
    return {row["name"]: row for row in rows if row["name"] in CHANGES}


def carried_out(house: House, incident: str, action: str, word: str, number: int) -> None:
    """Ask for a trial, or its undo, have it approved by whoever may, as it is shown, and wait until it is verified."""
    step = f"try-{slug(action)}"
    given = ("--set", GIVEN[action]) if word == "change" and action in GIVEN else ()
    asker = "technical-manager" if action == "rds.resize_instance" else "devops-lead"
    planned = house.json(word, incident, step, *given, "--as", asker, "--yes")
    if planned["status"] == "awaiting-approval":
        for role in ("technical-manager", "cto", "devops-lead"):
            if role in planned["eligible"] and role != asker:
                house.run("approve", incident, step, "--digest", planned["plan"]["digest"], "--as", role)
    flying = {"planning", "awaiting-approval", "applying", "verifying"}

    def over() -> Document | None:
        changes = house.state(incident)["changes"]
        seen = next(one for one in changes if (one["step"], one["generation"]) == (step, number))
        return None if seen["status"] in flying else seen

    ended = until(over, f"{step} {number} ends", 200)
    assert ended["status"] == "applied", (step, number, ended["status"], ended.get("reason"))


def failovers(house: House) -> list[Any]:
    """What RDS would decline another failover for."""
    found: list[Any] = house.aws("rds").describe_events(Duration=LATELY, EventCategories=["failover"])["Events"]
    return found


@contextmanager
def busy(house: House, *, wanted: bool) -> Iterator[None]:
    """Let the tasks be busy meanwhile, where that is what a change waits for."""
    if wanted:
        told(house, "inject")
    try:
        yield
    finally:
        if wanted:
            told(house, "withdraw")


def told(house: House, word: str) -> None:
    """Call what the environment names for faults, as its drills do."""
    asked = {"do": word, "fault": "performance-cpu", "drill": "sandbox/trials"}
    answer = house.aws("lambda").invoke(FunctionName="axis-imaging-drill-faults", Payload=json.dumps(asked))
    assert "FunctionError" not in answer

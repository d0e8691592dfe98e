"""Somebody wants nobody to be reminded of work that is left, and schedules not to run: people are told by mail.

The real server and the hands of a real worker.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from temporalio.client import WorkflowExecutionStatus

from activities.channels.paging import Pager
from activities.watching.watcher import Watcher
from domain.model.silence import Found
from domain.values.ids import follow_up_workflow_id
from starters.client.schedules import handle
from starters.files.organisation_folder import load_environment, load_organisation, load_schedules
from tests.attacks.test_silenced import Account, delete, look, terminate
from tests.e2e.house import House
from tests.e2e.workers import Worker
from tests.house import FixedHouse
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

DUE = timedelta(minutes=2)
GRACE = timedelta(minutes=2)
DAY = timedelta(days=1)
LEFT = """
id: left-over
title: Work is left
version: "1.0"
severities: [P2]
owner: devops-lead
on_call: [devops-lead]
symptoms: [Something is to be learnt]
phases:
  - id: afterwards
    title: Afterwards
    starts: resolved
    steps:
      - {id: learn, task: Learn from it, owner: security-lead, due: 2m, required: false}
"""
NIGHTLY = """
id: nightly
title: A look each night
version: "1.0"
severities: [P3]
owner: devops-lead
on_call: [devops-lead]
symptoms: [It is night]
phases:
  - id: look
    title: Look
    steps:
      - {id: health, probe: http.health, title: Health, with: {endpoint: api}}
"""


def left(house: House, folder: Path, title: str, speed: str = "1") -> tuple[str, datetime]:
    """A closed incident that has left work, all on record, and when somebody is to be reminded of that."""
    (folder / "left-over.yaml").write_text(LEFT)
    answer = house.json("start", "left-over", "--severity", "P2", "--title", title, "--speed", speed)
    incident: str = answer["incident_id"]
    house.until(incident, "it is on record", lambda state: state["timeline"]["written"] > 0)
    house.asking.update(incident, "acknowledge", by="devops-lead")
    house.asking.update(incident, "mitigated", by="devops-lead", summary="by itself")
    house.asking.update(incident, "resolve", by="devops-lead", summary="it is over")
    house.asking.update(incident, "close", by="devops-lead")
    work = until(lambda: house.asking.query(follow_up_workflow_id(incident), "state"), "the work lives on", 60)
    (task,) = work["tasks"]
    return incident, datetime.fromisoformat(task["due_at"])


def goes_on(house: House, incident: str) -> bool:
    """Whether the work that the incident has left runs, and has been read back; what was ended answers queries too."""
    name = follow_up_workflow_id(incident)
    described = house.asking.run(house.asking.client.get_workflow_handle(name).describe())
    return described.status is WorkflowExecutionStatus.RUNNING and house.asking.query(name, "state") is not None


def mailed(house: House, incident: str) -> list[str]:
    """Who was told that nobody carries it on, in order of names; by mail alone."""
    found = [one for one in house.outbox(incident) if "nobody carries it on" in one["subject"]]
    assert {one["channel"] for one in found} <= {"email"}
    assert all(f"incident restore {incident}" in one["body"] for one in found)
    return sorted(one["role"] for one in found)


@pytest.mark.parametrize("silence", [terminate, delete])
def test_ended_follow_up_work_is_told(
    house: House, worker: Worker, folder: Path, silence: Callable[[House, str], None]
) -> None:
    """Its owner and the first of the chain have a mail, two minutes after the reminder that nobody got; once."""
    incident, due = left(house, folder, f"Somebody wants it forgotten: {silence.__name__}")
    silence(house, follow_up_workflow_id(incident))
    assert look(house, incident, due + GRACE - timedelta(seconds=1)) == []
    for _ in range(2):
        (found,) = look(house, incident, due + GRACE)
        assert (found.what, found.due_at) == ("learn overdue", due)
    assert mailed(house, incident) == ["security-lead", "technical-manager"]
    house.run("restore", incident)
    until(lambda: goes_on(house, incident), "the work goes on")
    house.run("done", incident, "learn", "--note", "learnt")
    until(lambda: look(house, incident, due + DAY) == [], "it is done, on record")


@pytest.mark.long
def test_the_workers_restore_follow_up_work(house: House, worker: Worker, folder: Path) -> None:
    """By themselves, where the environment says so; its owner is reminded then."""
    places = folder / "environments" / f"{house.variables['INCIDENT_ENVIRONMENT']}.yaml"
    places.write_text(f"{places.read_text()}\nrestore_silent: true\n")
    incident, _ = left(house, folder, "Nobody has to look", "4")  # due after 30 seconds, missed after 60
    terminate(house, follow_up_workflow_id(incident))
    until(lambda: goes_on(house, incident), "the work goes on by itself", 180)
    assert mailed(house, incident) == ["security-lead", "technical-manager"]
    until(
        lambda: any("Overdue: Learn from it" in one["subject"] for one in house.outbox(incident)),
        "its owner is reminded",
    )
    (restored,) = [one for one in house.json("timeline", incident, "--ledger") if one["kind"] == "restored"]
    assert "The watcher had paged" in restored["text"]
    house.run("done", incident, "learn", "--note", "learnt")


def test_a_deleted_schedule_is_told(house: House, worker: Worker, folder: Path) -> None:
    """It ran once; two of its times later whoever sees to security and the first of the chain have a mail, once."""
    where, people = house.variables["INCIDENT_ENVIRONMENT"], load_organisation(folder)
    at = "18:00" if 10 < datetime.now(ZoneInfo(people.timezone)).hour < 15 else "12:00"  # not meanwhile, nor at night
    (folder / "nightly.yaml").write_text(NIGHTLY)
    (folder / "schedules.yaml").write_text(f'schedules:\n  - {{id: nightly, declares: nightly, at: "{at}"}}\n')
    house.run("schedule", "apply", "--yes")
    house.run("schedule", "run", "nightly")
    until(lambda: run_is_over(house), "its run is over")
    house.asking.run(handle(house.asking.client, where, "nightly").delete())
    own = FixedHouse(load_environment(folder, where), people)
    own.rows = load_schedules(folder, people.timezone).of(where)

    def looked(at: datetime) -> list[Found]:
        account = Account(house)
        found = Watcher(account, own, Pager(account), lambda _: at).look()
        return [one for one in found if one.is_schedule]

    now = datetime.now(UTC)
    assert looked(now) == []
    for _ in range(2):
        (found,) = looked(now + 2 * DAY)
        assert (found.incident, found.can_go_on) == (f"schedule/{where}/nightly", False)
    told = [one for one in house.outbox(where) if one["subject"].startswith("[P3] Schedule nightly of")]
    assert all("incident schedule apply" in one["body"] for one in told)
    assert [one["channel"] for one in told] == ["email", "email"]
    assert sorted(one["role"] for one in told) == sorted([people.guard, people.chain[0]])
    assert "nightly" in house.run("schedule", "show", "nightly")


def run_is_over(house: House) -> bool:
    found = [one for one in house.json("list") if one["type"] == "nightly"]
    return bool(found) and all(one["status"] == "closed" for one in found)

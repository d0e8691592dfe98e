"""Temporal is lost for good: from the ledger alone every incident goes on, once, and no older life does harm."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from tests.e2e.account import Portal
from tests.e2e.asking import Asking
from tests.e2e.conftest import folder_for, opened
from tests.e2e.house import Document, House
from tests.e2e.losing import delete_database, kill_temporal, old_server
from tests.e2e.twelve import KEY, Twelve
from tests.e2e.wire import Wire, wire
from tests.e2e.workers import Worker, running
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(400), pytest.mark.xdist_group("e2e-restore")]

ROLLED_BACK = "ecs.UpdateService"
STANDS = ("status", "severity", "commander", "declared_at", "acknowledged_at", "mitigated_at", "resolved_at")
RE_PAGE_SECONDS = 5


@pytest.fixture
def lost() -> Iterator[House]:
    with folder_for("lost") as data_dir, opened(House(data_dir)) as one:
        yield one


def test_incidents_go_on_when_temporal_is_lost(lost: House, tmp_path: Path) -> None:
    """Deadlines, votes, pages, changes and keys of twelve incidents outlive the server and its database."""
    with wire(lost.variables["AWS_ENDPOINT_URL"]) as aws:
        worker, twelve = Worker(lost, AWS_ENDPOINT_URL=aws.url), Twelve(lost, aws)
        portal = Portal(lost)
        fault, deployed = portal.break_(), portal.deployed()
        with running(worker):
            twelve.begin()
            before = twelve.settled()
            calls = len(aws.calls)

            def die() -> None:
                worker.kill()
                kill_temporal(lost)

            twelve.roll_back(die)
            worker.end()
            delete_database(lost, tmp_path / "old.db")
            sent = {name: _pages(lost, incident) for name, incident in twelve.ids.items()}
            aws.dead.clear()
            lost.reopen()
            worker.start()
            _restore(lost, twelve)
            after = _after(lost, twelve)
            _assert_same(before, after)
            _assert_paged_once(lost, twelve, sent)
            _assert_change_goes_on(lost, twelve)
            assert aws.count(ROLLED_BACK, calls) == 1
            assert portal.deployed() == [*deployed, fault.good]
            _assert_one_chain(lost, twelve, before)
            _assert_follow_up(lost, twelve)
            _assert_old_life_is_powerless(lost, aws, twelve, tmp_path / "old.db")
            told = lost.json("rehearse")
            assert told["incidents"] >= len({*twelve.ids.values(), *twelve.linked})
            assert (told["differences"], told["unknown"]) == ([], [])
            worker.stop()


def _restore(house: House, twelve: Twelve) -> None:
    """Looked at first, then by two people at once, then once more: each incident once."""
    open_ones = {*twelve.ids.values(), *twelve.linked} - {twelve.ids["over"]}
    looked = house.json("restore", "--all", "--dry-run")
    assert {one["incident"]: one["outcome"] for one in looked} == dict.fromkeys(open_ones, "would-restore")
    assert house.json("list") == []
    answers = house.together(2, "restore", "--all", "--from-ledger", "--json")
    assert [one.returncode for one in answers] == [0, 0], [one.stderr for one in answers]
    outcomes: dict[str, list[str]] = {}
    for answer in answers:
        for one in json.loads(answer.stdout):
            outcomes.setdefault(one["incident"], []).append(one["outcome"])
    assert {incident: sorted(both) for incident, both in outcomes.items()} == {
        incident: ["restored", "running"] for incident in open_ones
    }
    again = house.json("restore", "--all")
    assert {one["incident"]: one["outcome"] for one in again} == dict.fromkeys(open_ones, "running")
    refused = house.call("restore", twelve.ids["over"])
    assert refused.returncode == 1
    assert "has ended: there is nothing to restore" in refused.stderr


def _after(house: House, twelve: Twelve) -> dict[str, Document]:
    """Each incident that is open, once all that it has to say is on record."""
    going_on = {name: one for name, one in twelve.ids.items() if name not in {"closed", "over"}}
    house.change(twelve.ids["rolling back"], "applied")
    house.change(twelve.ids["verifying"], "applied", step="block-addresses")
    for name, incident in going_on.items():
        house.until(
            incident, f"{name} is on record", lambda one: one["timeline"]["written"] == one["timeline"]["length"]
        )
    listed = {one["id"]: one for one in house.json("list")}
    assert listed.keys() == {*going_on.values(), *twelve.linked}
    shown = {name: house.show(incident) for name, incident in going_on.items()}
    for name, incident in going_on.items():
        found = listed[incident]
        for field in ("title", "type", "status", "severity", "mode", "declared_at"):
            assert found[field] == shown[name][field], f"{field} of {name}"
    return shown


def _assert_same(before: dict[str, Document], after: dict[str, Document]) -> None:
    """The same deadlines to the microsecond, votes, findings, tasks and duties; nothing moved but what went on."""
    for name, state in after.items():
        old = before[name]
        assert {part: state[part] for part in STANDS} == {part: old[part] for part in STANDS}, name
        assert state["obligations"] == old["obligations"], name
        assert state["findings"] == old["findings"], name
        if name == "unanswered":  # its minutes are seconds: some have passed meanwhile
            due, was = ({one["name"]: one["due_at"] for one in _clocks(each).values()} for each in (state, old))
            assert due == was
            continue
        assert _clocks(state) == _clocks(old), name
        assert _dues(state) == _dues(old), name
        assert [task["due_at"] for task in state["tasks"]] == [task["due_at"] for task in old["tasks"]], name
    (voting,), (was,) = (one["voting"]["changes"] for one in (after, before))
    assert voting["approvals"] == was["approvals"]
    assert [vote["by"] for vote in voting["approvals"]] == ["cto"]


def _clocks(state: Document) -> dict[str, Any]:
    """Every deadline and how it stands, but for an approval that was given meanwhile and a write under way."""
    return {one["name"]: one for one in state["clocks"] if one["name"] not in {"approval:rollback", "ledger"}}


def _dues(state: Document) -> list[Any]:
    return sorted((one["at"], one["what"]) for one in state["due"] if "rollback" not in one["what"])


def _pages(house: House, incident: str) -> Counter[str]:
    """What was delivered to people about an incident, by whom it went to and what it says."""
    delivered = [one for one in house.outbox(incident) if one["channel"] != "statuspage"]
    return Counter(f"{one['to']} {one['subject']}" for one in delivered)


def _assert_paged_once(house: House, twelve: Twelve, sent: dict[str, Counter[str]]) -> None:
    """Nobody is paged again for what the ledger held; re-pages that were missed become one round.

    What was sent behind the last entry may come once more, and none not at all; the public is told once.
    """
    for name, incident in twelve.ids.items():
        if name != "unanswered":
            assert _pages(house, incident) == sent[name], name
    unanswered = twelve.ids["unanswered"]
    house.asking.update(unanswered, "acknowledge", by="devops-lead")
    asked = Counter(page["role"] for page in house.state(unanswered)["pages"])
    until(lambda: _told(house, unanswered) >= asked, "every page is delivered")
    assert len(house.public(unanswered)) == 1
    entries = house.timeline(unanswered)
    seam = next(one for one in entries if one["kind"] == "restored")
    behind = _behind(
        house, unanswered, datetime.fromisoformat(seam["data"]["until"]), datetime.fromisoformat(seam["at"])
    )
    assert _told(house, unanswered) - asked <= behind
    at = [(one["kind"], datetime.fromisoformat(one["at"])) for one in entries]
    back = next(moment for kind, moment in at if kind == "restored")
    last = max(moment for kind, moment in at if kind == "paging" and moment < back)
    assert (back - last).total_seconds() > 2 * RE_PAGE_SECONDS
    rounds = [moment for kind, moment in at if kind == "paging" and moment >= back]
    assert (rounds[0] - back).total_seconds() < 1
    assert all((later - sooner).total_seconds() > 1 for sooner, later in pairwise(rounds))


def _behind(house: House, incident: str, until: datetime, back: datetime) -> Counter[str]:
    """How many pages were delivered, by role, of which the record may say nothing: it was written up to `until`."""
    sent = [one for one in house.outbox(incident) if one["channel"] != "statuspage"]
    late = until - timedelta(seconds=1)  # a page is heard to be delivered a moment after it was
    return Counter(one["role"] for one in sent if late <= datetime.fromisoformat(one["at"]) < back)


def _told(house: House, incident: str) -> Counter[str]:
    """How many pages were delivered about an incident, by role."""
    return Counter(one["role"] for one in house.outbox(incident) if one["channel"] != "statuspage")


def _assert_change_goes_on(house: House, twelve: Twelve) -> None:
    """The vote that was cast counts: the second one alone suffices. The key stands for its incident again."""
    change = house.change(twelve.ids["voting"], "awaiting-approval", step="resize-instance")
    twelve.approve(change, by="devops-lead")
    house.until(
        twelve.ids["voting"], "it is agreed on", lambda one: one["changes"][0]["status"] in {"verifying", "applied"}
    )
    alert = house.json("start", "system-outage", "--severity", "P0", "--title", "Again", "--key", KEY)
    assert (alert["created"], alert["incident_id"]) == (False, twelve.ids["declared"])


def _assert_one_chain(house: House, twelve: Twelve, before: dict[str, Document]) -> None:
    """Whole across the seam, in one epoch; one entry says from when on something may be missing."""
    for name, incident in twelve.ids.items():
        verdict = until(lambda one=incident: _intact(house, one), f"{name} is intact", 60)  # type: ignore[misc]
        assert [epoch["epoch"] for epoch in verdict["epochs"]] == [1], name
        entries = house.json("timeline", incident, "--ledger")
        seams = [one for one in entries if one["kind"] == "restored"]
        assert len(seams) == (0 if name == "over" else 1), name
        for seam in seams:
            assert seam["data"]["until"] == entries[seam["seq"] - 2]["at"].replace("+00:00", "Z"), name
            assert seam["data"]["entries"] == seam["seq"] - 1 >= before[name]["timeline"]["length"] - 1
            assert seam["data"]["term"] == 2


def _intact(house: House, incident: str) -> Document | None:
    done = house.call("audit", "verify", incident, "--json")
    found: Document = json.loads(done.stdout) if done.returncode == 0 else {}
    return found or None


def _assert_follow_up(house: House, twelve: Twelve) -> None:
    """The work of the closed incident is there to be done, and is written behind its end."""
    incident = twelve.ids["closed"]
    work = until(lambda: house.asking.query(f"{incident}/follow-up", "state"), "the follow-up work answers")
    task = next(task for task in work["tasks"] if task["status"] == "open")
    house.run("done", incident, task["step"], "--note", "after the loss")
    last = until(lambda: _last_task(house, incident), "it is written")
    assert last["data"]["follow_up"] == 2


def _last_task(house: House, incident: str) -> Document | None:
    last: Document = house.json("timeline", incident, "--ledger")[-1]
    return last if last["kind"] == "task" else None


def _assert_old_life_is_powerless(house: House, aws: Wire, twelve: Twelve, copy: Path) -> None:
    """The server comes back after all, with workers and AWS: its incidents end; neither AWS nor the record moves.

    What came of its change it learns from the record, where the later life has put it.
    """
    calls, rolling_back = len(aws.calls), twelve.ids["rolling back"]
    length = len(house.json("timeline", rolling_back, "--ledger"))
    with (
        old_server(copy) as address,
        running(Worker(house, AWS_ENDPOINT_URL=aws.url, TEMPORAL_ADDRESS=address)) as worker,
    ):
        old = Asking(house.variables | {"TEMPORAL_ADDRESS": address})
        handle: Any = old.client.get_workflow_handle(rolling_back)
        old.run(handle.signal("note", {"by": "cto", "text": "said to the old life"}))
        with pytest.raises(WorkflowFailureError) as failed:
            old.run(handle.result())
        assert isinstance(failed.value.cause, ApplicationError)
        assert failed.value.cause.type == "Superseded"
        change = old.run(old.client.get_workflow_handle(f"{rolling_back}/rollback/1").result())
        assert change["status"] == "applied"
        worker.stop()
    assert aws.count(ROLLED_BACK, calls) == 0
    assert len(house.json("timeline", rolling_back, "--ledger")) == length

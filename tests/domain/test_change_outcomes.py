"""A change whose workflow is gone: it ends, or goes on, as the record says."""

from typing import Any

import pytest

from domain.model.activity_io import Ballot, ChangeOutcome
from domain.model.effects import LookUp
from domain.model.records import ChangeRecord, ChangeStatus
from domain.rules import change_outcomes
from domain.rules.evolve import fold
from domain.rules.live import LiveIncident
from domain.rules.react import outstanding, under_way
from domain.values.status import Status
from tests.builders import T0
from tests.domain.changing import plan
from tests.domain.requesting import ask, tell
from tests.domain.speaking import incident_in

VOTES = (Ballot(by="technical-manager", role="technical-manager"),)


def lose(incident: LiveIncident) -> ChangeRecord:
    """The rollback that is asked for, whose workflow is gone."""
    record = incident.state.latest_change("rollback")
    assert record is not None
    incident.take(change_outcomes.lost(incident.state, record.workflow_id), T0)
    return record


def lost() -> tuple[LiveIncident, ChangeRecord]:
    incident = incident_in(Status.ACKNOWLEDGED)
    ask(incident)
    incident.effects.clear()
    return incident, lose(incident)


def settle(incident: LiveIncident, outcome: str, **fields: Any) -> None:
    (record,) = incident.state.changes
    found = ChangeOutcome.model_validate({"outcome": outcome, **fields})
    incident.take(change_outcomes.found(incident.state, record.workflow_id, found), T0)
    assert fold(incident.timeline.entries) == incident.state


def test_the_record_is_asked_once() -> None:
    """However often it is found gone; a run that ends meanwhile, and an incident that is restored, ask again."""
    incident, record = lost()
    lose(incident)
    assert incident.effects == [LookUp(record.workflow_id)]
    assert LookUp(record.workflow_id) in under_way(incident.state)
    assert LookUp(record.workflow_id) in list(outstanding(incident.state))
    assert (record.status, record.lost) == ("planning", 1)


def test_one_that_told_its_end_stays_as_it_ended() -> None:
    incident = incident_in(Status.ACKNOWLEDGED)
    ask(incident)
    tell(incident, ChangeStatus.REJECTED)
    assert not lose(incident).adrift
    settle(incident, "verified", message="steady")
    assert incident.state.changes[0].status == "rejected"


@pytest.mark.parametrize(
    ("outcome", "status", "says"),
    [
        ("nothing", "failed", "its workflow was ended from outside; nothing was done"),
        ("verified", "applied", "steady"),
        ("failed", "failed", "steady"),
        ("unread", "failed", "its workflow was ended from outside, and what came of it could not be read (steady)"),
        ("begun", "applying", None),
        ("partly", "applying", None),
    ],
)
def test_it_ends_as_the_record_says(outcome: str, status: str, says: str | None) -> None:
    """Never as failed with nothing done where something was begun; a begun one goes on."""
    incident, record = lost()
    settle(incident, outcome, message="steady")
    assert (record.status, record.reason, record.adrift) == (status, says, False)


@pytest.mark.parametrize("status", ["rejected", "cancelled", "expired"])
def test_one_that_was_decided_against_ends_so(status: str) -> None:
    """By whom, with the vote that rejected it."""
    incident, record = lost()
    no = {"by": "cto", "role": "cto", "decision": "reject", "at": T0, "comment": "look first"}
    given_up = {"status": status, "reason": "look first", "by": "cto", "votes": [no] if status == "rejected" else []}
    settle(incident, "given-up", given_up=given_up)
    assert (record.status, record.reason, record.adrift) == (status, "look first", False)
    assert [entry.actor for entry in incident.timeline.entries if entry.kind == "change"][-1] == "cto"
    votes = [("cto", "reject", "look first")] if status == "rejected" else []
    assert [(vote.by, vote.decision, vote.comment) for vote in record.approvals] == votes


def test_plan_and_votes_that_were_not_heard_are_on_record() -> None:
    """Each of them once."""
    incident, record = lost()
    settle(incident, "begun", plan=plan(), votes=VOTES)
    assert (record.plan, [vote.by for vote in record.approvals]) == (plan(), ["technical-manager"])
    lose(incident)
    settle(incident, "verified", plan=plan(), votes=VOTES, message="steady")
    kinds = [entry.kind for entry in incident.timeline.entries]
    assert (kinds.count("plan"), kinds.count("approval"), record.status) == (1, 1, "applied")


def test_one_that_was_being_verified_is_verified() -> None:
    incident = incident_in(Status.ACKNOWLEDGED)
    ask(incident)
    tell(incident, ChangeStatus.VERIFYING, made=plan(), ours=True)
    record = lose(incident)
    settle(incident, "begun", plan=plan())
    assert (record.status, record.ours) == ("verifying", True)


def test_one_that_is_ended_again_and_again_is_left_to_people() -> None:
    """It has been begun, so it is never told as if nothing were done; whoever commands is paged."""
    incident, record = lost()
    for _ in range(3):
        settle(incident, "begun", plan=plan(), votes=VOTES)
        assert record.status == "applying"
        lose(incident)
    before = len(incident.state.pages)
    settle(incident, "begun", plan=plan(), votes=VOTES)
    reason = "its workflow was ended from outside 4 times; it was begun, and no end of it is on record"
    assert (record.status, record.reason, record.ours) == ("failed", reason, True)
    (page,) = incident.state.pages[before:]
    assert page.reason == f"look what came of it: Roll back: {reason}"

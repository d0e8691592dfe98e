"""What a restored incident hears of its changes: what its record lacks, and nothing of that twice."""

from datetime import datetime
from typing import Any

from activities.ledger.restoring import heard_by
from domain.model.activity_io import Ballot, ChangeOutcome, Planned
from domain.model.commands import Approve, Reject
from domain.model.records import ChangeStatus
from domain.model.restoring import RestoredIncident
from domain.rules.change import LiveChange
from domain.rules.change_messages import ChangeRequest, Life
from domain.rules.evolve import fold
from domain.rules.live import LiveIncident
from tests.activities.report_worlds import Played
from tests.builders import T0, declaration, minutes
from tests.domain.changing import plan
from tests.domain.test_heard_once import asked, told


def restored(incident: LiveIncident, at: datetime, **more: Any) -> LiveIncident:
    entries = incident.timeline.entries
    kept = {"state": fold(entries), "length": len(entries), "head": entries[-1].hash, "epoch": 1, "term": 2}
    found = RestoredIncident(**kept, until=entries[-1].at, heard=heard_by(entries), **more)
    return LiveIncident.restored(found, at)


def test_an_end_stands_until_something_was_done() -> None:
    """An incident that was restored by a decision does not hear it as a second end, nor that nothing could be done."""
    incident, change = asked()
    at = T0 + minutes(2)
    incident.hear_change(told(change), at)
    (record,) = incident.state.changes
    change.hear("reject", Reject(by="technical-manager", reason="look first"), at)
    rejected = ChangeOutcome(outcome="given-up", given_up=change.given_up())
    live = restored(incident, at + minutes(1), intended={record.workflow_id: rejected})
    live.hear_change(told(change), at + minutes(2))
    change.failed("it was given up", at + minutes(3))
    live.hear_change(told(change), at + minutes(3))
    assert [one.kind for one in live.timeline.entries] == ["restored", "approval", "change"]
    assert [one.actor for one in live.timeline.entries][1:] == ["technical-manager"] * 2
    assert live.state.changes[0].status == "rejected"
    assert [(vote.by, vote.decision) for vote in live.state.changes[0].approvals] == [("technical-manager", "reject")]
    change.move(ChangeStatus.APPLIED, at + minutes(4), {}, ours=True)
    live.hear_change(told(change), at + minutes(4))
    assert live.timeline.entries[-1].data["status"] == "applied"


def test_what_is_on_record_is_not_taken_after_a_restore() -> None:
    """Read back from the record, the incident knows what it has heard; what is said since is heard."""
    incident, change = asked()
    at = T0 + minutes(2)
    old = told(change)
    incident.hear_change(old, at)
    live = restored(incident, at + minutes(20))
    change.failed("no answer", at + minutes(30))
    late = told(change)
    assert live.hear_change(old, at + minutes(30)) is None
    assert [one.kind for one in live.timeline.entries][-1] == "restored"
    live.hear_change(late, at + minutes(30))
    assert live.state.changes[0].status == "failed"


def test_a_restore_after_the_clock_was_set_back() -> None:
    """A change that is begun anew goes on above what is on record, and is heard, now and after another restore."""
    incident, change = asked()
    at = T0 + minutes(30)
    change.pass_time(at)
    incident.hear_change(told(change), at)
    back, record = at - minutes(25), incident.state.changes[0]
    incident.refuse("note", "cto", "empty", back)
    live = restored(incident, back)
    anew = LiveChange(ChangeRequest.of(live.state, record, told=live.heard[record.workflow_id]))
    anew.failed("no answer", back)
    assert live.hear_change(told(anew), back) is None
    assert live.state.changes[0].status == "failed"


def test_a_restore_of_what_was_asked_for_before_the_clock_was_set_back() -> None:
    """The change that runs on speaks with numbers above the time when it was asked for, though it began before that."""
    played = Played(declaration())
    played.say("request_change", "devops-lead", step="rollback")
    (record,) = played.incident.state.changes
    change = LiveChange(ChangeRequest.of(played.incident.state, record))
    back = record.requested_at - minutes(25)
    change.planned(Planned(plan=plan()), back)
    assert played.incident.hear_change(told(change), back) is None
    assert played.incident.state.changes[0].status == "awaiting-approval"
    live = restored(played.incident, back)
    change.failed("no answer", back + minutes(1))
    assert live.hear_change(told(change), back + minutes(1)) is None
    assert live.state.changes[0].status == "failed"


def test_a_restore_after_a_refusal_was_told_before_the_clock_was_set_back() -> None:
    """The latest time on record counts, of whichever entry."""
    incident, change = asked()
    at = T0 + minutes(30)
    change.refuse("approve", "cto", "too early", at)
    incident.hear_change(told(change), at)
    back = at - minutes(25)
    incident.refuse("note", "cto", "empty", back)
    live = restored(incident, back)
    change.failed("no answer", back + minutes(1))
    assert live.hear_change(told(change), back + minutes(1)) is None
    assert live.state.changes[0].status == "failed"


def test_a_vote_that_the_intent_has_told_is_not_told_again() -> None:
    """The change says what its incident was away for, and the incident was restored by the intent meanwhile."""
    incident, change = asked()
    at = T0 + minutes(2)
    incident.hear_change(told(change), at)
    record = change.record
    assert record.plan is not None
    given = {"by": "technical-manager", "digest": record.plan.digest}
    assert change.hear("approve", Approve.model_validate(given), at) is None
    votes = tuple(Ballot(by=vote.by, role=vote.role) for vote in record.approvals)
    begun = ChangeOutcome(outcome="begun", votes=votes, plan=record.plan)
    live = restored(incident, at + minutes(1), intended={record.workflow_id: begun})
    for _ in range(2):
        live.hear_change(told(change), at + minutes(2))
        assert [vote.by for vote in live.state.changes[0].approvals] == ["technical-manager"]
        change.failed("no answer", at + minutes(2))
    assert live.state.changes[0].status == "failed"


def test_what_was_heard_and_not_written_is_said_again() -> None:
    """All of it, in order, and once: plan, votes and the end, whatever the lost life of the incident had heard."""
    incident, change = asked()
    at = T0 + minutes(2)
    entries = len(incident.timeline.entries)
    incident.hear_change(told(change), at)
    change.hear("reject", Reject(by="technical-manager", reason="look first"), at)
    incident.hear_change(told(change), at)
    kept = incident.timeline.entries[:entries]
    found = {"state": fold(kept), "length": entries, "head": kept[-1].hash, "epoch": 1, "term": 2, "until": kept[-1].at}
    live = LiveIncident.restored(RestoredIncident(**found, heard=heard_by(kept)), at)
    change.goes_on(Life(term=2, heard=0))
    for _ in range(2):
        live.hear_change(told(change), at)
        change.goes_on(Life(term=2, heard=0))
    assert [one.kind for one in live.timeline.entries] == [
        "restored",
        "plan",
        "approval-asked",
        "page",
        "approval",
        "change",
    ]
    (record,) = live.state.changes
    assert (record.status, record.plan) == ("rejected", change.record.plan)
    assert [vote.by for vote in record.approvals] == ["technical-manager"]


def test_nobody_is_asked_about_what_is_under_way() -> None:
    """The hands' record says that it is begun; the change says again how it came to that."""
    incident, change = asked()
    at = T0 + minutes(2)
    entries = len(incident.timeline.entries)
    record = change.record
    assert record.plan is not None
    change.hear("approve", Approve(by="technical-manager", digest=record.plan.digest), at)
    kept = incident.timeline.entries[:entries]
    votes = tuple(Ballot(by=vote.by, role=vote.role) for vote in record.approvals)
    begun = ChangeOutcome(outcome="begun", votes=votes, plan=record.plan)
    found = {"state": fold(kept), "length": entries, "head": kept[-1].hash, "epoch": 1, "term": 2, "until": kept[-1].at}
    live = LiveIncident.restored(RestoredIncident(**found, intended={record.workflow_id: begun}), at)
    change.goes_on(Life(term=2, heard=0))
    before = len(live.state.pages)
    live.hear_change(told(change), at)
    assert [one.kind for one in live.timeline.entries] == ["restored", "plan", "approval", "change"]
    assert (live.state.changes[0].status, len(live.state.pages)) == ("applying", before)

"""What an incident is told again and again: news of a change once, alerts up to a number an hour."""

from datetime import datetime, timedelta
from typing import Any

from activities.ledger.restoring import heard_by
from domain.model.activity_io import Ballot, ChangeOutcome, Planned
from domain.model.commands import Approve, Reject
from domain.model.declaration import Alert
from domain.model.records import ChangeStatus
from domain.model.restoring import RestoredIncident
from domain.model.timeline import Timeline
from domain.rules.change import LiveChange
from domain.rules.change_messages import ChangeNews, ChangeRequest, Life
from domain.rules.evolve import fold
from domain.rules.live import LiveIncident
from domain.rules.refusals import WINDOW, WRITTEN
from domain.values import limits
from tests.activities.report_worlds import Played
from tests.builders import T0, declaration, minutes
from tests.domain.changing import plan


def asked() -> tuple[LiveIncident, LiveChange]:
    """An incident of T0, and the workflow of its rollback, which has said nothing yet."""
    played = Played(declaration())
    played.say("request_change", "devops-lead", step="rollback")
    incident = played.incident
    (record,) = incident.state.changes
    change = LiveChange(ChangeRequest.of(incident.state, record))
    change.planned(Planned(plan=plan()), played.now + minutes(1))
    return incident, change


def told(change: LiveChange) -> ChangeNews:
    news = change.news()
    assert news is not None
    return news


def restored(incident: LiveIncident, at: datetime, **more: Any) -> LiveIncident:
    entries = incident.timeline.entries
    kept = {"state": fold(entries), "length": len(entries), "head": entries[-1].hash, "epoch": 1, "term": 2}
    found = RestoredIncident(**kept, until=entries[-1].at, heard=heard_by(entries), **more)
    return LiveIncident.restored(found, at)


def test_news_is_taken_once() -> None:
    """The same again is no refusal, no entry and no page; what comes after it is heard."""
    incident, change = asked()
    at = T0 + minutes(2)
    news = told(change)
    assert incident.hear_change(news, at) is None
    length, pages = incident.timeline.length, len(incident.state.pages)
    for _ in range(40):
        assert incident.hear_change(news, at + minutes(1)) is None
    assert (incident.timeline.length, len(incident.state.pages)) == (length, pages)
    change.failed("no answer", at + minutes(2))
    assert incident.hear_change(told(change), at + minutes(2)) is None
    assert incident.state.changes[0].status == "failed"


def test_a_change_that_is_begun_anew_is_heard() -> None:
    """Its numbers go on above those of its lost life; news of that life is not taken."""
    incident, change = asked()
    at = T0 + minutes(2)
    old = told(change)
    incident.hear_change(old, at)
    (record,) = incident.state.changes
    anew = LiveChange(ChangeRequest.of(incident.state, record, told=incident.heard[record.workflow_id]))
    anew.failed("no answer", at - minutes(2))
    news = told(anew)
    assert news.events[0].number == old.events[-1].number + 1001
    incident.hear_change(news, at)
    assert incident.state.changes[0].status == "failed"


def test_the_numbers_go_on_in_the_next_run() -> None:
    """What was said in the run before is kept, to be said again."""
    _, change = asked()
    at = T0 + minutes(1)
    first = told(change)
    following = change.next_run(at, by_signal=True, wait_for_evidence=None)
    change = LiveChange(ChangeRequest.model_validate_json(following.model_dump_json()))
    change.failed("no answer", at)
    assert [one.number for one in told(change).events] == [first.events[-1].number + 1]
    change.goes_on(Life(term=2, heard=1))
    assert [one.number for one in told(change).events] == [2, 3]


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


def test_a_server_whose_clock_is_set_back() -> None:
    """What a change says goes on being heard, in the next run too."""
    incident, change = asked()
    at = T0 + minutes(30)
    change.refuse("approve", "cto", "too early", at)
    assert incident.hear_change(told(change), at) is None
    back = at - minutes(25)
    incident.refuse("note", "cto", "empty", back)
    incident.timeline.drop(incident.timeline.length, 1)
    timeline = Timeline.model_validate_json(incident.timeline.model_dump_json())
    following = LiveIncident(incident.state, timeline, incident.refusals, incident.heard)
    following.refuse("note", "cto", "empty", back)
    change.failed("no answer", at)
    assert following.hear_change(told(change), back) is None
    assert following.state.changes[0].status == "failed"
    assert following.timeline.entries[-1].at == back


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


def test_alerts_beyond_a_number_are_counted() -> None:
    """A thousand within an hour are fifty entries, and a reason for each other; the next hour's are heard again."""
    incident = LiveIncident.declared(declaration())
    alert, length = Alert(by="monitoring", text="y" * 3900), incident.timeline.length
    reasons = [incident.hear_alert(alert, T0 + timedelta(seconds=one)) for one in range(1000)]
    assert [one is None for one in reasons] == [True] * WRITTEN + [False] * (1000 - WRITTEN)
    assert incident.timeline.length == length + WRITTEN
    assert incident.hear_alert(alert, T0 + WINDOW) is None


def test_an_alert_that_reopens_is_heard_whatever_came_before() -> None:
    played = Played(declaration())
    incident = played.incident
    alert = Alert(by="monitoring", text="again")
    for _ in range(WRITTEN + 5):
        incident.hear_alert(alert, played.now)
    played.say("acknowledge", "devops-lead")
    played.say("mitigated", "devops-lead", summary="m")
    played.say("resolve", "devops-lead", summary="r")
    assert incident.hear_alert(alert, played.now) is None
    assert incident.state.status == "declared"
    assert incident.hear_alert(alert, played.now) is not None


def test_numbers_that_are_in_no_order_are_refused() -> None:
    """Nor may one be so far ahead that everything honest behind it would be taken for known."""
    incident, change = asked()
    news = told(change)
    assert [one.number for one in news.events] == [1, 2]
    for numbers in ([2, 1], [1, 1], [2, 3000]):
        pairs = zip(news.events, numbers, strict=True)
        said = [one.model_copy(update={"number": number}) for one, number in pairs]
        assert incident.hear_change(news.model_copy(update={"events": said}), T0) == "it is not numbered in order"
    assert incident.hear_change(news, T0 + minutes(2)) is None


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


def test_of_very_many_refusals_the_oldest_go() -> None:
    """Everything else is kept; what a change has to say fits into its next run, with votes of any length refused."""
    incident, change = asked()
    for minute in range(400):
        said = Approve(by="cto", digest="0" * 64, comment="\N{GRINNING FACE}" * 4000)
        change.hear("approve", said, T0 + minutes(minute))
    following = change.next_run(T0 + minutes(400), by_signal=False, wait_for_evidence=None)
    assert len(following.model_dump_json().encode()) < 1_000_000
    assert [one.event.kind for one in change.said.events[:2]] == ["plan", "approval-asked"]
    while (news := change.news()) is not None:
        assert len(news.model_dump_json().encode()) < limits.NEWS
        assert incident.hear_change(news, T0 + minutes(400)) is None
    assert change.said.unheard == []


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


def test_what_a_lost_life_said_silences_no_new_one() -> None:
    """Whoever copies it out of the history has it taken, and what is new is heard all the same."""
    incident, change = asked()
    at = T0 + minutes(2)
    old = told(change)
    incident.hear_change(old, at)
    change.refuse("approve", "cto", "too early", at)
    copied = told(change)
    (record,) = incident.state.changes
    anew = LiveChange(ChangeRequest.of(incident.state, record, told=incident.heard[record.workflow_id]))
    incident.hear_change(copied, at)
    anew.failed("no answer", at)
    incident.hear_change(told(anew), at)
    assert incident.state.changes[0].status == "failed"

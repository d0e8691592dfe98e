"""An incident that goes on from its record alone: the same state, and done again what the record does not end."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from domain.config.approval import ApprovalClass
from domain.model.activity_io import Applied, Ballot, ChangeOutcome
from domain.model.change_events import ApprovalAsked
from domain.model.effects import Observe, OpenIncident, Send, SendNotice, StartChange
from domain.model.event_kinds import Happening
from domain.model.events import Delivered, DeliveryFailed, PageAsked
from domain.model.finding import FindingStatus
from domain.model.restoring import RestoredIncident
from domain.model.work_events import LinkAsked, Linked, NoticeMoved
from domain.rules.change import LiveChange
from domain.rules.evolve import fold
from domain.rules.live import LiveIncident
from tests.activities.report_worlds import Played
from tests.builders import declaration, minutes, with_notices

GAP = timedelta(minutes=23)
T = TypeVar("T")


def restored(played: Played, after: timedelta = GAP, **found: Any) -> LiveIncident:
    """What goes on from everything that `played` has on its timeline, so long after its last moment."""
    entries, last = played.entries, played.entries[-1]
    read = {"state": fold(entries), "length": len(entries), "head": last.hash, "until": last.at}
    back = RestoredIncident(**{**read, "epoch": 1, "term": 2, "latest": read["until"], **found})
    return LiveIncident.restored(RestoredIncident.model_validate_json(back.model_dump_json()), played.now + after)


def again(played: Played, kind: type[T]) -> list[T]:
    return [effect for effect in restored(played).effects if isinstance(effect, kind)]


def outage() -> Played:
    """A fresh P0 of which nobody has answered: four pages asked for, two probes under way, notices to come."""
    return Played(declaration(runbook=with_notices()))


def take(played: Played, *events: Any) -> None:
    played.incident.take([Happening(event) for event in events], played.now)


def test_the_state_is_that_of_the_record() -> None:
    """Deadlines, votes, pages and tasks stand as they stood; one entry says what was missed, behind the last one."""
    played = outage()
    played.say("acknowledge", "devops-lead", minutes(3))
    played.say("request_change", "devops-lead", step="promote")
    digest = played.plan("promote", approval_class=ApprovalClass.A3)
    played.say("request_change", "development-lead", step="promote")
    played.vote("promote", "cto", digest=digest)
    incident, last = restored(played), played.entries[-1]
    assert incident.state == played.incident.state
    (entry,) = incident.timeline.entries
    assert (entry.seq, entry.prev, entry.kind, entry.at) == (last.seq + 1, last.hash, "restored", played.now + GAP)
    said = {name: entry.data[name] for name in ("term", "entries")}
    assert said == {"term": 2, "entries": last.seq}
    assert f"{last.seq} entries up to" in entry.text
    assert "a page of that time may come twice" in entry.text


def test_pages_without_an_end_on_record_are_sent_again() -> None:
    """Delivered or failed, a page is settled; any other is sent again, under its own number."""
    played = outage()
    asked = [PageAsked.model_validate(e.data) for e in played.entries if e.kind == "page"]
    assert again(played, Send) == [Send("page", number) for number in (1, 2, 3, 4)]
    take(played, Delivered(message="page", number=2, to=asked[1].to, channel="sms", message_id="r"))
    take(played, DeliveryFailed(message="page", number=4, to=asked[3].to, reason="no channel"))
    assert again(played, Send) == [Send("page", 1), Send("page", 3)]


def test_mails_without_an_end_on_record_are_sent_again() -> None:
    """A reminder whose mail is delivered is not repeated."""
    played = outage()
    played.say("acknowledge", "devops-lead", minutes(1))
    played.say("mitigated", "devops-lead", summary="rolled back")
    played.say("resolve", "devops-lead", summary="steady")
    played.wait(timedelta(days=8))  # the review was due within five business days
    mails = list(played.incident.state.mails)
    assert mails
    assert again(played, Send)[-len(mails) :] == [Send("mail", mail.number) for mail in mails]
    for mail in mails:
        take(played, Delivered(message="mail", number=mail.number, to=mail.to, channel="email", message_id="r"))
    assert not any(send.message == "mail" for send in again(played, Send))


@pytest.mark.parametrize(("status", "expected"), [("sending", 1), ("sent", 0), ("failed", 0), ("skipped", 0)])
def test_a_notice_that_was_being_sent_is_sent_again(status: Any, expected: int) -> None:
    """Its action looks first whether it is out already; one that has ended, or waits for its time, is left."""
    played = outage()
    sequence = 1 if status == "sending" else None
    take(played, NoticeMoved(step="investigating", status=status, sequence=sequence))
    assert again(played, SendNotice) == [SendNotice(step="investigating")] * expected


def test_probes_without_an_answer_look_again() -> None:
    """A finding on record stands; once the incident has ended nobody looks for more."""
    played = outage()
    played.find("deployments", FindingStatus.SUSPECT, "3 of 3 tasks unhealthy")
    assert again(played, Observe) == [Observe(step="health")]
    played.say("false_alarm", "devops-lead", reason="a drill")
    assert again(played, Observe) == []


def test_a_linked_incident_that_nobody_opened_is_opened() -> None:
    """One that has an id is not opened a second time."""
    played = outage()
    take(played, LinkAsked(type="data-breach", because="found by health"))
    assert again(played, OpenIncident) == [OpenIncident(type="data-breach")]
    take(played, Linked(type="data-breach", because="found by health", incident="inc-20261123-0001"))
    assert again(played, OpenIncident) == []


def _requested(_: Played) -> None:
    """Nothing more."""


def _planned(played: Played) -> None:
    played.plan("rollback")


def _approved(played: Played) -> None:
    played.vote("rollback", "technical-manager", digest=played.plan("rollback"))


def _applied(played: Played) -> None:
    _approved(played)
    played.changes["rollback"].applied(Applied(outcome="applied"), played.now)
    played._told("rollback")


@pytest.mark.parametrize(
    ("come", "status"),
    [(_requested, "planning"), (_planned, "awaiting-approval"), (_approved, "applying"), (_applied, "verifying")],
)
def test_a_change_goes_on_where_it_stood(come: Callable[[Played], None], status: str) -> None:
    """Its workflow starts again from its record; one that has ended does not."""
    played = outage()
    played.say("request_change", "devops-lead", step="rollback")
    come(played)
    incident = restored(played)
    (change,) = incident.state.changes
    assert change.status == status
    assert StartChange(workflow_id=change.workflow_id) in incident.effects
    take(played, *_rejected(played))
    assert again(played, StartChange) == []


def _rejected(played: Played) -> list[Any]:
    """What the change says when it ends."""
    played.changes["rollback"].failed("Transient: no answer", played.now)
    news = played.changes["rollback"].news()
    assert news is not None
    return [happening.event for happening in news.happenings()]


def test_an_intent_on_record_is_an_approval() -> None:
    """What followed the vote was lost with the server: the change goes on as approved, and says by whom."""
    played = outage()
    played.say("request_change", "devops-lead", step="rollback")
    played.plan("rollback")
    (change,) = played.incident.state.changes
    votes = (Ballot(by="technical-manager", role="technical-manager"),)
    incident = restored(played, intended={change.workflow_id: ChangeOutcome(outcome="begun", votes=votes)})
    (went_on,) = incident.state.changes
    assert went_on.status == "applying"
    assert [entry.kind for entry in incident.timeline.entries] == ["restored", "approval", "change"]
    assert "its intent is on record, approved by technical-manager" in incident.timeline.entries[2].text
    assert StartChange(workflow_id=change.workflow_id) in incident.effects


def test_missed_pages_become_one_round() -> None:
    """After an hour without a server everybody who is due by then is paged once, and the next round is on the grid."""
    played = outage()
    for number, page in enumerate(played.incident.state.pages, start=1):
        take(played, Delivered(message="page", number=number, to=page.to, channel="sms", message_id="r"))
    base = played.incident.state.paging.base
    incident = restored(played, after=minutes(62))
    incident.pass_time(played.now + minutes(62))
    new = [PageAsked.model_validate(entry.data) for entry in incident.timeline.entries if entry.kind == "page"]
    everybody = ["devops-lead", "development-lead", "security-lead", "technical-manager", "cto", "ceo"]
    assert sorted(page.to for page in new) == sorted(everybody)
    assert incident.state.paging.next_at == base + minutes(65)


def test_voters_of_a_window_that_has_passed_are_paged_once() -> None:
    """The next level of the chain may decide too, from now on; the half time that was missed is not made up for."""
    played = outage()
    played.say("request_change", "devops-lead", step="rollback")
    played.plan("rollback")
    incident = restored(played, after=minutes(45))
    (record,) = incident.state.changes
    assert record.window is not None
    now = played.now + minutes(45)
    change = LiveChange(played.changes["rollback"].request.model_copy(update={"record": record}))
    assert change.next_due() == record.window.half_at
    change.pass_time(now)
    news = change.news()
    assert news is not None
    (asked,) = [happening.event for happening in news.happenings()]
    assert isinstance(asked, ApprovalAsked)
    assert (asked.again, asked.added, asked.until) == (False, "cto", now + minutes(10))
    assert (change.next_due() or now) > now


def test_a_change_that_goes_on_takes_the_votes_that_it_lacks() -> None:
    """The first vote is kept: the second one alone suffices, and the first person is not heard again."""
    played = outage()
    played.say("request_change", "development-lead", step="promote")
    digest = played.plan("promote", approval_class=ApprovalClass.A3)
    played.vote("promote", "cto", digest=digest)
    incident = restored(played, after=minutes(1))
    (record,) = incident.state.changes
    played.changes["promote"] = LiveChange(played.changes["promote"].request.model_copy(update={"record": record}))
    played.incident = incident
    played.vote("promote", "cto", digest=digest)
    assert played.incident.state.changes[0].status == "awaiting-approval"
    played.vote("promote", "devops-lead", digest=digest)
    assert played.incident.state.changes[0].status == "applying"
    assert [vote.by for vote in played.incident.state.changes[0].approvals] == ["cto", "devops-lead"]

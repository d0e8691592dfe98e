"""Stand-ins vote on changes for the role that they hold, for as long as they do, and are one vote each."""

from datetime import timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.config.delegation import Delegation
from domain.model.commands import RequestChange
from domain.model.effects import TellChanges
from domain.rehearsal.record import read
from domain.rehearsal.rehearse import Rehearser
from domain.rules.change_messages import ChangeRequest, StandIns
from tests.activities.report_worlds import Played
from tests.builders import T0, declaration, minutes
from tests.delegating import HOUR, delegation
from tests.domain.changing import plan
from tests.domain.test_delegating import SECOND, pages, told
from tests.domain.test_rehearsal import CLASSES, documents


class Changed(Played):
    """An incident whose changes learn who stands in, as their workflows do."""

    def _work(self) -> None:
        for effect in self.incident.effects:
            if isinstance(effect, TellChanges) and effect.signal == "stand_ins_are":
                for change in self.changes.values():
                    change.stand_ins_are(StandIns.model_validate(effect.payload), self.now)
        super()._work()


def promoting(*delegations: Delegation) -> Changed:
    """A change that the CTO and the devops lead decide together, and that the development lead has asked for."""
    played = Changed(declaration(delegations=delegations))
    played.say("acknowledge", "development-lead")
    played.say("request_change", "development-lead", step="promote")
    played.plan("promote", **plan("A3").model_dump(exclude={"digest"}))
    return played


def vote(played: Changed, by: str, after: timedelta = SECOND) -> str | None:
    """Approve what stands; returns why it was refused."""
    before = len(played.entries)
    digest = played.changes["promote"].record.plan
    assert digest is not None
    played.vote("promote", by, after, digest=digest.digest)
    refused = [entry.text for entry in played.entries[before:] if entry.kind == "refused"]
    return refused[0] if refused else None


def test_a_stand_in_votes_for_the_role() -> None:
    played = promoting(delegation())
    asked = [(page.to, page.role) for page in played.incident.state.pages if page.about]
    assert asked == [("cto", "cto"), ("devops-lead", "devops-lead"), ("privacy-officer", "devops-lead")]
    assert vote(played, "privacy-officer") is None
    assert "every role of devops-lead has voted already" in str(vote(played, "devops-lead"))
    assert vote(played, "cto") is None
    assert played.changes["promote"].record.status == "applying"
    assert [one.role for one in played.changes["promote"].votes()] == ["devops-lead", "cto"]


def test_one_person_is_one_vote() -> None:
    """Whoever stands in for one of two who must agree is no second voice beside their own."""
    played = promoting(delegation(to="cto"))
    assert vote(played, "cto") is None
    assert "has voted already" in str(vote(played, "cto"))
    assert played.changes["promote"].record.status == "awaiting-approval"


def test_whoever_asked_does_not_vote_as_a_stand_in() -> None:
    played = promoting(delegation(to="development-lead"))
    assert "requested this change" in str(vote(played, "development-lead"))


def test_a_change_under_way_learns_of_a_stand_in() -> None:
    """Who is paged for the vote at once, and nobody else; and who votes no more once it is ended."""
    played, one = promoting(), delegation(at=T0, since=T0)
    before = len(played.entries)
    assert "may not decide this" in str(vote(played, "privacy-officer"))
    played.say("delegate", "devops-lead", delegation=one.model_dump(mode="json"))
    assert pages(played.incident, before) == [("privacy-officer", "devops-lead")]
    assert played.incident.state.pages[-1].about == played.changes["promote"].record.workflow_id
    early = StandIns.of(played.incident.state)
    played.say("end_delegation", "devops-lead", delegation=one.id, reason="back")
    assert "may not decide this" in str(vote(played, "privacy-officer"))
    played.changes["promote"].stand_ins_are(early, played.now)  # somebody copies it out of the history
    assert "may not decide this" in str(vote(played, "privacy-officer"))


def test_a_role_that_does_not_decide_pages_nobody_for_the_vote() -> None:
    """Nor is whoever asked for the change paged for it, as they do not vote on it."""
    played = promoting()
    for one in (
        delegation(role="privacy-officer", to="ceo", by="privacy-officer"),
        delegation(role="cto", to="development-lead", by="cto"),
    ):
        before = len(played.entries)
        played.say("delegate", one.by, delegation=one.model_dump(mode="json"))
        assert pages(played.incident, before) == []


def test_a_vote_lapses_with_its_time() -> None:
    """Until the change is decided: the holder then votes for the role themselves."""
    played = promoting(delegation(until=T0 + minutes(5)))
    assert vote(played, "privacy-officer") is None
    assert vote(played, "cto", minutes(6)) is None
    assert played.changes["promote"].record.status == "awaiting-approval"
    assert vote(played, "devops-lead") is None
    assert played.changes["promote"].record.status == "applying"
    assert [one.by for one in played.changes["promote"].votes()] == ["cto", "devops-lead"]


def test_what_was_decided_in_time_stays_decided() -> None:
    """Though somebody speaks of it later."""
    played = promoting(delegation(until=T0 + minutes(5)))
    assert vote(played, "privacy-officer") is None
    assert vote(played, "cto") is None
    played.wait(minutes(10))
    assert vote(played, "security-lead") is not None
    assert [one.by for one in played.changes["promote"].votes()] == ["privacy-officer", "cto"]


def test_a_change_that_goes_on_knows_them() -> None:
    """From its incident's record, as from one run to the next."""
    one = delegation()
    played = told(one)
    assert played.incident.hear("request_change", RequestChange(by="cto", step="rollback"), T0 + HOUR) is None
    request = ChangeRequest.of(played.incident.state, played.incident.state.changes[-1])
    assert request.delegations == (one,)


def test_what_stand_ins_did_is_rehearsed_without_a_difference() -> None:
    """From its record alone: told of at the beginning and later, begun and over by the clock, ended by hand."""
    one = delegation(role="cto", to="privacy-officer", by="cto", until=T0 + minutes(40))
    other = delegation(to="security-lead", at=T0, since=T0 + minutes(3))
    played = promoting(one)
    played.say("delegate", "devops-lead", delegation=other.model_dump(mode="json"))
    assert vote(played, "privacy-officer", minutes(4)) is None
    assert vote(played, "security-lead") is None
    played.end("promote", "steady")
    played.say("end_delegation", "security-lead", delegation=other.id, reason="back")
    played.wait(minutes(60))
    record = read(played.entries)
    assert Rehearser(CLASSES).rehearse(record, documents(record)) == []


SPANS = st.tuples(st.integers(0, 8), st.integers(1, 8)).map(lambda two: (two[0], two[0] + two[1]))


@settings(deadline=None, max_examples=200)
@example(
    [("privacy-officer", (0, 2)), ("privacy-officer", (3, 4))],
    [(0, "privacy-officer"), (1, "cto"), (2, "privacy-officer")],
)
@given(
    st.lists(st.tuples(st.sampled_from(["privacy-officer", "security-lead"]), SPANS), max_size=3),
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["privacy-officer", "security-lead", "cto"])), max_size=6),
)
def test_no_vote_counts_outside_the_time_of_a_delegation(
    spans: list[tuple[str, tuple[int, int]]], votes: list[tuple[int, str]]
) -> None:
    """In whichever order people vote: a vote decides where by then the CTO and somebody who leads have said yes."""
    lent = [
        delegation(to=who, at=T0 - number * SECOND - HOUR, since=T0 + minutes(start), until=T0 + minutes(end))
        for number, (who, (start, end)) in enumerate(spans)
    ]
    played = promoting(*lent)
    begun = played.now

    def leads(who: str, minute: int) -> bool:
        return any(one.to == who and one.since <= begun + minutes(minute) < one.until for one in lent)

    cast: set[str] = set()
    for minute, who in sorted(votes):
        change = played.changes["promote"]
        if change.record.status != "awaiting-approval":
            break
        played.now = begun + minutes(minute)
        standing = {one for one in cast if one != "cto" and leads(one, minute)}
        may = who not in cast and (who == "cto" or (leads(who, minute) and not standing))
        assert (vote(played, who, timedelta(0)) is None) == may
        cast |= {who} if may else set()
        decided = may and "cto" in cast and any(leads(one, minute) for one in cast - {"cto"})
        assert (change.record.status == "applying") == decided

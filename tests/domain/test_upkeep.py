"""Upkeep: nobody is paged, what it finds is opened under keys, and it closes once its work is done or over."""

from datetime import timedelta
from typing import Any

import pytest

from domain.model.effects import OpenIncident
from domain.model.event_kinds import Happening
from domain.model.finding import FindingStatus
from domain.model.work_events import NoticeMoved
from domain.rules import clock, lifecycle, links
from domain.rules.document import document
from domain.rules.evolve import fold
from domain.values import codes
from domain.values.status import Status
from tests.activities.report_worlds import Played
from tests.upkeep import CODE, maintenance, sent, upkeep

WRONG = {"trails.account": "missing: make it", "buckets.audit": "wrong: of another account"}


class Kept(Played):
    """Upkeep whose one probe has answered and whose code was sent."""

    def __init__(self) -> None:
        super().__init__(upkeep())
        self.find("names", FindingStatus.OK, "all there")
        told = NoticeMoved(step="ask-cto", status="sent", text="sent", sequence=1, code=sent(self.incident.state.id))
        self.incident.take([Happening(told)], self.now)

    def close(self) -> Status:
        """Let it end if nothing is left to do; tells where it stands."""
        self.incident.take(lifecycle.end_upkeep(self.incident.state, self.now), self.now)
        return self.incident.state.status

    @property
    def status(self) -> str:
        return self.incident.state.task("confirm-cto").status


def test_nobody_is_paged_and_nothing_of_a_response_runs() -> None:
    """However long it takes: no page, no clock of an acknowledgement; its tasks are mailed to their owners."""
    played = Kept()
    played.wait(timedelta(days=20))
    state = played.incident.state
    assert (state.pages, state.clocks, state.status) == ([], [], Status.DECLARED)
    mailed = [(entry.text) for entry in played.entries if entry.kind == "reminder"]
    assert mailed[0] == "Reminding technical-manager (technical-manager): To be done: Review the runbook"
    assert mailed[1] == "Reminding technical-manager (technical-manager): Overdue: Review the runbook"
    assert len(mailed) == 2 + 6
    assert document(state)["waiting_for"] == ["technical-manager"]


def test_what_is_wrong_is_opened_once_for_each_name() -> None:
    """A later look at the same asks for nothing more; each has the finding's own words, and no awareness."""
    played = Played(upkeep())
    played.find("names", FindingStatus.SUSPECT, "2 of 9", wrong=WRONG)
    played.find("names", FindingStatus.SUSPECT, "2 of 9", wrong=WRONG)
    state = played.incident.state
    assert [link.key for link in state.links] == ["drift:staging:trails.account", "drift:staging:buckets.audit"]
    opened = state.declaration.opening(state.links[0], "inc-2", played.now)
    assert (opened.mode, opened.key, opened.title) == ("live", state.links[0].key, "Names: trails.account")
    assert (opened.description, opened.aware_at, opened.scheduled) == ("missing: make it", None, None)


def test_what_cannot_be_opened_is_said_and_nothing_waits_for_it() -> None:
    """A type whose runbook did not come with the declaration: whoever commands is told to declare it by hand."""
    played = Played(upkeep(mode="live", related={}))
    played.find("names", FindingStatus.SUSPECT, "1 of 9", wrong={"trails.account": "missing"})
    (link,) = played.incident.state.links
    assert (link.incident, link.held) == (None, True)
    assert not any(isinstance(effect, OpenIncident) for effect in played.incident.effects)
    assert played.incident.state.pages[-1].reason == "maintenance must be declared by hand"
    assert any("declare it by hand: incident start maintenance" in entry.text for entry in played.entries)


def test_what_is_opened_may_open_what_came_with_the_first() -> None:
    """A chain: the runbooks that came with the first declaration go on to the second, but for its own."""
    declared = upkeep(related={"maintenance": maintenance(), "further": maintenance()})
    played = Played(declared)
    played.find("names", FindingStatus.SUSPECT, "1 of 9", wrong={"trails.account": "missing"})
    opened = declared.opening(played.incident.state.links[0], "inc-2", played.now)
    assert set(opened.related) == {"further"}


@pytest.mark.parametrize(
    ("facts", "wrong", "opened"),
    [
        ({}, {}, ["drift:staging"]),
        ({"unread": 3}, {}, []),
        ({"unread": 90}, {"preflight": "90 of 92 could not look"}, ["drift:staging:preflight"]),
    ],
)
def test_a_look_that_saw_nothing_is_an_incident(
    facts: dict[str, Any], wrong: dict[str, str], opened: list[str]
) -> None:
    """A role that is broken must not give a quiet night; what could not be read among the rest is told alone."""
    played = Played(upkeep())
    played.find("names", FindingStatus.UNKNOWN, "AccessDenied", facts=facts, wrong=wrong)
    assert [link.key for link in played.incident.state.links] == opened


def test_it_closes_when_its_work_is_done() -> None:
    """Not before: a task that is open, and an incident that is to be opened and is not there, are waited for."""
    played = Kept()
    assert played.close() is Status.DECLARED
    assert played.say("complete_task", "cto", step="confirm-cto", code=CODE.lower()) is None
    assert played.say("complete_task", "technical-manager", step="review") is None
    played.find("names", FindingStatus.SUSPECT, "1 of 9", wrong={"trails.account": "missing"})
    assert played.close() is Status.DECLARED
    opening = OpenIncident("maintenance", "drift:staging:trails.account")
    played.incident.take(links.opened(played.incident.state, opening, None), played.now)
    assert played.close() is Status.CLOSED
    assert clock.next_due(played.incident.state) is None
    assert fold(played.entries) == played.incident.state


@pytest.mark.parametrize(
    ("by", "said", "refused"),
    [
        ("cto", {"code": "WRONG-CODES"}, "that is not the code that was last sent for confirm-cto"),
        ("cto", {"note": "I am here"}, "confirm-cto is done by its code, or by devops-lead with a note"),
        ("devops-lead", {}, "confirm-cto is done by its code, or by devops-lead with a note"),
        ("devops-lead", {"note": "spoke to the CTO on the telephone"}, None),
        ("cto", {"code": "7qxkd3mrfa"}, None),
    ],
)
def test_who_may_confirm(by: str, said: dict[str, Any], refused: str | None) -> None:
    """Whoever has the code; without it the lead alone, who says how it was heard."""
    played = Kept()
    answer = played.say("complete_task", by, step="confirm-cto", **said)
    assert answer is None if refused is None else answer is not None and answer.startswith(refused)
    assert played.status == ("done" if refused is None else "open")


def test_who_does_not_answer_in_time_is_an_incident() -> None:
    """The task is over, and an incident of its key asked for; a code that comes later is told so."""
    played = Kept()
    played.wait(timedelta(days=3))
    assert played.status == "missed"
    (link,) = played.incident.state.links
    assert (link.key, link.because) == ("contact:cto", "confirm-cto")
    assert (link.title, link.description) == (
        "cto does not answer",
        "Say the code that came by text message: nobody has done it\nWhat hangs on cto:\n- Levels of the chain: 2",
    )
    assert played.say("complete_task", "cto", step="confirm-cto", code=CODE) == "task 'confirm-cto' is already missed"


def test_a_code_is_not_in_its_digest() -> None:
    """The same code about something else has another digest, and no two codes are the same."""
    assert codes.digest(CODE, "a") != codes.digest(CODE, "b")
    made = {codes.new() for _ in range(100)}
    assert len(made) == 100
    assert {len(one) for one in made} == {11}

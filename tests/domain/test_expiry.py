"""Whoever asked for a change on which nobody decided in time is told, once, with what can be done now."""

from typing import Any

import pytest

from domain.model.commands import FalseAlarm, Undo
from domain.model.records import ChangeStatus
from domain.rules.live import LiveIncident
from domain.rules.messages import page_words, plan_named
from domain.values.status import Status
from tests.builders import organisation
from tests.domain.changing import plan
from tests.domain.requesting import NAME, applied, ask, tell
from tests.domain.speaking import BY, incident_in, say

ALONE = f"Decide alone: incident break-glass {NAME} rollback --reason WHY"


def expired(step: str = "rollback", made: Any = None, *, by: str = BY, **changes: Any) -> LiveIncident:
    """An incident of which a change has just expired, that `by` had asked for."""
    incident = incident_in(Status.ACKNOWLEDGED, **changes)
    settings = {"count": 4} if step == "scale-up" else {}
    assert ask(incident, step, **settings) is None
    latest = incident.state.latest_change(step)
    assert latest is not None
    latest.requested_by = by
    incident.state.pages.clear()
    tell(incident, ChangeStatus.EXPIRED, step, made or plan("A2"))
    return incident


def told(incident: LiveIncident) -> list[tuple[str, str]]:
    return [(page.to, page.reason) for page in incident.state.pages]


@pytest.mark.parametrize("by", [BY, "cto"])
def test_whoever_asked_is_paged_and_nobody_else(by: str) -> None:
    incident = expired(by=by)
    assert told(incident) == [(by, "nobody decided in time: Roll back")]
    page = incident.state.pages[0]
    assert page_words(incident.state, page).body.splitlines() == [
        f"Ask again: incident change {NAME} rollback",
        ALONE,
    ]
    assert plan_named(incident.state, page) is None  # nobody is asked to approve it any more


def test_what_is_said_again_pages_once() -> None:
    incident = expired()
    tell(incident, ChangeStatus.EXPIRED)
    assert len(told(incident)) == 1


@pytest.mark.parametrize("approval_class", ["A1", "A3"])
def test_nobody_is_told_to_decide_alone_what_nobody_may(approval_class: str) -> None:
    incident = expired(made=plan(approval_class))
    assert page_words(incident.state, incident.state.pages[0]).body == f"Ask again: incident change {NAME} rollback"


def test_whoever_may_not_break_the_glass_is_not_told_to() -> None:
    people = organisation()
    rules = people.break_glass.model_copy(update={"roles": ("cto",)})
    alone = people.model_copy(update={"break_glass": rules})
    words = {
        who: page_words(made.state, made.state.pages[0]).body
        for who in (BY, "cto")
        for made in (expired(by=who, organisation=alone),)
    }
    assert [ALONE in words[who] for who in (BY, "cto")] == [False, True]


def test_what_is_asked_for_with_a_value_is_asked_for_first() -> None:
    """The value that it had is nothing for a page."""
    incident = expired("scale-up")
    assert page_words(incident.state, incident.state.pages[0]).body.splitlines() == [
        f"Ask again: incident change {NAME} scale-up --set count=…",
        f"Decide alone, once it is asked for again: incident break-glass {NAME} scale-up --reason WHY",
    ]


def test_an_undo_is_asked_for_again_as_one() -> None:
    incident = incident_in(Status.ACKNOWLEDGED)
    applied(incident, made=plan("A2"))
    assert say(incident, "undo", Undo(by=BY, step="rollback")) is None
    incident.state.pages.clear()
    tell(incident, ChangeStatus.EXPIRED, made=plan("A2"))
    assert page_words(incident.state, incident.state.pages[0]).body == f"Ask again: incident undo {NAME} rollback"


def test_of_what_starts_by_itself_the_commander_is_told() -> None:
    """Everybody who was paged, while nobody commands."""
    assert told(expired(by="orchestrator")) == [(BY, "nobody decided in time: Roll back")]


@pytest.mark.parametrize("changes", [{"mode": "dry-run"}, {"mode": "upkeep"}])
def test_where_nobody_is_paged_nobody_is(changes: dict[str, Any]) -> None:
    incident = incident_in(Status.DECLARED, **changes)
    assert ask(incident) is None
    tell(incident, ChangeStatus.EXPIRED, made=plan("A2"))
    assert incident.state.pages == []


@pytest.mark.parametrize("status", [ChangeStatus.REJECTED, ChangeStatus.CANCELLED, ChangeStatus.STALE])
def test_what_ends_otherwise_is_not_told_so(status: ChangeStatus) -> None:
    incident = incident_in(Status.ACKNOWLEDGED)
    assert ask(incident) is None
    incident.state.pages.clear()
    tell(incident, status, made=plan("A2"))
    assert incident.state.pages == []


def test_behind_the_end_nobody_is_told() -> None:
    incident = incident_in(Status.ACKNOWLEDGED)
    assert ask(incident) is None
    assert say(incident, "false_alarm", FalseAlarm(by=BY, reason="a test")) is None
    pages = len(incident.state.pages)
    tell(incident, ChangeStatus.EXPIRED, made=plan("A2"))
    assert len(incident.state.pages) == pages

"""Reviews of runbooks: what the record says of each, who signed it off, and what opens one."""

from datetime import date, timedelta

import pytest

from domain.config.reviews import REVIEW, overdue
from domain.model.effects import OpenIncident
from domain.model.finding import FindingStatus
from domain.rules import react
from domain.rules.reviewing import latest_review, study
from domain.values.severity import Severity
from starters.files.shipped import shipped_folder
from tests.activities.report_worlds import Played
from tests.builders import T0, declaration, organisation, runbook
from tests.domain.histories import Said, answered, closed, incident
from tests.reviews import read, reviewed

DAY = timedelta(days=1)


def with_reviews() -> dict[str, object]:
    policies = organisation().severities
    graver = {name: policies[name].model_copy(update={"review": True}) for name in (Severity.P0, Severity.P1)}
    return {"organisation": organisation().model_copy(update={"severities": {**policies, **graver}})}


def ended(severity: str, **changes: object) -> Played:
    """An incident that was responded to and closed."""
    played = Played(declaration(severity=Severity(severity), **{**with_reviews(), **changes}))
    played.say("acknowledge", "devops-lead")
    for name in ("mitigated", "resolve"):
        played.say(name, "devops-lead", summary="done")
    for task in played.incident.state.open_tasks():
        played.say("complete_task", "devops-lead", step=task.step)
    assert played.say("close", "devops-lead") is None
    return played


@pytest.mark.parametrize(
    ("severity", "mode", "asked"),
    [("P0", "live", 1), ("P1", "live", 1), ("P2", "live", 0), ("P0", "drill", 0), ("P1", "upkeep", 0)],
)
def test_what_was_grave_and_live_has_its_runbook_reviewed(severity: str, mode: str, asked: int) -> None:
    """Once it is closed, and not before; a drill, and what is not grave, has the review of the quarter."""
    played = ended(severity, mode=mode)
    links = [link for link in played.incident.state.links if link.type == REVIEW]
    assert len(links) == asked
    kinds = [entry.kind for entry in played.entries]
    assert kinds.count("linking") == asked
    assert kinds[-1] == "closed"


def test_the_review_is_upkeep_of_that_runbook_alone() -> None:
    """Under one key however many ended, for its owner, with the runbook as the incident had it."""
    state = ended("P0").incident.state
    (link,) = state.links
    opening = state.declaration.opening(link, "inc-20261124-aaaa", T0 + DAY)
    assert (opening.mode, opening.key, opening.severity) == ("upkeep", "review:system-outage", Severity.P3)
    assert opening.title == f"Review of the runbook system-outage after {state.id}"
    assert [step.id for step in opening.runbook.steps()] == ["look-system-outage", "review-system-outage"]
    assert opening.runbook.owner == "devops-lead"
    assert opening.related == {"system-outage": state.declaration.runbook}
    assert Played(opening).incident.state.pages == []


def test_a_false_alarm_opens_no_review() -> None:
    played = Played(declaration(severity=Severity.P0, **with_reviews()))
    assert played.say("false_alarm", "devops-lead", reason="a test") is None
    assert played.incident.state.links == []


def test_a_review_that_was_asked_for_is_opened_though_all_else_is_lost() -> None:
    """An incident that goes on from its record has ended already."""
    state = ended("P0").incident.state
    assert OpenIncident(REVIEW, "review:system-outage") in react.outstanding(state)


def test_use_is_read_from_incidents_and_drills() -> None:
    """What was requested, done or suspect once was used; what happened under another type does not count."""
    played = Played(declaration(incident_id="inc-20261123-7f3k"))
    played.find("health", FindingStatus.SUSPECT, "gone")
    played.say("acknowledge", "devops-lead")
    played.say("request_change", "devops-lead", step="rollback")
    played.say("complete_task", "devops-lead", step="assess")
    drill = Played(declaration(incident_id="inc-20261124-7f3k", mode="drill", declared_at=T0 + DAY))
    other = incident("database", "P1", [*answered(4, 20, 60), *closed(70)], T0)
    use = study(runbook(), [played.incident.state, drill.incident.state, other.state])
    assert (use.last, use.ever, use.since) == (None, 2, ["inc-20261123-7f3k", "inc-20261124-7f3k"])
    assert use.unused == ["scale-up", "promote", "review", "training"]
    assert use.silent == ["deployments"]


def test_of_a_runbook_that_nothing_used_no_step_is_blamed() -> None:
    use = study(runbook(), [incident("database", "P1", [Said(2, "false_alarm", {"reason": "a test"})], T0).state])
    assert (use.ever, use.unused, use.silent) == (0, [], [])


def test_a_review_counts_once_its_owner_has_signed_it_off() -> None:
    """The latest; incidents before it were looked at then."""
    folder = shipped_folder()
    books = read(folder, "system-outage", "database")
    states = [
        incident("system-outage", "P0", answered(4), T0).state,
        reviewed(books, T0 + DAY, "devops-lead", folder).state,
        reviewed(books, T0 + 5 * DAY, "cto", folder).state,
        reviewed(books, T0 + 9 * DAY, None, folder).state,
        incident("system-outage", "P0", answered(4), T0 + 3 * DAY).state,
    ]
    use = study(books[0], states)
    assert use.last is not None
    assert (use.last.by, use.last.at, use.last.note) == ("devops-lead", T0 + 2 * DAY, "fit for use")
    assert use.last.substance == books[0].substance()
    assert use.since == [states[4].id]
    latest = latest_review(states, "database")
    assert latest is not None
    assert (latest.by, latest.by_owner) == ("cto", False)
    assert latest_review(states, "security") is None


def test_version_and_day_are_no_substance() -> None:
    """They are what a review itself brings up to date; everything else is what was reviewed."""
    book = runbook()
    dated = book.model_copy(update={"version": "1.1", "reviewed": date(2026, 11, 28)})
    assert dated.substance() == book.substance()
    assert dated.digest() != book.digest()
    assert runbook(title="Outage").substance() != book.substance()


@pytest.mark.parametrize(("days", "late"), [(0, False), (106, False), (107, True)])
def test_a_review_is_overdue_a_quarter_and_fourteen_days_after_the_last(days: int, late: bool) -> None:
    day = date(2026, 1, 1)
    assert overdue(day, day + timedelta(days=days)) == late
    assert overdue(None, day)

"""In a P0 what is signed for beforehand begins by itself, once, and people are paged that it has; nothing else does."""

from datetime import timedelta
from typing import Any

import pytest

from domain.config.approval import ApprovalClass
from domain.model.activity_io import Planned
from domain.model.change_events import ChangeRequested
from domain.model.declaration import Declaration
from domain.model.event_kinds import event_of
from domain.model.finding import FindingStatus
from domain.model.records import ChangeStatus, Link
from domain.rules import preauthorised
from domain.rules.change import LiveChange
from domain.rules.change_messages import ChangeRequest
from domain.values.severity import Severity
from tests.activities.report_worlds import Played
from tests.builders import T0, declaration, minutes, runbook
from tests.domain.changing import plan
from tests.preauthorising import carried, terms

SCALE = {"step": "scale-up", "action": "test.scale", "set": {"count": 6}}
AFTER = {"since": T0 - timedelta(days=10), "until": T0 + timedelta(days=20)}


def played(*changes: dict[str, Any], **fields: Any) -> Played:
    """An incident that carries a pre-authorisation for each of these changes of the usual one."""
    given = tuple(carried(terms(**AFTER | one)) for one in changes or ({},))
    return Played(declaration(preauthorisations=given, **fields))


def begun(incident: Played) -> list[str]:
    """The steps that have begun by themselves."""
    found = [(entry.actor, event_of(entry)) for entry in incident.entries if entry.kind == "change-requested"]
    return [event.step for by, event in found if isinstance(event, ChangeRequested) and by == "orchestrator"]


def pages(incident: Played) -> list[tuple[str, str]]:
    return [(page.to, page.reason) for page in incident.incident.state.pages if "authorisation" in page.reason]


def suspect(incident: Played, step: str = "deployments") -> None:
    incident.find(step, FindingStatus.SUSPECT, "it is")
    incident.wait(timedelta(0))


def say(incident: Played, command: str, by: str = "technical-manager", **said: Any) -> None:
    assert incident.say(command, by, **said) is None


def test_it_waits_for_a_probe_that_speaks_for_it_and_begins_at_once_then() -> None:
    """Everybody who was paged so far is told so, by which pre-authorisation; nobody has acknowledged."""
    incident = played()
    assert begun(incident) == []
    incident.wait(minutes(1))
    suspect(incident, "health")
    assert begun(incident) == []
    suspect(incident)
    assert begun(incident) == ["rollback"]
    called = terms(**AFTER).digest()[:12]
    told = f"started by pre-authorisation {called} of cto and compliance-officer: Roll back"
    assert pages(incident) == [
        (who, told) for who in ("devops-lead", "development-lead", "security-lead", "technical-manager")
    ]
    change = incident.incident.state.changes[0]
    assert (change.requested_by, change.params) == ("orchestrator", {"service": "backend"})
    entry = next(one for one in incident.entries if one.kind == "change-requested")
    assert entry.text == f"Started by pre-authorisation {called} of cto and compliance-officer: Roll back"
    assert entry.cause["deadline"] == f"rollback by pre-authorisation {called} of cto and compliance-officer"
    suspect(incident)
    incident.wait(minutes(60))
    assert begun(incident) == ["rollback"]


def test_where_no_probe_speaks_for_it_it_begins_at_the_declaration() -> None:
    incident = played(SCALE)
    assert begun(incident) == ["scale-up"]
    assert incident.incident.state.changes[0].params == {"service": "backend", "count": 6}


def test_whoever_commands_is_paged_alone() -> None:
    incident = played()
    say(incident, "acknowledge", "devops-lead")
    suspect(incident)
    assert [to for to, _ in pages(incident)] == ["devops-lead"]


def test_it_begins_when_the_incident_is_raised_later() -> None:
    incident = played(severity=Severity.P1)
    suspect(incident)
    assert begun(incident) == []
    say(incident, "reclassify", severity="P0", reason="everything is down")
    incident.wait(timedelta(0))
    assert begun(incident) == ["rollback"]


NEVER: dict[str, dict[str, Any]] = {
    "another type": {"type": "data-breach"},
    "another step": {"step": "promote"},
    "another action": {"action": "test.scale"},
    "another environment": {"environment": "staging"},
    "what the step does not ask for": {"set": {"service": "frontend"}},
    "before its time": {"since": T0 + minutes(10)},
    "after its time": {"until": T0 - minutes(10)},
    "at its end": {"until": T0},
}


@pytest.mark.parametrize("which", NEVER)
def test_nothing_begins_by_one_that_is_about_something_else(which: str) -> None:
    incident = played(NEVER[which])
    suspect(incident)
    assert begun(incident) == []


def test_what_a_step_needs_to_be_told_has_to_be_there() -> None:
    incident = played({"step": "scale-up", "action": "test.scale"})
    assert begun(incident) == []


@pytest.mark.parametrize("mode", ["dry-run", "upkeep"])
def test_nothing_begins_where_nothing_is_wrong(mode: str) -> None:
    incident = played(mode=mode)
    suspect(incident)
    assert begun(incident) == []


def test_evidence_is_nobodys_to_sign_for() -> None:
    steps = [{"id": "keep", "change": "test.snapshot", "title": "Keep", "evidence": True}]
    book = runbook(phases=[{"id": "immediate", "title": "Immediate", "steps": steps}])
    incident = played({"step": "keep", "action": "test.snapshot"}, runbook=book)
    assert [one.preauthorised for one in incident.incident.state.changes] == [None]


def test_what_somebody_has_asked_for_is_theirs() -> None:
    """Whatever has come of it: who rejected it has decided."""
    incident = played()
    say(incident, "request_change", "devops-lead", step="rollback")
    suspect(incident)
    assert begun(incident) == []


def test_nothing_begins_once_the_symptoms_are_gone_but_if_it_is_reopened() -> None:
    incident = played()
    say(incident, "acknowledge", "devops-lead")
    say(incident, "mitigated", "devops-lead", summary="fixed")
    suspect(incident)
    assert begun(incident) == []
    say(incident, "resolve", "devops-lead", summary="fixed")
    say(incident, "reopen", "devops-lead", reason="it is back")
    incident.wait(timedelta(0))
    assert begun(incident) == ["rollback"]


def live(declared: Declaration) -> tuple[Played, LiveChange]:
    incident = Played(declared)
    suspect(incident)
    return incident, incident.changes["rollback"]


def test_nobody_votes_on_it() -> None:
    """Its plan is carried out as it is; by which pre-authorisation stands beside it."""
    _, change = live(declaration(preauthorisations=(carried(terms(**AFTER)),)))
    change.planned(Planned(plan=plan("A2")), T0)
    assert (change.record.status, change.next_due()) == (ChangeStatus.APPLYING, None)


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (plan("A3"), "it is of class A3, which nobody pre-authorises"),
        (plan("A2", reversible=False), "it cannot be undone, so nobody pre-authorises it"),
    ],
)
def test_a_plan_that_is_too_grave_ends_it_and_pages(made: Any, why: str) -> None:
    incident, change = live(declaration(preauthorisations=(carried(terms(**AFTER)),)))
    incident.incident.effects.clear()
    before = len(pages(incident))
    incident.plan("rollback", **made.model_dump(include={"approval_class", "reversible"}))
    assert (change.record.status, change.record.reason) == (ChangeStatus.FAILED, why)
    told = {reason for _, reason in pages(incident)[before:]}
    assert told == {
        f"not done by pre-authorisation {terms(**AFTER).digest()[:12]} of cto and compliance-officer: Roll back: {why}"
    }
    say(incident, "request_change", "devops-lead", step="rollback")


def test_what_the_hands_refuse_pages_and_may_be_asked_for() -> None:
    incident, change = live(declaration(preauthorisations=(carried(terms(**AFTER)),)))
    incident.plan("rollback")
    assert change.record.status is ChangeStatus.APPLYING
    before = len(pages(incident))
    change.failed("cto has revoked it", incident.now)
    incident._told("rollback")
    assert [to for to, _ in pages(incident)[before:]] == [
        "devops-lead",
        "development-lead",
        "security-lead",
        "technical-manager",
    ]
    incident.wait(minutes(30))
    assert begun(incident) == ["rollback"]
    say(incident, "request_change", "devops-lead", step="rollback")


def test_what_has_gone_stale_is_planned_again_by_the_same() -> None:
    incident, change = live(declaration(preauthorisations=(carried(terms(**AFTER)),)))
    incident.plan("rollback")
    change.move(ChangeStatus.STALE, incident.now, {"answer": "apply"}, reason="drift")
    incident._told("rollback")
    first, second = incident.incident.state.changes
    assert (second.generation, second.preauthorised) == (2, first.preauthorised)


def test_a_change_of_its_own_workflow_knows_by_what_it_began() -> None:
    incident, change = live(declaration(preauthorisations=(carried(terms(**AFTER)),)))
    record = incident.incident.state.changes[0]
    request = ChangeRequest.of(incident.incident.state, record)
    assert request.record.preauthorised == change.record.preauthorised
    assert request.record.preauthorised is not None
    assert request.record.preauthorised.digest == terms(**AFTER).digest()


def test_classes_that_may_begin_by_themselves() -> None:
    found = {one for one in ApprovalClass if preauthorised.refused_plan(plan(one.value)) is None}
    assert found == {ApprovalClass.A1, ApprovalClass.A2}


def test_an_incident_that_another_opens_begins_what_is_its_own() -> None:
    """It carries what the first one came with, and takes of it what is about its type."""
    book = runbook(id="data-breach", severities=["P0"])
    ones = [carried(terms(**AFTER | {"type": kind, **SCALE})) for kind in ("system-outage", "data-breach")]
    first = declaration(preauthorisations=tuple(ones), related={"data-breach": book}, severity=Severity.P1)
    opened = Played(first.opening(Link(type="data-breach", because="health"), "inc-20261123-7f3m", T0))
    assert (begun(Played(first)), begun(opened)) == ([], ["scale-up"])
    change = opened.incident.state.changes[0]
    assert change.preauthorised is not None
    assert change.preauthorised.digest == ones[1].terms.digest()

"""The account of an incident from its timeline alone, and what it makes of duties, facts and missed deadlines."""

from datetime import datetime
from typing import Any

import pytest

from domain.config.runbook import ProbeStep
from domain.model.commands import Acknowledge, CompleteTask, Custody, Note, Reclassify, RequestChange, WaiveTask
from domain.model.finding import Finding, FindingStatus
from domain.model.timeline import Timeline
from domain.rules import clock, findings
from domain.rules.account import Account
from domain.rules.account_fold import NoAccountError, fold
from domain.rules.change_requests import gone
from domain.rules.incident import Incident
from domain.values.severity import Severity
from domain.values.status import Status
from tests.builders import T0, declaration, minutes, runbook, with_notices
from tests.domain import accounts
from tests.domain.speaking import incident_in, say

DUTY = {
    "step": "statement",
    "obligation": "ndb-statement",
    "title": "Statement to the OAIC",
    "state": "open",
    "basis": "law",
    "source": "Privacy Act 1988 s 26WK",
    "owner": "privacy-officer",
    "signers": ["legal-counsel", "privacy-officer"],
    "due_at": "2026-11-26T03:00:00Z",
    "due_basis": "72 hours, our own ceiling",
    "ceiling_at": None,
    "ceiling_basis": None,
    "reference": None,
    "outcome": None,
    "reason": None,
    "justification": None,
    "done_at": None,
    "signatures": [],
}


def told(incident: Incident) -> Account:
    account = fold(incident.state.timeline.entries)
    assert accounts.told(account) == accounts.said(incident)
    return account


def declared(**changes: Any) -> Incident:
    return Incident.declared(declaration(**{"runbook": with_notices(), **changes}))


def test_findings_come_with_facts_and_evidence() -> None:
    """What a probe saw is told with its facts and where the evidence is."""
    incident = declared()
    step = incident.declaration.runbook.step("deployments")
    assert isinstance(step, ProbeStep)
    facts = {"revision": 7, "shares": [0.5, None], "when": "now"}
    seen = Finding(status=FindingStatus.SUSPECT, summary="3 of 3 unhealthy", facts=facts, evidence="s3://b/k")
    findings.found(incident, step, seen, T0 + minutes(1))
    finding = told(incident).findings[0]
    assert (finding.title, finding.summary, finding.facts) == ("Deployments", "3 of 3 unhealthy", facts)
    assert finding.evidence == "s3://b/k"


def test_a_task_that_a_finding_asks_for_is_told() -> None:
    """Asked for later, it is on the checklist like those of the declaration, with its date, and so is how it ended."""
    plain = with_notices().model_dump(mode="json", by_alias=True)
    asked = {"id": "rescue", "task": "Give another way", "owner": "cto", "due": "1h", "opened_by": ["deployments"]}
    more = {"id": "more", "title": "More", "steps": [asked]}
    incident = declared(runbook=runbook(phases=[*plain["phases"], more]))
    assert "rescue" not in {task.step for task in told(incident).tasks}
    step = incident.declaration.runbook.step("deployments")
    assert isinstance(step, ProbeStep)
    findings.found(incident, step, Finding(status=FindingStatus.SUSPECT, summary="3 of 3 unhealthy"), T0 + minutes(1))
    task = told(incident).tasks[-1]
    assert (task.step, task.status, task.due_at) == ("rescue", "open", T0 + minutes(61))
    say(incident, "waive_task", WaiveTask(by="cto", step="rescue", reason="it was over"))
    assert (told(incident).tasks[-1].status, told(incident).tasks[-1].by) == ("waived", "cto")


def test_an_old_entry_that_asks_for_work_tells_its_text() -> None:
    account = recorded(("orchestrator", "task", {"step": "rescue", "status": "open", "because": "deployments"}))
    assert (account.tasks[-1].step, account.tasks[-1].title, account.tasks[-1].by) == ("rescue", "task 1", None)


@pytest.mark.parametrize("status", list(Status))
def test_an_incident_of_every_status(status: Status) -> None:
    """The account says of an incident what the incident says of itself, wherever it stands."""
    assert told(incident_in(status)).status is status


def test_a_change_whose_workflow_is_gone_has_failed() -> None:
    incident = incident_in(Status.ACKNOWLEDGED)
    say(incident, "request_change", RequestChange(by="devops-lead", step="rollback"))
    gone(incident, incident.state.changes[0].workflow_id, T0 + minutes(9))
    change = told(incident).changes[0]
    assert (change.status, change.reason, change.ended_at) == (
        "failed",
        "its workflow was ended from outside",
        T0 + minutes(9),
    )


def test_what_was_missed_and_done_late() -> None:
    """A missed deadline says by how much, counted to when what it waits for was done; one in time says nothing."""
    incident = declared()
    clock.fire(incident, T0 + minutes(20))
    say(incident, "acknowledge", Acknowledge(by="devops-lead"), T0 + minutes(22))
    say(incident, "note", Note(by="devops-lead", text="x"), T0 + minutes(40))
    clock.fire(incident, T0 + minutes(80))
    say(incident, "note", Note(by="devops-lead", text="y"), T0 + minutes(81))
    say(incident, "complete_task", CompleteTask(by="devops-lead", step="assess"), T0 + minutes(90))
    late = [(d.name, d.state, d.late and d.late / minutes(1)) for d in told(incident).deadlines]
    assert late == [
        ("ack", "breached", 7),
        ("progress", "breached", None),
        ("immediate", "breached", 75),
        ("update", "met", None),
        ("update", "breached", 11),
        ("update", "running", None),
    ]


def test_the_severities_are_a_history() -> None:
    incident = declared(severity=Severity.P1)
    say(incident, "reclassify", Reclassify(by="devops-lead", severity=Severity.P0, reason="spreads"), T0 + minutes(3))
    steps = [(step.to, step.by, step.reason) for step in told(incident).severities]
    assert steps == [("P1", "devops-lead", None), ("P0", "devops-lead", "spreads")]


def test_custody_and_notes() -> None:
    incident = declared()
    say(incident, "note", Note(by="cto", text="look at the replica"))
    say(incident, "custody", Custody(by="cto", evidence="e-1", event="received", reason="for counsel"))
    account = told(incident)
    assert [(note.by, note.text) for note in account.notes] == [("cto", "look at the replica")]
    assert [event["event"] for event in account.custody["e-1"]] == ["received"]


def recorded(*entries: tuple[str, str, dict[str, Any]]) -> Account:
    """A breach with further entries: actor, kind, data; one a minute."""
    timeline = Timeline(entries=list(declared().state.timeline.entries))
    for minute, (actor, kind, data) in enumerate(entries, start=1):
        timeline.append(T0 + minutes(minute), actor, kind, f"{kind} {minute}", data)
    return fold(timeline.entries)


def test_the_latest_entry_of_a_fact_counts() -> None:
    first = {"fact": "suspicion_at", "title": "First suspected", "value": "2026-11-23T02:00:00Z", "reason": None}
    moved = {**first, "value": "2026-11-23T01:00:00Z", "reason": "an older log line"}
    account = recorded(("security-lead", "fact", first), ("legal-counsel", "fact", moved))
    assert len(account.facts) == 1
    fact = account.fact("suspicion_at")
    assert fact is not None
    assert (fact.value, fact.by, fact.reason) == (
        datetime.fromisoformat("2026-11-23T01:00:00Z"),
        "legal-counsel",
        "an older log line",
    )


def test_the_latest_entry_of_an_obligation_is_its_state() -> None:
    """Opened, signed and ended: the account has the last state, when it was opened, and every event in between."""
    signature = {"by": "legal-counsel", "role": "legal-counsel", "at": "2026-11-23T03:02:00Z"}
    signed = {**DUTY, "signatures": [signature]}
    done = {**signed, "state": "discharged", "reference": "NDB-1", "done_at": "2026-11-23T03:03:00Z"}
    account = recorded(
        ("orchestrator", "obligation", {**DUTY, "event": "opened"}),
        ("legal-counsel", "obligation", {**signed, "event": "signed"}),
        ("privacy-officer", "obligation", {**done, "event": "ended"}),
        ("orchestrator", "reminder", {"step": "statement", "to": None, "role": "cto"}),
    )
    duty = account.obligation("ndb-statement")
    assert duty is not None
    assert len(account.obligations) == 1
    assert (duty.state, duty.reference, duty.opened_at, duty.overdue) == (
        "discharged",
        "NDB-1",
        T0 + minutes(1),
        False,
    )
    assert [(event.event, event.by) for event in duty.events] == [
        ("opened", "orchestrator"),
        ("signed", "legal-counsel"),
        ("ended", "privacy-officer"),
    ]
    assert [signature.role for signature in duty.signatures] == ["legal-counsel"]


def test_an_obligation_done_after_its_deadline_was_overdue() -> None:
    done = {**DUTY, "state": "discharged", "done_at": "2026-11-27T03:00:00Z", "event": "ended"}
    assert (
        recorded(("orchestrator", "obligation", {**DUTY, "event": "opened"}), ("cto", "obligation", done))
        .obligations[0]
        .overdue
    )


def test_unknown_kinds_tell_nothing_and_stop_nothing() -> None:
    account = recorded(("cto", "a-kind-of-tomorrow", {"step": "x"}), ("cto", "note", {}))
    assert [note.text for note in account.notes] == ["note 2"]


@pytest.mark.parametrize(("kind", "data"), [("severity", {}), ("obligation", {"step": "s"}), ("plan", None)])
def test_an_entry_that_cannot_be_read_is_named(kind: str, data: dict[str, Any] | None) -> None:
    """What was not written by us is refused with its number, and not with a trace."""
    timeline = Timeline(entries=list(declared().state.timeline.entries))
    if data is None:
        asked = {"step": "rollback", "workflow_id": "w", "generation": 1, "action": "a"}
        timeline.append(T0, "cto", "change-requested", "", asked)
        data = {"workflow_id": "w", "digest": 3}
    timeline.append(T0, "cto", kind, "", data)
    with pytest.raises(NoAccountError, match=f"entry {timeline.length} "):
        fold(timeline.entries)


def test_a_timeline_without_its_beginning_is_refused() -> None:
    with pytest.raises(NoAccountError, match="what came before it is missing"):
        fold(declared_and_noted()[1:])
    with pytest.raises(NoAccountError):
        fold([])


def declared_and_noted() -> list[Any]:
    incident = declared()
    say(incident, "note", Note(by="cto", text="x"))
    return incident.state.timeline.entries

"""The timeline of an incident folds to its state: what each event does to it, and what cannot be read is named."""

from string import Formatter
from typing import Any

import pytest

from domain.config.runbook import ProbeStep
from domain.model.activity_io import ChangeOutcome
from domain.model.commands import (
    INCIDENT_COMMANDS,
    Acknowledge,
    CompleteTask,
    Note,
    Reclassify,
    RequestChange,
    WaiveTask,
)
from domain.model.event_kinds import KINDS, event_of
from domain.model.events import Event
from domain.model.finding import Finding, FindingStatus
from domain.model.state import IncidentState
from domain.model.timeline import Entry, Timeline
from domain.rules import change_outcomes, evolve, findings
from domain.rules.evolve import NoIncidentError, fold
from domain.rules.live import LiveIncident
from domain.values.severity import Severity
from domain.values.status import Status
from tests.builders import T0, declaration, minutes, runbook, with_notices
from tests.domain.speaking import incident_in, say


def folded(incident: LiveIncident) -> IncidentState:
    """The state as the timeline alone gives it, read back from JSON; it is that of the incident."""
    entries = [Entry.model_validate_json(entry.model_dump_json()) for entry in incident.timeline.entries]
    state = fold(entries)
    assert state == incident.state
    return state


def declared(**changes: Any) -> LiveIncident:
    return LiveIncident.declared(declaration(**{"runbook": with_notices(), **changes}))


def look(incident: LiveIncident, finding: Finding, step: str = "deployments") -> None:
    probe = incident.state.declaration.runbook.step(step)
    assert isinstance(probe, ProbeStep)
    incident.take(findings.found(incident.state, probe, finding), T0 + minutes(1))


def test_findings_come_with_facts_and_evidence() -> None:
    """What a probe saw is kept with its facts and where the evidence is; of one probe the latest finding stands."""
    incident = declared()
    facts = {"revision": 7, "shares": [0.5, None], "when": "now"}
    look(incident, Finding(status=FindingStatus.UNKNOWN, summary="no answer"))
    look(incident, Finding(status=FindingStatus.SUSPECT, summary="3 of 3", facts=facts, evidence="s3://b/k"))
    (finding,) = folded(incident).findings
    assert (finding.title, finding.summary, finding.facts) == ("Deployments", "3 of 3", facts)
    assert finding.evidence == "s3://b/k"


def test_a_task_that_a_finding_asks_for() -> None:
    """Asked for later, it is on the checklist like those of the declaration, with its date, and so is how it ended."""
    plain = with_notices().model_dump(mode="json", by_alias=True)
    asked = {"id": "rescue", "task": "Give another way", "owner": "cto", "due": "1h", "opened_by": ["deployments"]}
    more = {"id": "more", "title": "More", "steps": [asked]}
    incident = declared(runbook=runbook(phases=[*plain["phases"], more]))
    assert "rescue" not in {task.step for task in folded(incident).tasks}
    look(incident, Finding(status=FindingStatus.SUSPECT, summary="3 of 3 unhealthy"))
    task = folded(incident).tasks[-1]
    assert (task.step, task.phase, task.status, task.due_at) == ("rescue", "more", "open", T0 + minutes(61))
    say(incident, "waive_task", WaiveTask(by="cto", step="rescue", reason="it was over"))
    task = folded(incident).tasks[-1]
    assert (task.status, task.by, task.note) == ("waived", "cto", "it was over")


@pytest.mark.parametrize("status", list(Status))
def test_an_incident_of_every_status(status: Status) -> None:
    """Wherever an incident stands, its timeline comes to the same."""
    assert folded(incident_in(status)).status is status


def test_a_change_whose_workflow_is_gone_has_failed() -> None:
    incident = incident_in(Status.ACKNOWLEDGED)
    say(incident, "request_change", RequestChange(by="devops-lead", step="rollback"))
    name, nothing = incident.state.changes[0].workflow_id, ChangeOutcome(outcome="nothing")
    incident.take(change_outcomes.lost(incident.state, name), T0 + minutes(8))
    assert folded(incident).changes[0].adrift
    incident.take(change_outcomes.found(incident.state, name, nothing), T0 + minutes(9))
    change = folded(incident).changes[0]
    reason = "its workflow was ended from outside; nothing was done"
    assert (change.status, change.reason, change.ended_at) == ("failed", reason, T0 + minutes(9))


def test_what_was_missed_and_done_late() -> None:
    """A missed deadline says by how much, counted to when what it waits for was done; one in time says nothing."""
    incident = declared()
    incident.pass_time(T0 + minutes(20))
    say(incident, "acknowledge", Acknowledge(by="devops-lead"), T0 + minutes(22))
    say(incident, "note", Note(by="devops-lead", text="x"), T0 + minutes(40))
    incident.pass_time(T0 + minutes(80))
    say(incident, "note", Note(by="devops-lead", text="y"), T0 + minutes(81))
    say(incident, "complete_task", CompleteTask(by="devops-lead", step="assess"), T0 + minutes(90))
    late = [(one.name, one.state, one.times, one.late and one.late / minutes(1)) for one in folded(incident).clocks]
    assert late == [
        ("ack", "breached", 1, 7),
        ("progress", "breached", 1, None),
        ("immediate", "breached", 1, 75),
        ("update", "breached", 2, 11),
        ("update", "running", 1, None),
    ]


def test_the_severities_are_a_history() -> None:
    incident = declared(severity=Severity.P1)
    say(incident, "reclassify", Reclassify(by="devops-lead", severity=Severity.P0, reason="spreads"), T0 + minutes(3))
    steps = [(step.to, step.by, step.reason) for step in folded(incident).severities]
    assert steps == [("P1", "devops-lead", None), ("P0", "devops-lead", "spreads")]


def test_the_record_says_what_everything_came_of() -> None:
    """Each entry names the command or the deadline that it came of; what was given stands once."""
    incident = LiveIncident.declared(declaration(phi=True))
    incident.pass_time(T0)
    say(incident, "acknowledge", Acknowledge(by="privacy-officer"))
    say(incident, "note", Note(by="cto", text="look at the replica"))
    say(incident, "mitigated", INVALID)
    causes = [(entry.kind, entry.cause) for entry in incident.timeline.entries]
    assert causes[0] == ("declared", {"command": "start"})
    assert causes[1] == ("fact", {"command": "start", "entry": 1})
    paging = next(number for number, (kind, _) in enumerate(causes, start=1) if kind == "paging")
    assert causes[paging - 1][1] == {"deadline": "page", "due_at": "2026-11-23T03:00:00Z"}
    assert causes[paging] == ("page", {"entry": paging})
    told = next(number for number, (kind, _) in enumerate(causes, start=1) if kind == "obligation")
    assert causes[told - 1][1] == {"command": "acknowledge"}
    assert causes[told] == ("acknowledged", {"command": "acknowledge", "entry": told})
    assert causes[-2] == ("note", {"command": "note", "given": {"text": "look at the replica"}})
    assert causes[-1][0] == "refused"


INVALID = INCIDENT_COMMANDS["mitigated"].model_validate({"by": "a-stranger", "summary": "s"})


def test_a_past_incident_can_be_run_again() -> None:
    """The first entry holds the declaration whole: runbook, organisation, environment, obligations."""
    incident = declared(phi=True)
    event = event_of(incident.timeline.entries[0])
    assert event == KINDS["declared"].model_validate({"declaration": incident.state.declaration})


def recorded(*entries: tuple[str, str, dict[str, Any]]) -> Timeline:
    """An incident with further entries: actor, kind, data; one a minute."""
    timeline = Timeline(entries=list(declared().timeline.entries))
    for minute, (actor, kind, data) in enumerate(entries, start=1):
        timeline.append(T0 + minutes(minute), actor, kind, f"{kind} {minute}", data)
    return timeline


def test_kinds_of_a_later_release_stop_nothing() -> None:
    later = recorded(("cto", "a-kind-of-tomorrow", {"step": "x"}), ("cto", "note", {"text": "x", "tomorrow": 1}))
    assert fold(later.entries) == declared().state


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in {"declared", "report", "closed"}])
def test_an_entry_that_cannot_be_read_is_named(kind: str) -> None:
    """What was not written by us is refused with its number, and not with a trace."""
    timeline = recorded(("cto", kind, {"step": 7, "number": "x"}))
    with pytest.raises(NoIncidentError, match=f"entry {timeline.length} "):
        fold(timeline.entries)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("task", {"step": "nothing", "title": "t", "status": "done"}),
        ("delivery", {"message": "page", "number": 9, "to": "cto", "channel": "sms", "reference": "r"}),
        ("obligation-overdue", {"step": "nothing", "title": "t"}),
        ("linked", {"incident": "inc-1", "type": "data-breach", "because": "b"}),
    ],
)
def test_an_entry_about_what_is_not_there_is_named(kind: str, data: dict[str, Any]) -> None:
    timeline = recorded(("cto", kind, data))
    with pytest.raises(NoIncidentError, match=f"entry {timeline.length} "):
        fold(timeline.entries)


def test_a_timeline_without_its_beginning_is_refused() -> None:
    incident = declared()
    say(incident, "note", Note(by="cto", text="x"))
    with pytest.raises(NoIncidentError, match="what came before it is missing"):
        fold(incident.timeline.entries[1:])
    with pytest.raises(NoIncidentError, match="no entries"):
        fold([])


def test_every_kind_has_its_own_name() -> None:
    """Two kinds of one name would be read as one; what changes no state is for people to read."""
    assert len(KINDS) == len(set(KINDS.values()))
    only_read = {kind for kind, model in KINDS.items() if model not in evolve._EVOLVE}
    assert only_read == {"declared", "restored", "suggestion", "custody", "ledger", "not-planned"}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_has_a_sentence_of_its_own_fields(kind: str) -> None:
    """What `says` names are fields; a kind without it makes its sentence itself."""
    model = KINDS[kind]
    named = {name.split(".")[0] for _, name, _, _ in Formatter().parse(model.says) if name}
    assert named <= {*model.model_fields, "actor"}
    assert bool(model.says) != (model.sentence is not Event.sentence)

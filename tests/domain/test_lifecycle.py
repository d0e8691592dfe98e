"""What people may say to an incident in every status, and what becomes of it."""

import pytest

from domain.model.commands import (
    INCIDENT_COMMANDS,
    Acknowledge,
    Close,
    Command,
    CompleteTask,
    Custody,
    Delegate,
    DischargeObligation,
    EndDelegation,
    FalseAlarm,
    Mitigated,
    Note,
    ObligationNotRequired,
    OfferCommand,
    Reclassify,
    RecordFact,
    Reopen,
    RequestChange,
    Resolve,
    SupersedeObligation,
    TakeCommand,
    Undo,
    WaiveTask,
)
from domain.model.effects import TellChanges
from domain.rules import decide
from domain.values.severity import Severity
from domain.values.status import Status
from domain.values.timestamps import stamp
from tests.delegating import delegation
from tests.domain.speaking import BY, FINAL, OPEN, incident_in, say

STAYS = (Status.DECLARED, Status.ACKNOWLEDGED, Status.MITIGATED, Status.RESOLVED)


TABLE: list[tuple[str, Command, tuple[Status | str, Status | str, Status | str, Status | str]]] = [
    ("acknowledge", Acknowledge(by=BY), (Status.ACKNOWLEDGED, Status.ACKNOWLEDGED, Status.MITIGATED, Status.RESOLVED)),
    ("note", Note(by=BY, text="seen"), STAYS),
    ("custody", Custody(by=BY, evidence="e", event="released", reason="asked for"), STAYS),
    ("request_change", RequestChange(by=BY, step="rollback"), STAYS),
    ("undo", Undo(by=BY, step="rollback"), ("nothing of 'rollback' has been applied",) * 4),
    ("complete_task", CompleteTask(by=BY, step="assess"), STAYS),
    ("waive_task", WaiveTask(by=BY, step="review", reason="drill"), STAYS),
    ("reclassify", Reclassify(by="cto", severity=Severity.P1, reason="partial"), STAYS),
    (
        "mitigated",
        Mitigated(by=BY, summary="s"),
        ("nobody has acknowledged", Status.MITIGATED, "is mitigated already", "is resolved already"),
    ),
    (
        "resolve",
        Resolve(by=BY, summary="s"),
        (
            "is declared; it is resolved once it is mitigated",
            "is acknowledged; it is resolved once it is mitigated",
            Status.RESOLVED,
            "is resolved already",
        ),
    ),
    (
        "reopen",
        Reopen(by=BY, reason="again"),
        ("is declared; it was never", "is acknowledged; it was never", Status.DECLARED, Status.DECLARED),
    ),
    (
        "hand_over",
        OfferCommand(by=BY, to="cto"),
        ("nobody has acknowledged it", Status.ACKNOWLEDGED, Status.MITIGATED, Status.RESOLVED),
    ),
    ("take_command", TakeCommand(by=BY, of="cto"), ("command is not offered to anybody",) * 4),
    ("false_alarm", FalseAlarm(by=BY, reason="test"), (Status.FALSE_ALARM,) * 4),
    ("record_fact", RecordFact(by=BY, fact="suspicion_at"), STAYS),
    ("discharge_obligation", DischargeObligation(by=BY, step="x", reference="r"), ("there is no obligation 'x'",) * 4),
    ("obligation_not_required", ObligationNotRequired(by=BY, step="x"), ("there is no obligation 'x'",) * 4),
    ("supersede_obligation", SupersedeObligation(by=BY, step="x"), ("there is no obligation 'x'",) * 4),
    ("delegate", Delegate(by=BY, delegation=delegation()), STAYS),
    ("end_delegation", EndDelegation(by=BY, delegation="0f" * 4, reason="back"), ("there is no delegation 0f",) * 4),
    (
        "close",
        Close(by=BY),
        (
            "is declared; it is closed once it is resolved",
            "is acknowledged; it is closed once it is resolved",
            "is mitigated; it is closed once it is resolved",
            "tasks are open (done or waive them): assess, review",
        ),
    ),
]
ROWS = [
    pytest.param(status, name, command, outcome, id=f"{name}-{status}")
    for name, command, outcomes in TABLE
    for status, outcome in zip(OPEN, outcomes, strict=True)
]


@pytest.mark.parametrize(("status", "name", "command", "outcome"), ROWS)
def test_every_command_in_every_open_status(status: Status, name: str, command: Command, outcome: Status | str) -> None:
    """A command is done and leads to the table's status, or changes nothing but one entry that says why not."""
    incident = incident_in(status)
    before, length = incident.state.model_copy(deep=True), len(incident.timeline.entries)
    effects = list(incident.effects)
    reason = say(incident, name, command)
    if isinstance(outcome, Status):
        assert reason is None
        assert incident.state.status is outcome
        assert len(incident.timeline.entries) > length
        return
    assert reason is not None
    assert outcome in reason
    last = incident.timeline.entries[-1]
    assert (last.seq, last.kind, last.actor) == (length + 1, "refused", command.by)
    assert reason in last.text
    assert last.data == {"command": name, "reason": reason}
    assert incident.state == before
    assert incident.effects == effects


@pytest.mark.parametrize("status", FINAL)
@pytest.mark.parametrize(("name", "command"), [(name, command) for name, command, _ in TABLE])
def test_final_is_final(status: Status, name: str, command: Command) -> None:
    """Nothing can be said to an incident that is closed or was a false alarm, reopening included."""
    incident = incident_in(status)
    assert say(incident, name, command) == f"the incident is {status}, which is final"
    assert incident.state.status is status
    assert incident.timeline.entries[-1].kind == "refused"


def test_the_table_misses_no_command() -> None:
    """Every command that an incident hears stands in the table above."""
    assert {name for name, _, _ in TABLE} == set(INCIDENT_COMMANDS)


@pytest.mark.parametrize("by", ["a-stranger", "insurer", "incident-commander"])
@pytest.mark.parametrize(("name", "command"), [(name, command) for name, command, _ in TABLE])
def test_only_contacts_act(by: str, name: str, command: Command) -> None:
    """Unknown people, parties outside, and a commander that nobody is yet, can do nothing at all."""
    incident = incident_in(Status.DECLARED)
    reason = say(incident, name, command.model_copy(update={"by": by}))
    assert reason == f"{by!r} is no contact or role of example"
    assert incident.state.status is Status.DECLARED


def test_asking_why_changes_nothing() -> None:
    """The validator's question leaves no trace: neither entry nor effect."""
    incident = incident_in(Status.ACKNOWLEDGED)
    before = incident.state.model_copy(deep=True)
    assert decide.refusal(incident.state, "close", Close(by=BY)) is not None
    assert decide.refusal(incident.state, "mitigated", Mitigated(by=BY, summary="s")) is None
    assert incident.state == before


def test_the_first_to_acknowledge_commands() -> None:
    """Whoever acknowledges first is the commander and acts under that role; later ones join."""
    incident = incident_in(Status.DECLARED)
    say(incident, "acknowledge", Acknowledge(by="security-lead"))
    say(incident, "acknowledge", Acknowledge(by="cto"))
    assert incident.state.commander == "security-lead"
    assert incident.timeline.entries[-1].text == "cto joins; security-lead commands"
    assert say(incident, "note", Note(by="incident-commander", text="mine")) is None
    assert incident.timeline.entries[-1].actor == "security-lead"


def test_a_late_commander_is_told_to_changes_in_flight() -> None:
    """A change asked for before anybody acknowledged learns who commands."""
    incident = incident_in(Status.DECLARED)
    say(incident, "request_change", RequestChange(by="development-lead", step="rollback"))
    say(incident, "acknowledge", Acknowledge(by=BY))
    told = [effect for effect in incident.effects if isinstance(effect, TellChanges)]
    (since,) = [entry.at for entry in incident.timeline.entries if entry.kind == "acknowledged"]
    assert [(effect.signal, effect.payload) for effect in told] == [
        ("commander_is", {"commander": BY, "at": stamp(since)})
    ]
    assert told[0].workflow_ids == (incident.state.changes[0].workflow_id,)


@pytest.mark.parametrize(
    ("severity", "by", "allowed"),
    [
        (Severity.P0, "ceo", True),
        (Severity.P0, "cto", True),
        (Severity.P0, "technical-manager", False),
        (Severity.P0, "devops-lead", False),
        (Severity.P1, "technical-manager", True),
        (Severity.P1, "cto", True),
        (Severity.P1, "devops-lead", False),
        (Severity.P2, "privacy-officer", False),
    ],
)
def test_who_may_lower(severity: Severity, by: str, allowed: bool) -> None:
    """A P0 is lowered by cto or ceo alone, anything else by the chain; everybody may raise."""
    incident = incident_in(Status.ACKNOWLEDGED, severity=severity)
    reason = say(incident, "reclassify", Reclassify(by=by, severity=Severity.P3, reason="partial"))
    assert (reason is None) is allowed
    assert incident.state.severity is (Severity.P3 if allowed else severity)
    if not allowed:
        assert f"{severity} is lowered by" in str(reason)
    raised = incident_in(Status.ACKNOWLEDGED, severity=Severity.P3)
    assert say(raised, "reclassify", Reclassify(by=by, severity=Severity.P1, reason="worse")) is None


def test_the_same_severity_is_refused() -> None:
    """Saying the severity that it has already changes no clock."""
    incident = incident_in(Status.DECLARED)
    assert say(incident, "reclassify", Reclassify(by="cto", severity=Severity.P0, reason="r")) == (
        "the severity is P0 already"
    )

"""What is owed under law, contract and policy: when it opens, whom it reminds, who ends it, and what it holds up."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.model.commands import INCIDENT_COMMANDS
from domain.model.effects import Send
from domain.rules import clock, document, obligation_rules
from domain.rules.document import waiting_for
from domain.rules.live import LiveIncident
from domain.values.severity import Severity
from tests.builders import T0, declaration
from tests.domain.speaking import say

DAY = timedelta(days=1)


def declared(**changes: Any) -> LiveIncident:
    return LiveIncident.declared(declaration(**changes))


def tell(
    incident: LiveIncident, name: str, now: datetime = T0, /, by: str = "devops-lead", **payload: Any
) -> str | None:
    return say(incident, name, INCIDENT_COMMANDS[name](by=by, **payload), now)


def states(incident: LiveIncident) -> dict[str, str]:
    return {record.step: record.state for record in incident.state.obligations}


def mailed(incident: LiveIncident) -> list[str]:
    """The roles of everybody who is to be mailed."""
    numbers = [effect.number for effect in incident.effects if isinstance(effect, Send) and effect.message == "mail"]
    roles = {
        one["mail"]: one["role"]
        for e in incident.timeline.entries
        for one in e.data.get("to", [])
        if e.kind == "reminder"
    }
    return [roles[number] for number in numbers]


def walk(incident: LiveIncident, until: datetime) -> list[tuple[float, str]]:
    """Wake at every instant that something is due; whom reminders reached on which day."""
    incident.effects = []
    mails: list[tuple[float, str]] = []
    while (due := clock.next_due(incident.state)) is not None and due.at <= until:
        incident.pass_time(due.at)
        mails += [((due.at - T0) / DAY, role) for role in mailed(incident)]
        incident.effects = []
    return mails


def test_health_information_opens_the_clocks_by_itself() -> None:
    """Declared with health information at stake, the suspicion is on record and what counts from it is open."""
    incident = declared(phi=True)
    assert [(fact.fact, fact.value, fact.by) for fact in incident.state.facts] == [("suspicion_at", T0, "devops-lead")]
    assert states(incident) == {"assessment": "open", "officer-told": "open"}
    assert declared().state.obligations == []
    assert declared(phi=True, mode="dry-run").state.facts == []


def test_a_linked_incident_keeps_the_first_awareness() -> None:
    """The suspicion counts from when the incident that opened this one was declared, not from this one."""
    incident = declared(phi=True, aware_at=T0 - DAY)
    assert incident.state.facts[0].value == T0 - DAY
    assert incident.state.obligations[0].due_at == T0 + 29 * DAY


def test_every_reminder_once_to_the_right_role() -> None:
    """In order of time, each reminder goes out once at its instant; at the deadline owner and signers are told."""
    incident = declared(phi=True)
    tell(incident, "acknowledge", by="privacy-officer")
    tell(incident, "mitigated", summary="s")
    assert walk(incident, T0 + 60 * DAY) == [
        (3, "privacy-officer"),
        (7, "privacy-officer"),
        (7, "cto"),
        (30, "privacy-officer"),
        (30, "technical-manager"),
        (30, "cto"),
    ]
    assert incident.state.obligations[0].overdue
    assert not any("mail" in page.reason for page in incident.state.pages)


def test_what_a_late_wake_up_missed_is_sent_all_the_same() -> None:
    """After days without a worker every reminder of those days is sent, each once."""
    incident = declared(phi=True)
    tell(incident, "acknowledge", by="privacy-officer")
    incident.effects = []
    for _ in range(2):
        incident.pass_time(T0 + 8 * DAY)
    assert mailed(incident) == ["privacy-officer", "privacy-officer", "cto"]


def test_a_fact_of_the_past_sends_no_heap_of_reminders() -> None:
    """What opens late counts from its fact, and reminds of what is still to come alone."""
    incident = declared()
    tell(incident, "acknowledge", by="privacy-officer")
    tell(incident, "mitigated", summary="s")
    tell(incident, "record_fact", fact="suspicion_at", at=T0 - 5 * DAY)
    sent = walk(incident, T0 + 3 * DAY)
    assert [(day, role) for day, role in sent if day > 0] == [(2, "privacy-officer"), (2, "cto")]


def test_belief_ends_the_assessment_and_opens_the_statement() -> None:
    """Nobody assesses for show: with grounds to believe on record the assessment is superseded."""
    incident = declared(phi=True)
    tell(incident, "record_fact", T0 + DAY, fact="belief_at", at=T0 + DAY / 2)
    assert states(incident) == {"assessment": "superseded", "officer-told": "open", "statement": "open"}
    statement = obligation_rules.document(incident.state, incident.state.obligations[-1])
    assert (statement["due_at"], statement["ceiling_at"]) == ("2026-11-26T15:00:00Z",) * 2
    assert statement["ceiling_basis"] == "policy: our own ceiling"
    shown = document.document(incident.state)["obligations"][-1]
    assert (shown["step"], shown["state"], shown["due_at"]) == ("statement", "open", "2026-11-26T15:00:00Z")


def test_the_statement_first_ends_a_later_assessment() -> None:
    """A suspicion that is recorded after the belief opens nothing to assess."""
    incident = declared()
    tell(incident, "record_fact", fact="belief_at")
    tell(incident, "record_fact", fact="suspicion_at")
    assert states(incident)["assessment"] == "superseded"


def test_a_fact_is_moved_by_the_right_role_and_with_a_reason() -> None:
    """What stands is moved by who may, saying why; the clock moves along and both values stay on record."""
    incident = declared(phi=True)
    moved = {"fact": "suspicion_at", "at": T0 - 2 * DAY}
    assert "moved by privacy-officer" in str(tell(incident, "record_fact", by="cto", reason="r", **moved))
    assert "say why" in str(tell(incident, "record_fact", by="privacy-officer", **moved))
    assert tell(incident, "record_fact", by="privacy-officer", reason="an alarm of Saturday", **moved) is None
    assert [fact.value for fact in incident.state.facts] == [T0, T0 - 2 * DAY]
    assert incident.state.obligations[0].due_at == T0 + 28 * DAY
    moved_ones = [e.data.get("moved", False) for e in incident.timeline.entries if e.kind == "obligation-started"]
    assert moved_ones == [False, False, True, True]


def test_nothing_is_so_before_it_happens() -> None:
    """A fact of the future is recorded as now."""
    incident = declared()
    tell(incident, "record_fact", T0 + DAY, fact="belief_at", at=T0 + 3 * DAY)
    assert incident.state.facts[0].value == T0 + DAY


def test_everybody_who_must_sign_signs() -> None:
    """The first proposes, the next signs the same by saying less, and only the last signature ends the duty."""
    incident = declared(phi=True)
    done: dict[str, Any] = {"step": "assessment", "reference": "record 7", "outcome": "remediated"}
    assert tell(incident, "discharge_obligation", by="privacy-officer", **done) is None
    assert incident.state.obligations[0].signatures == []
    assert waiting_for(incident.state)[-2:] == ["technical-manager", "cto"]
    assert tell(incident, "discharge_obligation", by="cto", step="assessment") is None
    assert tell(incident, "discharge_obligation", by="cto", step="assessment") is None
    assert states(incident)["assessment"] == "open"
    assert tell(incident, "discharge_obligation", by="technical-manager", step="assessment") is None
    assert states(incident)["assessment"] == "discharged"
    ended = obligation_rules.document(incident.state, incident.state.obligations[0])
    assert (ended["reference"], ended["outcome"]) == ("record 7", "remediated")
    assert [signature["by"] for signature in ended["signatures"]] == ["cto", "technical-manager"]
    assert "discharged already" in str(tell(incident, "discharge_obligation", by="cto", **done))


def test_another_proposal_voids_the_signatures() -> None:
    """Whoever signs stands for exactly what they signed."""
    incident = declared(phi=True)
    done: dict[str, Any] = {"step": "assessment", "reference": "record 7", "outcome": "remediated"}
    tell(incident, "discharge_obligation", by="cto", **done)
    tell(incident, "discharge_obligation", by="technical-manager", **{**done, "reference": "record 8"})
    assert states(incident)["assessment"] == "open"
    assert [s.by for s in incident.state.obligations[0].signatures] == ["technical-manager"]
    tell(incident, "obligation_not_required", by="cto", step="assessment", reason="no data was there")
    assert [s.by for s in incident.state.obligations[0].signatures] == ["cto"]
    tell(incident, "obligation_not_required", by="technical-manager", step="assessment")
    assert states(incident)["assessment"] == "not-required"


@pytest.mark.parametrize(
    ("by", "given", "why"),
    [
        ("devops-lead", {"reference": "r", "outcome": "remediated"}, "is ended by privacy-officer, signed by"),
        ("cto", {"outcome": "remediated"}, "say what proves it"),
        ("cto", {"reference": "r"}, "not-eligible or remediated"),
        ("cto", {"reference": "r", "outcome": "eligible"}, "not-eligible or remediated"),
        ("cto", {"reference": "r", "outcome": "remediated", "at": T0 + 31 * DAY}, "say why it is late"),
    ],
)
def test_what_a_discharge_lacks(by: str, given: dict[str, Any], why: str) -> None:
    """A discharge that proves nothing, decides nothing or comes late without a word is refused with what is missing."""
    incident = declared(phi=True)
    reason = tell(incident, "discharge_obligation", T0 + 32 * DAY, by=by, step="assessment", **given)
    assert why in str(reason)
    assert incident.state.obligations[0].ending is None


def test_what_still_needs_a_signature_is_not_called_done() -> None:
    """Whoever proposes says how it ends; who must still sign is named."""
    incident = declared(phi=True)
    assert (
        tell(incident, "discharge_obligation", by="cto", step="assessment", reference="r", outcome="remediated") is None
    )
    assert "discharged, says cto; still to sign: " in incident.timeline.entries[-1].text


def test_late_is_late_with_a_word() -> None:
    """An overdue duty is discharged with a justification; what was done in time but told late needs none."""
    incident = declared(phi=True)
    incident.pass_time(T0 + 31 * DAY)
    done: dict[str, Any] = {"step": "assessment", "reference": "r", "outcome": "remediated"}
    late = T0 + 31 * DAY
    assert "why it is late" in str(tell(incident, "discharge_obligation", late, by="cto", **done))
    assert tell(incident, "discharge_obligation", late, by="cto", **done, justification="illness") is None
    assert tell(incident, "discharge_obligation", late, by="cto", **done, at=T0 + 29 * DAY) is None


def test_an_acknowledgement_tells_that_somebody_knows() -> None:
    """The duty to tell the Privacy Officer ends when they acknowledge, not when somebody else does."""
    incident = declared(phi=True)
    tell(incident, "acknowledge")
    assert states(incident)["officer-told"] == "open"
    tell(incident, "acknowledge", by="privacy-officer")
    assert states(incident)["officer-told"] == "discharged"


def resolved(**changes: Any) -> LiveIncident:
    incident = declared(**changes)
    tell(incident, "acknowledge", by="privacy-officer")
    tell(incident, "mitigated", summary="s")
    tell(incident, "resolve", summary="s")
    for step in ("assess", "review"):
        tell(incident, "complete_task", step=step)
    return incident


def test_an_open_duty_keeps_its_incident() -> None:
    """While one is open the incident is not closed, not lowered below P1, and no false alarm; then it is."""
    incident = resolved(phi=True)
    held = {
        "close": {},
        "false_alarm": {"reason": "a test"},
        "reclassify": {"severity": Severity.P2, "reason": "small"},
    }
    for name, payload in held.items():
        assert "obligations are open" in str(tell(incident, name, by="cto", **payload)), name
    assert tell(incident, "reclassify", by="cto", severity=Severity.P1, reason="contained") is None
    assert "privacy-officer" in waiting_for(incident.state)
    for by in ("cto", "technical-manager"):
        tell(incident, "obligation_not_required", by=by, step="assessment", reason="no data was there")
    assert tell(incident, "close", by="cto") is None
    closed = incident.timeline.entries[-1]
    assert closed.data["keep_until"] == "2033-11-23T03:00:00Z"


def test_work_afterwards_nags_until_it_is_done() -> None:
    """What is to be done afterwards is mailed about when it is due and every day after; a late wake-up sends one."""
    incident = declared()
    for name in ("acknowledge", "mitigated", "resolve"):
        tell(incident, name, **({} if name == "acknowledge" else {"summary": "s"}))
    mails = walk(incident, T0 + 7 * DAY)
    assert mails == [(day, "technical-manager") for day in (5, 6, 7)]
    incident.effects = []
    incident.pass_time(T0 + 8.5 * DAY)
    assert len(mailed(incident)) == 1
    tell(incident, "complete_task", T0 + 8.6 * DAY, step="review")
    assert walk(incident, T0 + 11 * DAY) == [(10, "devops-lead"), (11, "devops-lead")]

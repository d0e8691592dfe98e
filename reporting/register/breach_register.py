"""The register of breaches: every incident in which sensitive information may be involved, and what was decided of it.

It holds ids, times, types, severities, roles, references, and the reasons that people wrote for the decision; no title,
no description, no note.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from domain.config.obligation import BreachRegister
from domain.model.duty_records import ObligationRecord
from domain.model.state import IncidentState
from domain.values.status import Status

ELIGIBLE = "eligible"
BEING_ASSESSED = "being-assessed"
FALSE_ALARM = "false-alarm"
UNDECIDED = "closed-undecided"

_WORDS = {"reason", "reference", "justification"}
"""What people wrote of how a duty ended."""

Suspected = Literal["phi", "type", "fact"]


class Signed(BaseModel):
    """Who signed, as which role they did."""

    role: str
    at: datetime


class Statement(BaseModel):
    """The duty to notify the regulator as it stands. `due_at` is our own ceiling where the law says no hours.

    While it is open, `signed_by` says who has signed what is proposed; what that is, counts once all have.
    """

    state: str
    due_at: datetime | None
    done_at: datetime | None = None
    overdue: bool
    reference: str | None = None
    reason: str | None = None
    justification: str | None = None
    signed_by: list[Signed]


class RegisterEntry(BaseModel):
    """One incident of the register.

    `decision` is `eligible`, an outcome of the assessment (such as `not-eligible`, `remediated`), `not-required`,
    `superseded`, `being-assessed`, `false-alarm` or `closed-undecided`. `assessment_due_at` is when the time to assess
    runs out, or ran out; None where nothing has set it off. `justification` says why the assessment was late.
    """

    incident: str
    type: str
    severity: str
    status: str
    declared_at: datetime
    closed_at: datetime | None
    suspected_by: list[Suspected]
    suspicion_at: datetime | None
    belief_at: datetime | None
    decision: str
    decided_at: datetime | None = None
    reason: str | None = None
    reference: str | None = None
    justification: str | None = None
    signed_by: list[Signed] = []
    assessment_due_at: datetime | None
    assessment_overdue: bool
    statement: Statement | None


def suspected_by(state: IncidentState, register: BreachRegister) -> list[Suspected]:
    """Why an incident is in the register; nothing where it is not."""
    fact = any(state.fact(name) is not None for name in (register.suspicion, register.belief))
    reasons: list[tuple[Suspected, bool]] = [
        ("phi", state.declaration.phi),
        ("type", state.type in register.types),
        ("fact", fact),
    ]
    return [name for name, holds in reasons if holds]


def entry(state: IncidentState, register: BreachRegister, now: datetime) -> RegisterEntry:
    """What the register says of an incident; whether something is overdue, it says as of `now` (UTC)."""
    assessment, statement = state.duty(register.assessment), state.duty(register.statement)
    suspicion, belief = state.fact(register.suspicion), state.fact(register.belief)
    return RegisterEntry(
        incident=state.id,
        type=state.type,
        severity=state.severity,
        status=state.status,
        declared_at=state.declared_at,
        closed_at=state.closed_at,
        suspected_by=suspected_by(state, register),
        suspicion_at=suspicion and suspicion.value,
        belief_at=belief and belief.value,
        assessment_due_at=assessment and assessment.due_at,
        assessment_overdue=assessment is not None and _overdue(assessment, now),
        statement=statement and _statement(statement, now),
        **_decided(state, register, assessment),
    )


def _decided(state: IncidentState, register: BreachRegister, assessment: ObligationRecord | None) -> dict[str, object]:
    """The decision; a belief that is on record comes before all, whatever was decided earlier."""
    belief = state.fact(register.belief)
    if belief is not None:
        return {"decision": ELIGIBLE, "decided_at": belief.at, "reason": belief.reason}
    if assessment is not None and (ending := assessment.ended) is not None:
        words = {"discharged": ending.outcome or "assessed"}
        return {
            "decision": words.get(assessment.state, assessment.state),
            "decided_at": ending.done_at,
            **ending.model_dump(include=_WORDS),
            "signed_by": _signed(assessment),
        }
    if not state.ended:
        return {"decision": BEING_ASSESSED}
    if state.status is Status.CLOSED:
        return {"decision": UNDECIDED}
    return {"decision": FALSE_ALARM, "decided_at": state.closed_at, "reason": state.statuses[-1].reason}


def _statement(duty: ObligationRecord, now: datetime) -> Statement:
    words = duty.ended.model_dump(include={"done_at", *_WORDS}) if duty.ended else {}
    overdue, signed_by = _overdue(duty, now), _signed(duty)
    return Statement(state=duty.state, due_at=duty.due_at, overdue=overdue, signed_by=signed_by, **words)


def _signed(duty: ObligationRecord) -> list[Signed]:
    return [Signed(role=signature.role, at=signature.at) for signature in duty.signatures]


def _overdue(duty: ObligationRecord, now: datetime) -> bool:
    """Whether it was done late, or is late now: while no worker runs, the record does not say so by itself."""
    if duty.state not in {"open", "discharged"}:
        return False
    return duty.due_at < (duty.ended.done_at if duty.ended else now)

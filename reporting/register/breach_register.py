"""The register of breaches: every incident in which sensitive information may be involved, and what was decided of it.

It holds ids, times, types, severities, roles, references, and the reasons that people wrote for the decision; no title,
no description, no note.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from domain.config.obligation import BreachRegister
from domain.rules.account import Account
from domain.rules.account_duties import Obligation
from domain.values.status import Status

ELIGIBLE = "eligible"
BEING_ASSESSED = "being-assessed"
FALSE_ALARM = "false-alarm"
UNDECIDED = "closed-undecided"

Suspected = Literal["phi", "type", "fact"]


class Signed(BaseModel):
    """Who signed, as which role they did."""

    role: str
    at: datetime


class Statement(BaseModel):
    """The duty to tell the regulator as it stands. `due_at` is our own ceiling where the law says no hours.

    While it is open, `signed_by` says who has signed what is proposed; what that is, counts once all have.
    """

    state: str
    due_at: datetime | None
    done_at: datetime | None
    overdue: bool
    reference: str | None
    reason: str | None
    justification: str | None
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


def suspected_by(account: Account, register: BreachRegister) -> list[Suspected]:
    """Why an incident is in the register; nothing where it is not."""
    fact = any(account.fact(name) is not None for name in (register.suspicion, register.belief))
    reasons: list[tuple[Suspected, bool]] = [
        ("phi", account.phi),
        ("type", account.type in register.types),
        ("fact", fact),
    ]
    return [name for name, holds in reasons if holds]


def entry(account: Account, register: BreachRegister, now: datetime) -> RegisterEntry:
    """What the register says of an incident; whether something is overdue, it says as of `now` (UTC)."""
    assessment, statement = account.obligation(register.assessment), account.obligation(register.statement)
    suspicion, belief = account.fact(register.suspicion), account.fact(register.belief)
    return RegisterEntry(
        incident=account.id,
        type=account.type,
        severity=account.severity,
        status=account.status,
        declared_at=account.declared_at,
        closed_at=account.closed_at,
        suspected_by=suspected_by(account, register),
        suspicion_at=suspicion and suspicion.value,
        belief_at=belief and belief.value,
        assessment_due_at=assessment and (assessment.due_at or assessment.ceiling_at),
        assessment_overdue=assessment is not None and _overdue(assessment, now),
        statement=statement and _statement(statement, now),
        **_decided(account, register, assessment),
    )


def _decided(account: Account, register: BreachRegister, assessment: Obligation | None) -> dict[str, object]:
    """The decision; a belief that is on record comes before all, whatever was decided earlier."""
    belief = account.fact(register.belief)
    if belief is not None:
        return {"decision": ELIGIBLE, "decided_at": belief.at, "reason": belief.reason}
    if assessment is not None and assessment.state != "open":
        words = {"discharged": assessment.outcome or "assessed"}
        return {
            "decision": words.get(assessment.state, assessment.state),
            "decided_at": assessment.done_at,
            "reason": assessment.reason,
            "reference": assessment.reference,
            "justification": assessment.justification,
            "signed_by": _signed(assessment),
        }
    if not account.ended:
        return {"decision": BEING_ASSESSED}
    if account.status is Status.CLOSED:
        return {"decision": UNDECIDED}
    return {"decision": FALSE_ALARM, "decided_at": account.closed_at, "reason": account.statuses[-1].reason}


def _statement(duty: Obligation, now: datetime) -> Statement:
    ended = duty.state != "open"
    return Statement(
        state=duty.state,
        due_at=duty.due_at or duty.ceiling_at,
        done_at=duty.done_at if ended else None,
        overdue=_overdue(duty, now),
        reference=duty.reference if ended else None,
        reason=duty.reason if ended else None,
        justification=duty.justification if ended else None,
        signed_by=_signed(duty),
    )


def _signed(duty: Obligation) -> list[Signed]:
    return [Signed(role=signature.role, at=signature.at) for signature in duty.signatures]


def _overdue(duty: Obligation, now: datetime) -> bool:
    """Whether it was done late, or is late now: while no worker runs, the record does not say so by itself."""
    due_at = duty.due_at or duty.ceiling_at
    if due_at is None or duty.state not in {"open", "discharged"}:
        return False
    return due_at < (now if duty.state == "open" else duty.done_at or now)

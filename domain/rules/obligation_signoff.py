"""How people end a duty: one proposes how, everybody who must sign does, and then it has ended."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from domain.config.obligation import Obligation
from domain.config.organisation import COMMANDER, Contact
from domain.model import acts
from domain.model.commands import (
    INCIDENT_COMMANDS,
    Command,
    DischargeObligation,
    ObligationNotRequired,
    SupersedeObligation,
)
from domain.model.duty_records import Ending, ObligationRecord, ObligationStatus, Signature
from domain.model.event_kinds import Happening
from domain.model.state import IncidentState
from domain.model.work_events import DutySigned
from domain.rules import confirming, obligation_rules
from domain.values.timestamps import stamp

EndCommand = DischargeObligation | ObligationNotRequired | SupersedeObligation

_STATES: dict[type[Command], ObligationStatus] = {
    DischargeObligation: "discharged",
    ObligationNotRequired: "not-required",
    SupersedeObligation: "superseded",
}
_NAMES = {model: name for name, model in INCIDENT_COMMANDS.items()}


def may_end(state: IncidentState, command: EndCommand) -> str | None:
    """Why this person cannot end this duty so; None when they can, or can sign what stands."""
    record = next((r for r in state.obligations if r.step == command.step), None)
    if record is None:
        known = ", ".join(r.step for r in state.obligations) or "none has begun"
        return f"there is no obligation {command.step!r} here; there are: {known}"
    if record.state != "open":
        return f"obligation {command.step!r} is {record.state} already"
    obligation, who = obligation_rules.definition(state, record), state.who(command.by)
    if who is None or not _roles(state, who) & {obligation.owner, *obligation.signers}:
        signers = f", signed by {' and '.join(obligation.signers)}" if obligation.signers else ""
        return f"{command.step!r} is ended by {obligation.owner}{signers}, not by {command.by}"
    if (doubt := confirming.unusual(state, f"{record.step} done at", getattr(command, "at", None))) is not None:
        return doubt
    if command.proposal is not None and (record.ending is None or command.proposal != record.ending.digest()):
        return f"another ending of {command.step!r} stands than the one that is agreed to: look at it again"
    if command.proposal is not None and any(value is not None for value in _given(command).values()):
        return "agree to what stands, or say all of it anew"
    ending = _ending(record, command, who, None)
    return _incomplete(obligation, record, ending)


def _incomplete(obligation: Obligation, record: ObligationRecord, ending: dict[str, Any]) -> str | None:
    """What a proposal still lacks."""
    if ending["state"] != "discharged":
        return None if ending["reason"] else "say why (reason)"
    if not ending["reference"]:
        return "say what proves it: the receipt or where it is written down (reference)"
    if obligation.outcomes and ending["outcome"] not in obligation.outcomes:
        return f"say what was decided (outcome): {' or '.join(obligation.outcomes)}"
    late = record.overdue if ending["done_at"] is None else ending["done_at"] > record.due_at
    if late and not ending["justification"]:
        return f"it was due {stamp(record.due_at)}: say why it is late (justification)"
    return None


def _given(command: EndCommand) -> dict[str, Any]:
    return {
        "reference": getattr(command, "reference", None),
        "done_at": getattr(command, "at", None),
        "outcome": getattr(command, "outcome", None),
        "reason": command.reason,
        "justification": getattr(command, "justification", None),
    }


def _ending(record: ObligationRecord, command: EndCommand, who: Contact, now: datetime | None) -> dict[str, Any]:
    """What is proposed: what the command gives, and beside it what stands proposed already to the same end.

    Where it is signed nothing is taken over unseen: who says it signs all of it, or agrees to all that stands.
    """
    given, state = _given(command), _STATES[type(command)]
    takes_over = command.proposal is not None or command.proven is None
    standing = record.ending.model_dump() if takes_over and record.ending and record.ending.state == state else {}
    merged = {name: value if value is not None else standing.get(name) for name, value in given.items()}
    if now is not None:
        merged["done_at"] = min(merged["done_at"] or now, now)
    return {**merged, "state": state, "by": standing.get("by", who.id)}


def propose(state: IncidentState, command: EndCommand, who: Contact, now: datetime) -> Iterator[Happening]:
    """Propose how a duty ends, or sign what is proposed; another proposal voids the signatures on the one before.

    The last signature that is needed ends it.
    """
    record = state.obligation(command.step)
    obligation = obligation_rules.definition(state, record)
    ending, signatures = Ending.model_validate(_ending(record, command, who, now)), list(record.signatures)
    if ending != record.ending:
        ending, signatures = ending.model_copy(update={"by": who.id}), []
    proposed = record.model_copy(update={"signatures": signatures})
    if all(signature.by != who.id for signature in signatures):  # everybody signs once, in the first role that must
        roles = _roles(state, who)
        role = next((role for role in proposed.unsigned(obligation.signers) if role in roles), None)
        if role is not None:
            signatures.append(_signature(command, who, role, now))
    missing = proposed.unsigned(obligation.signers)
    signed = DutySigned(step=record.step, title=obligation.title, ending=ending, signatures=signatures, missing=missing)
    yield Happening(signed, who.id)


def _signature(command: EndCommand, who: Contact, role: str, now: datetime) -> Signature:
    if command.proven is None:
        return Signature(by=who.id, role=role, at=now)
    said = {"command": _NAMES[type(command)], "given": acts.given(command), "proof": command.proof}
    return Signature(by=who.id, role=role, at=now, verified=command.proven, **said)


def _roles(state: IncidentState, who: Contact) -> set[str]:
    commands = {COMMANDER} if state.commander == who.id else set()
    return {*who.roles, *commands}

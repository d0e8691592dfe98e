"""What has to be proven for an entry that counts: of who did it, and of everybody whose signature it holds.

Pure, over one entry and the declaration of its incident: whoever keeps the record asks here what to look for, before an
entry goes in, and so does who checks a record later. What happens by itself needs no proof, and is told apart by what
the runbook, the obligations and the declaration say; everything else does.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.config.delegation import Delegation
from domain.config.obligation import Obligation
from domain.config.organisation import COMMANDER
from domain.config.runbook import ProbeStep, TaskStep
from domain.model import acts, command_events, events, work_events
from domain.model.declaration import Declaration
from domain.model.delegation_events import Delegated, DelegationEnded
from domain.model.duty_records import Signature
from domain.model.event_kinds import COUNTED, event_of
from domain.model.events import ORCHESTRATOR, Event
from domain.model.proofs import ClaimAsked
from domain.model.timeline import Entry
from domain.rules import facts, obligation_rules, reclassification, tasks
from domain.rules.people_then import PeopleThen
from domain.values.canonical import canonical_value
from domain.values.severity import Severity


class UnsaidError(ValueError):
    """An entry says what nobody said, and what does not happen by itself; the text says which."""


def claims(
    declaration: Declaration, entry: Entry, delegated: Sequence[Delegation] = (), at: datetime | None = None
) -> list[ClaimAsked]:
    """What has to be proven for this entry; nothing where it counts for nothing, or happens by itself.

    `delegated` is what the record before it says of stand-ins, beside the declaration. They held their roles `at` that
    time (UTC), if they did: the entry's own, unless it is given.

    Raises `UnsaidError`, and `pydantic.ValidationError` for an entry that cannot be read.
    """
    if entry.kind not in COUNTED or declaration.environment.kind == "sandbox" or declaration.mode == "dry-run":
        return []
    event, people = event_of(entry), PeopleThen(declaration, delegated, at or entry.at)
    if isinstance(event, work_events.DutySigned):
        return list(_of_duty(declaration, entry, event, people))
    if isinstance(event, events.SeverityChanged) and event.before.above(event.after):
        _refuse_lowering(declaration, entry, event, people)
    if isinstance(event, Delegated | DelegationEnded) and not people.may_say(entry.actor, event):
        raise UnsaidError(f"entry {entry.seq}: {entry.actor} names no such stand-in")
    if event is None or _by_itself(declaration, entry, event):
        return []
    name = str(entry.cause.get("command"))
    said = _SAID.get(type(event), {}).get(name)
    given = entry.cause.get("given") or {}
    if said is None or not said(entry, event, given):
        raise UnsaidError(f"entry {entry.seq} ({entry.kind}) is not what {entry.actor} said ({name})")
    found = [_claim(declaration, entry.actor, name, given, entry.cause.get("proof"))]
    if isinstance(event, command_events.CommandTaken):
        offer = event.offer
        asked = _claim(declaration, offer.by, "hand_over", offer.given, offer.proof)
        found.append(asked.model_copy(update={"said_at": offer.at}))
    return found


def _refuse_lowering(declaration: Declaration, entry: Entry, event: events.SeverityChanged, people: PeopleThen) -> None:
    """A severity is lowered by those of the chain who may, and by nothing by itself."""
    who = people.contact(entry.actor)
    if who is None or not set(who.roles) & set(reclassification.lowered_by(declaration.organisation, event.before)):
        raise UnsaidError(f"entry {entry.seq}: {entry.actor} lowers no {event.before}")


def _claim(declaration: Declaration, by: str, name: str, given: Mapping[str, Any], proof: Any) -> ClaimAsked:
    return ClaimAsked(
        environment=declaration.environment.name,
        incident=declaration.incident_id,
        step=given.get("step"),
        act=acts.ACTS[name],
        subject=acts.subject(name, given),
        by=by,
        proof=proof,
    )


_Said = Callable[[Entry, Any, Mapping[str, Any]], bool]


def _same(*fields: str, **named: str) -> _Said:
    """Whether an event says in these fields, or under other names, what was given."""
    names = {**{field: field for field in fields}, **named}

    def look(_entry: Entry, event: Event, given: Mapping[str, Any]) -> bool:
        return all(canonical_value(getattr(event, one)) == given.get(other) for one, other in names.items())

    return look


def _done(_entry: Entry, event: work_events.TaskEnded, given: Mapping[str, Any]) -> bool:
    notes = {given.get("note"), tasks.by_code(given.get("note"))}
    return (event.status, event.step) == ("done", given.get("step")) and event.note in notes


def _waived(_entry: Entry, event: work_events.TaskEnded, given: Mapping[str, Any]) -> bool:
    return (event.status, event.step, event.note) == ("waived", given.get("step"), given.get("reason"))


def _fact(entry: Entry, event: work_events.FactRecorded, given: Mapping[str, Any]) -> bool:
    said = (given.get("fact"), _instant(given, entry.at), given.get("reason"))
    return (event.fact, event.value, event.reason) == said


def _instant(given: Mapping[str, Any], said_at: datetime) -> datetime:
    """The time that was given, or when it was said, where none was or a later one."""
    at = given.get("at")
    return said_at if at is None else min(datetime.fromisoformat(at), said_at)


def _taken(entry: Entry, event: command_events.CommandTaken, given: Mapping[str, Any]) -> bool:
    """Whoever takes command was offered it, and says by whom."""
    offer = event.offer
    return (offer.by, offer.to, offer.given) == (given.get("of"), entry.actor, {"to": entry.actor})


def _delegated(_entry: Entry, event: Delegated, given: Mapping[str, Any]) -> bool:
    said = given.get("delegation")
    return isinstance(said, dict) and canonical_value(event.data()["delegation"]) == canonical_value(said)


def _nothing(_entry: Entry, _event: Event, _given: Mapping[str, Any]) -> bool:
    return True


_SAID: dict[type[Event], dict[str, _Said]] = {
    events.Acknowledged: {"acknowledge": _nothing},
    events.Mitigated: {"mitigated": _same(reason="summary")},
    events.Resolved: {"resolve": _same(reason="summary")},
    events.Reopened: {"reopen": _same("reason")},
    events.FalseAlarm: {"false_alarm": _same("reason")},
    events.Closed: {"close": _nothing},
    events.SeverityChanged: {"reclassify": _same("reason", after="severity")},
    work_events.TaskEnded: {"complete_task": _done, "waive_task": _waived},
    work_events.FactRecorded: {"record_fact": _fact},
    work_events.CustodyRecorded: {"custody": _same("evidence", "event", "reason", "to")},
    command_events.CommandOffered: {"hand_over": _same("to")},
    command_events.CommandTaken: {"take_command": _taken},
    Delegated: {"delegate": _delegated},
    DelegationEnded: {"end_delegation": _same("delegation", "reason")},
}
"""By event the commands that it may come of, and whether it is what was given."""


def _by_itself(declaration: Declaration, entry: Entry, event: Event) -> bool:
    """Whether nobody has to have said it."""
    automatic = entry.actor == ORCHESTRATOR
    match event:
        case work_events.TaskEnded():
            step = declaration.runbook.step(event.step)
            if not acts.is_required(declaration.runbook, event.step) or _by_code(declaration, event):
                return True
            undone = isinstance(step, TaskStep) and step.until_undone is not None and event.status == "done"
            missed = isinstance(step, TaskStep) and step.opens is not None and event.status == "missed"
            return automatic and (undone or missed)
        case work_events.FactRecorded():
            first = (entry.actor, entry.at) == (declaration.declared_by, declaration.declared_at)
            # the first of them names the declaration, the others the first of them
            declared = first and entry.cause.get("command") == "start" and entry.cause.get("entry") in {1, 2}
            return declared and facts.declared(declaration).get(event.fact) == event.value
        case work_events.CustodyRecorded():
            return not acts.is_release(event.event)
        case events.SeverityChanged():
            return automatic and event.after.above(event.before) and event.after in _raised_to(declaration)
        case events.Reopened():
            return "alert" in entry.cause  # it asks for more, never for less
        case events.Closed():
            return automatic and declaration.mode == "upkeep"
        case events.DrillEnded():
            return automatic and declaration.mode == "drill"
        case _:
            return False


def _by_code(declaration: Declaration, event: work_events.TaskEnded) -> bool:
    """Whether a task is done by the code that was sent for it, which nobody signs and no record holds."""
    said = event.status == "done" and (event.note or "").startswith(tasks.BY_CODE)
    return said and acts.has_code(declaration.runbook, event.step)


def _raised_to(declaration: Declaration) -> set[Severity | None]:
    return {step.raises_to for step in declaration.runbook.steps() if isinstance(step, ProbeStep)}


def _of_duty(
    declaration: Declaration, entry: Entry, event: work_events.DutySigned, people: PeopleThen
) -> Iterator[ClaimAsked]:
    """A duty is ended by all who must sign, by a fact that takes its place, or by whom it asks to be told."""
    obligation = next((one for one in declaration.obligations.obligations if _is(declaration, event, one.id)), None)
    if obligation is None:
        raise UnsaidError(f"entry {entry.seq}: there is no duty {event.step}")
    name, given = str(entry.cause.get("command")), entry.cause.get("given") or {}
    over = set(obligation.superseded_by)
    if name == "start":
        over &= set(facts.declared(declaration))
    elif name != "record_fact" or given.get("fact") not in {*over, obligation.starts}:
        over = set()
    # one that begins behind the fact that ends it is over at once
    over &= {given.get("fact")} if name == "record_fact" and given.get("fact") != obligation.starts else over
    ends = [obligation_rules.superseding(one, entry.actor, entry.at) for one in over]
    who = people.contact(entry.actor)
    if obligation.ends_by_acknowledgement and name == "acknowledge" and who and obligation.owner in who.roles:
        ends = [obligation_rules.told(entry.actor, entry.at)]
    if event.ending in ends:
        if name != "start":
            yield _claim(declaration, entry.actor, name, given, entry.cause.get("proof"))
        return
    if _ENDS.get(name) != event.ending.state:
        raise UnsaidError(f"entry {entry.seq}: {event.step} does not end so by {name}")
    yield _claim(declaration, entry.actor, name, given, entry.cause.get("proof"))
    _refuse_others(entry, event, obligation, people)
    said = [Signature(by=entry.actor, role="", at=entry.at, command=name, given=given), *event.signatures]
    for signature in said:
        if _ENDS.get(signature.command) != event.ending.state or not _says(event, signature):
            raise UnsaidError(f"entry {entry.seq}: {signature.by} did not say that {event.step} ends so")
    # another of theirs at the same instant came with an entry before it, like those of others
    mine = (entry.actor, entry.at, name, given, entry.cause.get("proof"))
    own = [one for one in event.signatures if (one.by, one.at, one.command, one.given, one.proof) == mine]
    said = said[len(own) :]
    agreed = any("proposal" in signature.given for signature in said)  # to all of it, whoever proposed
    proposed = {signature.by for signature in said if _instant(signature.given, signature.at) == event.ending.done_at}
    if not agreed and event.ending.by not in proposed:
        raise UnsaidError(f"entry {entry.seq}: {event.ending.by} did not say that {event.step} was done then")
    for signature in event.signatures:
        if signature not in own:
            asked = _claim(declaration, signature.by, signature.command, signature.given, signature.proof)
            yield asked.model_copy(update={"said_at": signature.at})


_ENDS = {
    "discharge_obligation": "discharged",
    "obligation_not_required": "not-required",
    "supersede_obligation": "superseded",
}


def _is(declaration: Declaration, event: work_events.DutySigned, obligation: str) -> bool:
    step = declaration.runbook.step(event.step)
    return (getattr(step, "obligation", None) or event.step) == obligation


def _refuse_others(entry: Entry, event: work_events.DutySigned, obligation: Obligation, people: PeopleThen) -> None:
    """Whoever signs in a role holds it; who commands is the record's to say. All of them have signed what has ended."""
    signers, who = obligation.signers, people.contact(entry.actor)
    may = {obligation.owner, *signers}
    if COMMANDER not in may and (who is None or not may & set(who.roles)):
        raise UnsaidError(f"entry {entry.seq}: {entry.actor} is no {' or '.join(sorted(may))}")
    for signature in event.signatures:
        who = people.contact(signature.by, None if signature.at == entry.at else signature.at)
        if signature.role != COMMANDER and (who is None or signature.role not in who.roles):
            raise UnsaidError(f"entry {entry.seq}: {signature.by} is no {signature.role}")
    signed_by = {signature.by for signature in event.signatures}
    if len(signed_by) < len(event.signatures):
        raise UnsaidError(f"entry {entry.seq}: somebody has signed {event.step} twice")
    signed = {signature.role for signature in event.signatures}
    if set(signers) - signed != set(event.missing):
        raise UnsaidError(f"entry {entry.seq}: {event.step} is still to be signed by others than it says")


def _says(event: work_events.DutySigned, signature: Signature) -> bool:
    """Whether what was given is this ending of this duty: it agrees to all of it, or says every part of it itself."""
    given, ending = signature.given, event.ending
    if given.get("step") != event.step:
        return False
    if (proposal := given.get("proposal")) is not None:
        return bool(proposal == ending.digest())
    parts = ("reference", "outcome", "reason", "justification")
    return all(getattr(ending, part) == given.get(part) for part in parts)

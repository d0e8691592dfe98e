"""What people may say to an incident, when it is refused, and what comes of it: events, and nothing else.

Each command has a `may` (the reason why not, else None) and a `do`, a generator of what happens. Every event is taken
into the state before the generator goes on, so that what follows sees it.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from domain.config.organisation import Contact
from domain.model import acts
from domain.model.commands import Command
from domain.model.event_kinds import Happening
from domain.model.events import Refused
from domain.model.proofs import Unproven, nonce_of
from domain.model.state import IncidentState
from domain.model.timeline import bounded, shortened
from domain.rules import (
    change_requests,
    custody,
    delegating,
    facts,
    hand_over,
    lifecycle,
    obligation_signoff,
    reclassification,
    tasks,
)
from domain.rules.confirming import Unconfirmed
from domain.values import limits


def _always(_state: IncidentState, _command: Any) -> str | None:
    return None


class _Rule(NamedTuple):
    may: Callable[[IncidentState, Any], str | None]
    do: Callable[[IncidentState, Any, Contact, datetime], Iterator[Happening]]


_RULES: dict[str, _Rule] = {
    "acknowledge": _Rule(_always, lifecycle.acknowledge),
    "note": _Rule(_always, lifecycle.note),
    "request_change": _Rule(change_requests.may_request, change_requests.request),
    "undo": _Rule(change_requests.may_undo, change_requests.undo),
    "complete_task": _Rule(tasks.may_end, tasks.complete),
    "waive_task": _Rule(tasks.may_end, tasks.waive),
    "reclassify": _Rule(reclassification.may_reclassify, reclassification.reclassify),
    "mitigated": _Rule(lifecycle.may_mitigate, lifecycle.mitigate),
    "resolve": _Rule(lifecycle.may_resolve, lifecycle.resolve),
    "reopen": _Rule(lifecycle.may_reopen, lifecycle.reopen),
    "false_alarm": _Rule(lifecycle.may_false_alarm, lifecycle.false_alarm),
    "close": _Rule(lifecycle.may_close, lifecycle.close),
    "record_fact": _Rule(facts.may_record, facts.record),
    "discharge_obligation": _Rule(obligation_signoff.may_end, obligation_signoff.propose),
    "obligation_not_required": _Rule(obligation_signoff.may_end, obligation_signoff.propose),
    "supersede_obligation": _Rule(obligation_signoff.may_end, obligation_signoff.propose),
    "custody": _Rule(_always, custody.record),
    "hand_over": _Rule(hand_over.may_offer, hand_over.offer),
    "take_command": _Rule(hand_over.may_take, hand_over.take),
    "delegate": _Rule(delegating.may_delegate, delegating.delegate),
    "end_delegation": _Rule(delegating.may_end_early, delegating.end_early),
}
Refusal = Callable[[IncidentState, str, Command], str | None]
"""Says why a command is refused; None when it would be done."""


def refusal(state: IncidentState, name: str, command: Command) -> str | None:
    """Why the incident refuses a command now; None when it would do it."""
    if state.ended:
        return f"the incident is {state.status}, which is final"
    return rule_refusal(state, name, command)


def rule_refusal(state: IncidentState, name: str, command: Command) -> str | None:
    """Why a command is refused whether or not the incident has ended: a follow-up hears people after its end."""
    if state.who(command.by) is None:
        return f"{command.by!r} is no contact or role of {state.declaration.organisation.id}"
    if command.proven is not None and nonce_of(command.proof) in state.nonces:
        return Unproven("it was signed for something that is done already: sign it again")
    return _RULES[name].may(state, command)


def decide(state: IncidentState, name: str, command: Command, now: datetime) -> Iterator[Happening]:
    """What comes of a command that nothing refuses."""
    if (who := state.who(command.by)) is not None:
        yield from _RULES[name].do(state, command, who, now)


def refused(name: str, reason: str) -> Refused:
    """That a command was refused, for a reason of any length."""
    confirm = reason.about if isinstance(reason, Unconfirmed) else None
    unproven = isinstance(reason, Unproven)
    return Refused(command=bounded(name), reason=shortened(reason), confirm=confirm, unproven=unproven)


def cause_of(name: str, command: Command, *, most: int = limits.COMMAND) -> dict[str, Any]:
    """A command as the cause of what happens, with what was given but for a code; who gave it stands in the entry.

    What has more than `most` bytes is left out.
    """
    given = acts.given(command)
    return {"command": name, "given": given} if given and limits.size(given) <= most else {"command": name}

"""What people say that counts: as which act it is proven outside a sandbox, and what exactly is signed."""

from collections.abc import Mapping
from typing import Any

from domain.config.runbook import Runbook, TaskStep
from domain.model.commands import (
    INCIDENT_COMMANDS,
    Command,
    CompleteTask,
    Custody,
    Note,
    WaiveTask,
)
from domain.values.canonical import digest

ACTS: Mapping[str, str] = {
    "acknowledge": "acknowledge",
    "note": "note",
    "request_change": "request",
    "undo": "undo",
    "complete_task": "done",
    "waive_task": "waive",
    "reclassify": "severity",
    "mitigated": "mitigated",
    "resolve": "resolve",
    "reopen": "reopen",
    "false_alarm": "false-alarm",
    "close": "close",
    "record_fact": "fact",
    "discharge_obligation": "discharge",
    "obligation_not_required": "discharge",
    "supersede_obligation": "discharge",
    "custody": "release-evidence",
    "hand_over": "hand-over",
    "take_command": "take-command",
    "delegate": "delegate",
    "end_delegation": "delegate",
}
"""By command the act of a claim (`authority.claims.Act`)."""

BREAK_GLASS = "break-glass"
"""The act of who decides a change alone."""

REVIEW = "review:"
"""What the name of such a task begins with; no step of a runbook is called so."""

_RELEASES = frozenset({"released", "transferred"})


def counts(runbook: Runbook, command: Command) -> bool:
    """Whether it has to be proven who says this: not what nobody has to do, nor who has looked at a piece of evidence.

    A task that a code ends is proven by its code, for whoever has no key. A note is proven where its sender can.
    """
    match command:
        case CompleteTask():
            return is_required(runbook, command.step) and (command.code is None or not has_code(runbook, command.step))
        case WaiveTask():
            return is_required(runbook, command.step)
        case Custody():
            return is_release(command.event)
        case Note():
            return command.proof is not None
        case _:
            return True


def is_required(runbook: Runbook, step: str) -> bool:
    """Whether a task has to be done: a review of what somebody did alone has to, whatever the runbook says."""
    found = runbook.step(step)
    return step.startswith(REVIEW) or (isinstance(found, TaskStep) and found.required)


def has_code(runbook: Runbook, step: str) -> bool:
    """Whether a code says that a task was done."""
    found = runbook.step(step)
    return isinstance(found, TaskStep) and found.code_of is not None


def is_release(event: str) -> bool:
    """Whether a piece of evidence leaves our hands by it."""
    return event in _RELEASES


def given(command: Command) -> dict[str, Any]:
    """What a command says, as it goes on record: neither who says it, nor a code."""
    return command.model_dump(mode="json", exclude={"by", "proof", "code"}, exclude_defaults=True)


def subject(name: str, said: Mapping[str, Any]) -> str:
    """What a claim of a command is over: the SHA-256 of its canonical JSON, as it goes on record (`given`)."""
    return digest({"command": name, "given": dict(said)})


def read(name: str, payload: Mapping[str, Any]) -> Command:
    """A command as it is sent. Raises `pydantic.ValidationError`."""
    return INCIDENT_COMMANDS[name].model_validate(payload)


def of_request(step: str, values: Mapping[str, Any]) -> str:
    """What a request for a change is over."""
    return subject("request_change", {"step": step, **({"set": dict(values)} if values else {})})


def of_undo(step: str) -> str:
    """What a request is over to take back what a step has done last."""
    return subject("undo", {"step": step})

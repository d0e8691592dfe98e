"""What people say in a simulation: `ack at 3m by devops-lead`, in the words of the command line."""

import shlex
from datetime import timedelta
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from domain.model.commands import CHANGE_COMMANDS, INCIDENT_COMMANDS
from domain.model.finding import FindingStatus
from domain.values.durations import Duration

_VERBS: dict[str, tuple[str, str | None, str | None]] = {
    "ack": ("acknowledge", None, None),
    "note": ("note", None, "text"),
    "severity": ("reclassify", "severity", "reason"),
    "done": ("complete_task", "step", "note"),
    "waive": ("waive_task", "step", "reason"),
    "change": ("request_change", "step", None),
    "undo": ("undo", "step", None),
    "approve": ("approve", "step", "comment"),
    "reject": ("reject", "step", "reason"),
    "cancel": ("cancel", "step", "reason"),
    "mitigated": ("mitigated", None, "summary"),
    "resolve": ("resolve", None, "summary"),
    "reopen": ("reopen", None, "reason"),
    "false-alarm": ("false_alarm", None, "reason"),
    "close": ("close", None, None),
    "fact": ("record_fact", "fact", "reason"),
    "discharge": ("discharge_obligation", "step", "reference"),
    "not-required": ("obligation_not_required", "step", "reason"),
    "superseded": ("supersede_obligation", "step", "reason"),
    "hand-over": ("hand_over", "to", None),
    "take-command": ("take_command", "of", None),
}
"""By the word: the command, the field that its argument fills, and the one that takes words of the simulation's own."""

_WORDS = "as simulated"
_DURATION: TypeAdapter[timedelta] = TypeAdapter(Duration)


class Said(NamedTuple):
    """One thing that one person says, so long after the declaration; `given` are the command's fields.

    Of a vote `given` holds the change's step instead of a digest: whoever votes approves what stands there then.
    """

    at: timedelta
    command: str
    given: dict[str, Any]

    @property
    def is_vote(self) -> bool:
        return self.command in CHANGE_COMMANDS


class Look(NamedTuple):
    """What a probe tells, so long after the declaration."""

    step: str
    status: FindingStatus
    at: timedelta


def said(line: str) -> Said:
    """Read `VERB [ARGUMENT] [NAME=VALUE …] at TIME by WHO`. Raises `ValueError` that says what cannot be read."""
    words = shlex.split(line)
    if len(words) < 5 or words[-4] != "at" or words[-2] != "by":
        raise ValueError(f"{line!r}: write VERB [ARGUMENT] at TIME by WHO, such as 'ack at 3m by devops-lead'")
    verb, *arguments = words[:-4]
    if verb not in _VERBS:
        raise ValueError(f"{line!r}: there is no {verb!r} in a simulation; known: {', '.join(_VERBS)}")
    command, field, text = _VERBS[verb]
    given: dict[str, Any] = {"by": words[-1], **({text: _WORDS} if text else {})}
    pairs = dict(word.split("=", 1) for word in arguments if "=" in word)
    plain = [word for word in arguments if "=" not in word]
    if len(plain) != (field is not None):
        raise ValueError(f"{line!r}: {verb} takes {f'one argument, its {field}' if field else 'no argument'}")
    if field is not None:
        given[field] = plain[0]
    given |= {"set": pairs} if command == "request_change" else pairs
    one = Said(_duration(line, words[-3]), command, given)
    _check(line, one)
    return one


def look(line: str) -> Look:
    """Read `STEP=STATUS[@TIME]`. Raises `ValueError` that says what cannot be read."""
    step, _, told = line.partition("=")
    status, _, at = told.partition("@")
    known = [one.value for one in FindingStatus]
    if not step or status not in known:
        raise ValueError(
            f"{line!r}: write STEP=STATUS[@TIME], such as error-logs=suspect@2m; one of {', '.join(known)}"
        )
    return Look(step, FindingStatus(status), _duration(line, at or "0m"))


def _check(line: str, one: Said) -> None:
    """Refuse what no command could hold."""
    model = (INCIDENT_COMMANDS | CHANGE_COMMANDS)[one.command]
    given = {**one.given, "digest": ""} if one.command == "approve" else one.given
    if unknown := given.keys() - model.model_fields.keys() - {"step"}:
        raise ValueError(f"{line!r}: there is no {', '.join(sorted(unknown))} in this command")
    try:
        model.model_validate(given)
    except ValidationError as error:
        problem = error.errors()[0]
        raise ValueError(f"{line!r}: {'.'.join(map(str, problem['loc']))}: {problem['msg']}") from error


def _duration(line: str, text: str) -> timedelta:
    try:
        return _DURATION.validate_python(text)
    except ValidationError as error:
        raise ValueError(f"{line!r}: {text!r} is no time: write a whole number and s, m, h or d, such as 3m") from error

"""Claims as they were signed: canonical JSON, digests, and whether a claim says what it has to."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime, timedelta, timezone
from typing import Any

LONGEST = timedelta(days=90)
"""How long a claim holds at most."""

AHEAD = timedelta(minutes=5)
"""How far the clock of whoever signs may be ahead of the record's."""

FORMS = {"subject": "[0-9a-f]{64}", "nonce": "[0-9a-f]{32}", "at": r"[0-9T:-]{19}Z", "expires": r"[0-9T:-]{19}Z"}
NAMES = ("organisation", "environment", "incident", "step", "generation", "act", "decision", "by")
PLAIN: dict[str, Any] = {"reversible": True, "takes_long": False, "moving": [], "context": {}}
"""What is left out of a plan when its digest is made, where it stands at this."""

UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError)
"""What reading raises where something is not of the shape that it has to have."""


class WrongError(Exception):
    """Something that is not as it has to be; the text says what."""


class UnknownError(Exception):
    """Something that cannot be told here; the text says why."""


def canonical(value: Any) -> bytes:
    """The one way to write a value as JSON (RFC 8785)."""
    return written(value).encode()


def written(value: Any) -> str:
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda one: one[0].encode("utf-16-be"))
        return "{" + ",".join(f"{written(name)}:{written(inner)}" for name, inner in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return number(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


def number(value: float) -> str:
    """A number as JavaScript writes it: Python writes the same digits, and the point elsewhere."""
    if value == int(value) and abs(value) < 1e21:
        return str(int(value))
    digits, _, exponent = repr(value).partition("e")
    power = int(exponent or 0)
    if power > 0:
        return f"{digits}e+{power}"
    if power >= -6 and power:
        sign = "-" if value < 0 else ""
        return f"{sign}0.{'0' * (-power - 1)}{digits.lstrip('-').replace('.', '')}"
    return f"{digits}e{power}" if power else digits


def digest(value: Any) -> str:
    """The SHA-256 of it as canonical JSON, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def digest_of_plan(plan: dict[str, Any]) -> str:
    """What a vote over this plan is over."""
    plain = {name: canonical(value) for name, value in PLAIN.items()}
    kept = {name: value for name, value in plan.items() if name != "digest" and plain.get(name) != canonical(value)}
    return digest(kept)


def instant(text: str) -> datetime:
    """A time of the record or of a claim, which are in UTC."""
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if found.utcoffset() != timedelta():
        raise WrongError(f"{text} is not in UTC")
    return found.astimezone(timezone.utc)


def claimed(claim: dict[str, Any], want: dict[str, Any]) -> None:
    """Refuse a claim that is not in the form in which claims are signed, or not about what is wanted.

    `want` holds, by field, what it may say.
    """
    if set(claim) != {"v", *NAMES, *FORMS} or canonical(claim["v"]) != b"1":
        raise WrongError("its claim has other fields than claims have")
    for name, form in FORMS.items():
        if not re.fullmatch(form, claim[name]):
            raise WrongError(f"its {name} is not written as claims write it")
    for name, may in want.items():
        if canonical(claim[name]) not in {canonical(one) for one in may}:
            raise WrongError(f"it is signed for another {name}: {claim[name]}")
    at, expires = instant(claim["at"]), instant(claim["expires"])
    if not at < expires <= at + LONGEST:
        raise WrongError("it ends before it begins, or holds too long")


def in_time(claim: dict[str, Any], arrived: datetime) -> None:
    """Refuse a claim that did not hold when it came."""
    if instant(claim["at"]) > arrived + AHEAD:
        raise WrongError(f"it is dated {claim['at']}, and came before that")
    if instant(claim["expires"]) <= arrived:
        raise WrongError(f"it had expired at {claim['expires']} when it came")


def subject(command: str, given: dict[str, Any]) -> str:
    """The digest of what the claim for a command is over: the one place that says so."""
    return digest({"command": command, "given": given})


ACTS = {
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
"""What the claim for a command calls it."""

"""What has begun without votes: whether a pre-authorisation that the record holds covers it, and who signed that."""

from __future__ import annotations

from datetime import datetime
from itertools import permutations
from typing import Any

from reporting.archive.verify_claims import UnknownError, WrongError, canonical, claimed, digest, in_time, instant
from reporting.archive.verify_entries import own_roles, step_of
from reporting.archive.verify_keys import Key, key_of, signed_by


def covered(declared: dict[str, Any], entry: dict[str, Any], severity: str, *, again: bool) -> dict[str, Any]:
    """The pre-authorisation by which a change has begun; it is refused where that is about something else.

    What was stale is planned `again`, whenever that was.
    """
    data, said = entry["data"], entry["data"]["preauthorised"]
    found = [one for one in declared["preauthorisations"] if digest(one["terms"]) == said["digest"]]
    if not found or said["signed_by"] != [one["claim"]["by"] for one in found[0]["signed"]]:
        raise WrongError("the incident was declared with no such pre-authorisation")
    terms, step = found[0]["terms"], step_of(declared, data["step"])
    if "change" not in step or step.get("evidence") or data["action"] != step["change"]:
        raise WrongError("changes of this kind cannot be pre-authorised")
    if entry["actor"] != "orchestrator" or "requested" in data or data.get("undo_of"):
        raise WrongError("somebody has asked for it, or it takes something back")
    about = [declared["runbook"]["id"], declared["environment"]["name"], step["id"], step["change"]]
    given, asks = step.get("with", {}), set(step.get("ask", []))
    if about != [terms[name] for name in ("type", "environment", "step", "action")] or not (
        asks - set(given) <= set(terms["set"]) <= asks
    ):
        raise WrongError("its pre-authorisation is about something else")
    if canonical(data.get("params", {})) != canonical({**given, **terms["set"]}):
        raise WrongError("it has other parameters than its pre-authorisation says")
    if severity != "P0" or declared["mode"] not in {"live", "drill"}:
        raise WrongError(f"the incident was {severity}, of mode {declared['mode']}")
    if not again and not instant(terms["since"]) <= due(entry) < instant(terms["until"]):
        raise WrongError("its pre-authorisation did not hold then")
    return dict(found[0])


def due(entry: dict[str, Any]) -> datetime:
    """When it had to begin; a worker that was away is late."""
    at = instant(entry["at"])
    return min(instant(entry["cause"]["due_at"]), at) if "due_at" in entry["cause"] else at


def beforehand(declared: dict[str, Any], one: dict[str, Any], keys: dict[str, Key]) -> str:
    """Who has signed a pre-authorisation, and how; it is refused unless all have that the organisation names."""
    signers, terms = [each["claim"]["by"] for each in one["signed"]], one["terms"]
    asked = declared["organisation"].get("preauthorisers", [])
    seats = permutations(dict.fromkeys(signers), len(asked))
    if not asked or not any(
        all(role in own_roles(declared, who) for who, role in zip(seat, asked))  # noqa: B905 - Python 3.9
        for seat in seats
    ):
        raise WrongError("not all have signed its pre-authorisation that have to")
    return "; ".join(signature(declared, each, terms, keys) for each in one["signed"])


def signature(declared: dict[str, Any], proof: dict[str, Any], terms: dict[str, Any], keys: dict[str, Key]) -> str:
    claim, by = proof["claim"], proof["claim"]["by"]
    want: dict[str, list[Any]] = {
        "organisation": [declared["organisation"]["id"]],
        "environment": [terms["environment"]],
        "incident": [None],
        "step": [terms["step"]],
        "generation": [None],
        "act": ["pre-authorise"],
        "subject": [digest(terms)],
        "expires": [terms["until"]],
    }
    claimed(claim, want)
    at = instant(claim["at"])
    in_time(claim, at)
    key = key_of(proof, by, keys, [at])
    if key.method != "ssh":
        raise UnknownError(f"it is signed by {key.method}, which is not checked here")
    return f"signed beforehand by {by} {signed_by(key, proof['signature'], canonical(claim))}, {key.name}"

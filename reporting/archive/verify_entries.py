"""Entries that count, beside requests and votes: what somebody has to have said for each, and what needs nobody."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from reporting.archive.verify_claims import WrongError, canonical, digest, instant

SAID: dict[str, dict[str, dict[str, str]]] = {
    "acknowledged": {"acknowledge": {}},
    "mitigated": {"mitigated": {"reason": "summary"}},
    "resolved": {"resolve": {"reason": "summary"}},
    "reopened": {"reopen": {"reason": "reason"}},
    "false-alarm": {"false_alarm": {"reason": "reason"}},
    "closed": {"close": {}},
    "drill-ended": {},
    "severity": {"reclassify": {"to": "severity", "reason": "reason"}},
    "task": {"complete_task": {"step": "step"}, "waive_task": {"step": "step"}},
    "fact": {"record_fact": {"fact": "fact", "reason": "reason"}},
    "custody": {"custody": {name: name for name in ("evidence", "event", "reason", "to")}},
    "hand-over": {"hand_over": {"to": "to"}},
    "command-taken": {"take_command": {}},
    "obligation": {},
    "delegated": {"delegate": {"delegation": "delegation"}},
    "delegation-ended": {"end_delegation": {"delegation": "delegation", "reason": "reason"}},
}
"""By kind the commands that an entry comes of, and where it says what was given with each."""

ENDS = {
    "discharge_obligation": "discharged",
    "obligation_not_required": "not-required",
    "supersede_obligation": "superseded",
}
STATES = {"complete_task": "done", "waive_task": "waived"}
NOTES = {"complete_task": "note", "waive_task": "reason"}
BY_CODE = "said the code that was sent"
RAISED = ["P3", "P2", "P1", "P0"]
PARTS = ("reference", "outcome", "reason", "justification")


class Said(NamedTuple):
    """What somebody said, and the proof of it."""

    by: str
    command: str
    given: dict[str, Any]
    proof: Any


def said_by(declared: dict[str, Any], entry: dict[str, Any]) -> list[Said]:
    """Who has to have said an entry: whose it is first, then those whose signatures it holds; for some nobody has.

    Refuses an entry that says something else than what was said.
    """
    kind, data, cause = entry["kind"], entry["data"], entry["cause"]
    if kind not in SAID or by_itself(declared, entry):
        return []
    command, given = cause.get("command", ""), cause.get("given", {})
    own = Said(entry["actor"], command, given, cause.get("proof"))
    if kind in {"delegated", "delegation-ended"} and not may_name(declared, entry):
        raise WrongError("who said it names no such stand-in")
    if kind == "severity" and RAISED.index(data["to"]) < RAISED.index(data["from"]):
        chain = declared["organisation"]["chain"]
        may = chain[1:] if data["from"] == "P0" and len(chain) > 1 else chain
        if not {*roles(declared, own.by, entry["at"])} & {*may}:
            raise WrongError("who said it lowers no such severity")
    if kind == "obligation":
        return duty(declared, entry, own)
    named = SAID[kind].get(command)
    if named is None or any(canonical(data.get(one)) != canonical(given.get(other)) for one, other in named.items()):
        raise WrongError("it is not what was said")
    if kind == "task" and (data["status"] != STATES[command] or data.get("note") not in notes(command, given)):
        raise WrongError("it is not what was said")
    if kind == "fact" and instant(data["value"]) != said_of(given, entry["at"]):
        raise WrongError("it is not what was said")
    return [own, offered(entry, own)] if kind == "command-taken" else [own]


def offered(entry: dict[str, Any], own: Said) -> Said:
    """The offer by which somebody takes command: to them, by whom they say that it was."""
    offer = entry["data"]["offer"]
    if (offer["by"], offer["to"], offer["given"]) != (own.given.get("of"), own.by, {"to": own.by}):
        raise WrongError("command was not offered so")
    return Said(offer["by"], "hand_over", offer["given"], offer.get("proof"))


def notes(command: str, given: dict[str, Any]) -> list[Any]:
    """What may stand at a task that has ended: what was said, and that its code was."""
    said = given.get(NOTES[command])
    return [said, *([f"{BY_CODE}; {said}" if said else BY_CODE] if command == "complete_task" else [])]


def said_of(given: dict[str, Any], at: str) -> datetime:
    """The time that was given, or when it was said, where none was or a later one."""
    return min(instant(given["at"]), instant(at)) if given.get("at") else instant(at)


def by_itself(declared: dict[str, Any], entry: dict[str, Any]) -> bool:
    """Whether nobody has to have said it, by the runbook that the record begins with."""
    kind, data, alone = entry["kind"], entry["data"], entry["actor"] == "orchestrator"
    if kind == "task":
        step = step_of(declared, data["step"])
        if data["step"].startswith("review:"):
            return False  # of what somebody did alone: required, and no step of the runbook
        if "task" not in step or not step.get("required", True):
            return True
        if step.get("code_of") and data["status"] == "done" and (data.get("note") or "").startswith(BY_CODE):
            return True
        ended = {"done": step.get("until_undone"), "missed": step.get("opens")}.get(data["status"])
        return bool(alone and ended)
    if kind == "fact":
        first = entry["cause"].get("command") == "start" and entry["cause"].get("entry") in {1, 2}
        at = instant(entry["at"]) == instant(declared["declared_at"])
        return (
            first
            and at
            and entry["actor"] == declared["declared_by"]
            and declared_facts(declared).get(data["fact"]) == instant(data["value"])
        )
    if kind == "severity":
        steps = [step for phase in declared["runbook"]["phases"] for step in phase["steps"]]
        raised = RAISED.index(data["to"]) > RAISED.index(data["from"])
        return bool(alone and raised) and data["to"] in [step.get("raises_to") for step in steps]
    nobody: dict[str, bool] = {
        "custody": data.get("event") in {"received", "accessed"},
        "reopened": "alert" in entry["cause"],
        "closed": alone and declared["mode"] == "upkeep",
        "drill-ended": alone and declared["mode"] == "drill",
    }
    return nobody.get(kind, False)


def declared_facts(declared: dict[str, Any]) -> dict[str, datetime]:
    """The facts that a declaration itself says, with when they were so."""
    at = {"declared": instant(declared["declared_at"])}
    at["aware"] = instant(declared["aware_at"]) if declared["aware_at"] else at["declared"]
    known = declared["obligations"]["facts"]
    found = {one["id"]: at["aware"] for one in known if one["with_phi"] and declared["phi"]}
    found.update({name: at[origin] for name, origin in declared["runbook"]["facts"].items()})
    return {name: one for name, one in found.items() if name in [fact["id"] for fact in known]}


def step_of(declared: dict[str, Any], name: str) -> dict[str, Any]:
    steps = (step for phase in declared["runbook"]["phases"] for step in phase["steps"])
    return next((step for step in steps if step["id"] == name), {})


def duty(declared: dict[str, Any], entry: dict[str, Any], own: Said) -> list[Said]:
    """A duty ends as all say who must sign, by a fact that takes its place, or as somebody was told."""
    data, ending = entry["data"], entry["data"]["ending"]
    name = step_of(declared, data["step"]).get("obligation") or data["step"]
    owed = next(one for one in declared["obligations"]["obligations"] if one["id"] == name)
    facts: list[Any] = []
    if own.command == "record_fact":  # one that begins behind the fact that ends it is over at once
        fact = own.given.get("fact")
        facts = owed["superseded_by"] if fact == owed["starts"] else [fact]
    if own.command == "start" and instant(entry["at"]) == instant(declared["declared_at"]):
        facts = list(declared_facts(declared))
    ends: list[tuple[str, Any, Any]] = [
        ("superseded", None, f"{fact} is on record") for fact in facts if fact in owed["superseded_by"]
    ]
    held = roles(declared, own.by, entry["at"])
    if own.command == "acknowledge" and owed["ends_by_acknowledgement"] and owed["owner"] in held:
        ends = [("discharged", f"acknowledged by {own.by}", None)]
    stands = (ending["state"], ending.get("reference"), ending.get("reason"))
    if stands in ends and (ending["by"], ending["done_at"]) == (own.by, entry["at"]):
        return [] if own.command == "start" else [own]
    others = [(Said(one["by"], one["command"], one["given"], one.get("proof")), one["at"]) for one in signatures(data)]
    # another of theirs at the same instant came with an entry before it, like those of others
    mine = (own, entry["at"])
    signed = others if mine in others else [mine, *others]
    if not all(agrees(data, said) for said in (own, *(said for said, _ in signed))):
        raise WrongError("somebody did not say that it ends so")
    agreed = any(said.given.get("proposal") for said, _ in signed)  # to all of it, whoever proposed
    when = [said.by for said, at in signed if said_of(said.given, at) == instant(ending["done_at"])]
    if not agreed and ending["by"] not in when:
        raise WrongError("who is said to have proposed it did not say that it was done then")
    return [own, *(one[0] for one in others if one != mine)]


def roles(declared: dict[str, Any], contact: str, at: str) -> list[str]:
    """The roles that a contact held at a time, those as a stand-in too; `delegations` has what came since."""
    lent = [
        one["role"]
        for one in declared.get("delegations", [])
        if one["to"] == contact
        and instant(one["since"]) <= instant(at) < min(instant(one["until"]), instant(one.get("ended") or one["until"]))
    ]
    return [*own_roles(declared, contact), *lent]


def own_roles(declared: dict[str, Any], contact: str) -> list[str]:
    found = (one["roles"] for one in declared["organisation"]["contacts"] if one["id"] == contact)
    return next(found, [])


def may_name(declared: dict[str, Any], entry: dict[str, Any]) -> bool:
    """Whether somebody may name a stand-in for a role, or end that: who holds it, or a role above it in the chain."""
    told, by = entry["data"]["delegation"], entry["actor"]
    if entry["kind"] == "delegated" and told["by"] != by:
        return False
    if entry["kind"] == "delegation-ended":
        found = [one for one in declared.get("delegations", []) if delegation_id(one) == told]
        named = (entry["data"]["role"], entry["data"]["to"])
        if not found or (found[0]["role"], found[0]["to"]) != named:
            return False
        if found[0]["to"] == by:
            return True
        told = found[0]
    people, role = declared["organisation"], told["role"]
    above = people["chain"]
    above = above[above.index(role) + 1 :] if role in above else above
    makers = {role} if role in people.get("runbook_approvers", []) else {role, *above}
    return bool(makers & {*own_roles(declared, by)})


def delegation_id(one: dict[str, Any]) -> str:
    said = {name: value for name, value in one.items() if name not in {"proof", "ended"}}
    return digest({"act": "delegate", **said})[:8]


def learn_of_stand_ins(declared: dict[str, Any], entry: dict[str, Any]) -> None:
    """Keep what an entry says of delegations beside those of the declaration."""
    told, known = entry["data"]["delegation"], declared.get("delegations", [])
    if entry["kind"] == "delegated":
        declared["delegations"] = [*known, told]
    else:
        ended = [{**one, "ended": entry["at"]} if delegation_id(one) == told else one for one in known]
        declared["delegations"] = ended


def signatures(data: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"command": "", "given": {}, **one} for one in data.get("signatures", [])]


def agrees(data: dict[str, Any], said: Said) -> bool:
    """Whether somebody has said that a duty ends as it does: part by part, or as it stood proposed."""
    ending, given = data["ending"], said.given
    if ENDS.get(said.command) != ending["state"] or given.get("step") != data["step"]:
        return False
    whole = {**dict.fromkeys(PARTS), **ending}
    if given.get("proposal"):
        return bool(given["proposal"] == digest(whole))
    return all(given.get(part) == whole[part] for part in PARTS)

"""What an incident waits for, and the exact command to type next. Pure: it is given the documents."""

from datetime import datetime
from typing import Any, NamedTuple

Document = dict[str, Any]


class Advice(NamedTuple):
    """Who is to do something, the command that does it, and why."""

    who: str
    command: str
    why: str


def advice(state: Document) -> list[Advice]:
    """Everything that people can do now, the most pressing first; nothing once it has ended."""
    status = state["status"]
    if status in {"closed", "false-alarm"}:
        return []
    found = [_acknowledge(state)] if status == "declared" else []
    found += _votes(state)
    if status in {"declared", "acknowledged"}:
        found += _suggestions(state)
    if status == "acknowledged":
        found.append(_say(state, "mitigated", "--summary '…'", "once the symptoms are gone"))
    elif status == "mitigated":
        found.append(_say(state, "resolve", "--summary '…'", "once the cause is gone"))
    elif status == "resolved":
        tasks = _tasks(state)
        found += tasks or [_say(state, "close", "", "nothing is open any more")]
    return found


def due(state: Document) -> list[Document]:
    """What happens by itself if nobody does anything, earliest first: the incident's own, and votes that run out."""
    found = list(state.get("due", []))
    found += [
        {"at": clock["due_at"], "what": f"{clock['name'].removeprefix('approval:')}: its voters' time is up"}
        for clock in state["clocks"]
        if clock["name"].startswith("approval:") and clock["state"] == "running"
    ]
    return sorted(found, key=lambda entry: datetime.fromisoformat(entry["at"]))


def _acknowledge(state: Document) -> Advice:
    paged = ", ".join(dict.fromkeys(page["role"] for page in state["pages"])) or "whoever is on call"
    return Advice(paged, f"incident ack {state['id']}", "nobody has acknowledged yet")


def _votes(state: Document) -> list[Advice]:
    return [
        Advice(
            ", ".join(change.get("eligible", [])) or "the approvers",
            f"incident approve {state['id']} {change['step']}",
            f"{change['step']} waits for approval",
        )
        for change in state["changes"]
        if change["status"] == "awaiting-approval"
    ]


def _suggestions(state: Document) -> list[Advice]:
    """Changes that a finding speaks for; one that is under way, done or turned down is not suggested again."""
    asked = {change["step"] for change in state["changes"] if change["status"] not in {"expired", "failed", "stale"}}
    return [
        Advice(
            _commander(state),
            " ".join(["incident change", state["id"], offer["step"], *(f"--set {name}=…" for name in offer["ask"])]),
            f"{offer['title']}: suggested by {', '.join(offer['because'])}",
        )
        for offer in state.get("offers", [])
        if offer["because"] and offer["step"] not in asked
    ]


def _tasks(state: Document) -> list[Advice]:
    return [
        Advice(task["owner"], f"incident done {state['id']} {task['step']}", task["title"])
        for task in state["tasks"]
        if task["status"] == "open" and task.get("required", True)
    ]


def _say(state: Document, command: str, options: str, why: str) -> Advice:
    return Advice(_commander(state), f"incident {command} {state['id']} {options}".rstrip(), why)


def _commander(state: Document) -> str:
    return state["commander"] or "incident-commander"

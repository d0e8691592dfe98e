"""An incident's document as tables."""

import json
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from domain.values.local_time import Clock
from starters.cli.terminal import clean, table

Document = dict[str, Any]


def head(state: Document, clock: Clock) -> Table:
    """Who, what, since when."""
    made = Table.grid(padding=(0, 2))
    rows = {
        "Incident": f"{state['id']}  {state['severity']} {state['type']}  {state['mode']} in {state['environment']}",
        "Title": state["title"],
        "Status": state["status"],
        "Commander": state["commander"] or "nobody yet",
        "Waiting for": ", ".join(state.get("waiting_for", [])),
        "Declared": clock(state["declared_at"]),
        "Acknowledged": clock(state["acknowledged_at"]),
        "Mitigated": clock(state["mitigated_at"]),
        "Resolved": clock(state["resolved_at"]),
        "Closed": clock(state["closed_at"]),
    }
    for name, value in rows.items():
        if value:
            made.add_row(name, clean(value))
    return made


def findings(state: Document) -> Table:
    """What the probes saw."""
    made = table("Findings", "Step", "Status", "What was seen")
    for finding in state["findings"]:
        made.add_row(finding["step"], finding["status"], clean(finding["summary"]))
    return made


def changes(state: Document) -> Table:
    """What was asked for, and what came of it."""
    made = table("Changes", "Step", "Action", "Class", "Status", "Votes", "Digest or reason")
    for change in state["changes"]:
        votes = ", ".join(f"{vote['by']} {vote['decision']}" for vote in change["approvals"])
        why = change.get("reason") or (change["plan"] or {}).get("digest", "")[:16]
        made.add_row(change["step"], change["action"], change["class"] or "", change["status"], votes, clean(why))
    return made


def offers(state: Document) -> Table:
    """The changes that may be asked for, with what speaks for each."""
    made = table("Changes on offer", "Step", "Title", "Asks for", "Suggested by")
    for offer in state.get("offers", []):
        made.add_row(offer["step"], clean(offer["title"]), ", ".join(offer["ask"]), ", ".join(offer["because"]))
    return made


def tasks(state: Document, clock: Clock) -> Table:
    """What people have to do."""
    made = table("Tasks", "Step", "Task", "Owner", "Due", "Status")
    for task in state["tasks"]:
        status = task["status"] if task.get("required", True) else f"{task['status']} (optional)"
        made.add_row(task["step"], clean(task["title"]), task["owner"], clock(task["due_at"]), status)
    return made


def clocks(state: Document, clock: Clock) -> Table:
    """Every deadline and how it stands."""
    made = table("Clocks", "Name", "Due", "State")
    for entry in state["clocks"]:
        made.add_row(entry["name"], clock(entry["due_at"]), entry["state"])
    return made


def facts(state: Document, clock: Clock) -> Table:
    """What is on record of when something was so; of a fact that was moved, every value."""
    made = table("Facts", "Fact", "Is", "Recorded", "By", "What it means, and why it is so")
    for fact in state["facts"]:
        why = f"{fact['title']}" + (f" ({fact['reason']})" if fact["reason"] else "")
        made.add_row(fact["fact"], clock(fact["value"]), clock(fact["at"]), fact["by"], clean(why))
    return made


def obligations(state: Document, clock: Clock) -> Table:
    """What is owed in one incident, by whom, and on whose word."""
    made = table("Obligations", "Step", "What is owed", "Asked for by", "Owner", "Due", "State")
    for owed in state["obligations"]:
        due = f"{clock(owed['due_at'])}\n{owed['due_basis'] or owed['ceiling_basis']}"
        asked = f"{owed['basis']}: {owed['source']}"
        made.add_row(owed["step"], clean(owed["title"]), clean(asked), owed["owner"], clean(due), _ended(owed))
    return made


def _ended(owed: Document) -> str:
    """How a duty stands: what ended it, or who has signed what is proposed and who has not."""
    signed = {signature["role"] for signature in owed["signatures"]}
    if owed["state"] != "open":
        return clean(f"{owed['state']}: {owed['outcome'] or ''} {owed['reference'] or owed['reason'] or ''}")
    missing = ", ".join(role for role in owed["signers"] if role not in signed)
    late = "OVERDUE, " if owed["overdue"] else ""
    return f"{late}open" + (f"; signed by {', '.join(sorted(signed))}, not by {missing}" if signed else "")


def owed(rows: list[Document], clock: Clock) -> Table:
    """What is open in every incident, the nearest deadline first."""
    made = table("Open obligations", "Due", "Incident", "Step", "What is owed", "Owner", "State")
    for row in rows:
        made.add_row(clock(row["due_at"]), row["incident"], row["step"], clean(row["title"]), row["owner"], _ended(row))
    return made


def entries(timeline: list[Document], clock: Clock) -> Table:
    """The timeline, oldest first."""
    made = table("Timeline", "#", "At", "Who", "Kind", "What")
    for entry in timeline:
        made.add_row(str(entry["seq"]), clock(entry["at"]), clean(entry["actor"]), entry["kind"], clean(entry["text"]))
    return made


def plan(change: Document) -> list[RenderableType]:
    """A plan as somebody reads it who is to approve it: what stands, what shall stand, and what that means."""
    planned = change["plan"]
    if planned is None:
        return [f"{change['step']}: {change['status']}, no plan"]
    rows = table("", "Field", "Now", "After")
    rows.title = None
    for name in dict.fromkeys([*planned["before"], *planned["after"]]):
        before, after = planned["before"].get(name), planned["after"].get(name)
        rows.add_row(("* " if before != after else "  ") + clean(name), _value(before), _value(after))
    grid = Table.grid(padding=(0, 2))
    grid.add_column()
    grid.add_column(overflow="fold")  # nobody approves a target that was cut short
    for label, value in (
        ("Change", f"{change['step']} ({change['action']}, class {change['class']})"),
        ("What", planned.get("summary", "")),
        ("Target", planned["target"]),
        ("Impact", planned["impact"]),
        ("Digest", planned["digest"]),
        ("Status", change["status"]),
        ("May approve", ", ".join(change.get("eligible", []))),
    ):
        if value:
            grid.add_row(label, clean(value))
    return [grid, rows]


def plans(state: Document) -> list[RenderableType]:
    """Every change's plan, one below the other."""
    return [part for change in state["changes"] for part in plan(change)]


def _value(value: Any) -> str:
    return clean(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))

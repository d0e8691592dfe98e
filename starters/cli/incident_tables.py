"""An incident's document as tables."""

import json
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from domain.values.local_time import Clock
from starters.cli.plan_words import plan_words
from starters.cli.terminal import clean, table

Document = dict[str, Any]


_NO_WORDS = "none: another plan than that of the digest, or not all of it"
_OUTSIDE = ", ended from outside: nobody carries it on. Go on with it: incident restore {}"


def head(state: Document, clock: Clock) -> Table:
    """Who, what, since when."""
    moments = ("Declared", "Acknowledged", "Mitigated", "Resolved", "Closed")
    rows = {
        "Incident": f"{state['id']}  {state['severity']} {state['type']}  {state['mode']} in {state['environment']}",
        "Title": state["title"],
        "Status": state["status"] + (_OUTSIDE.format(state["id"]) if state.get("ended_from_outside") else ""),
        "Commander": state["commander"] or "nobody yet",
        "Offered to": _offered(state.get("hand_over"), clock),
        "Waiting for": ", ".join(state.get("waiting_for", [])),
        **{name: clock(state[f"{name.lower()}_at"]) for name in moments},
    }
    return _pairs(rows)


def _offered(offer: Document | None, clock: Clock) -> str:
    """To whom command is offered, and until when; nothing where it is not."""
    return f"{offer['to']}, until {clock(offer['until'])}; until it is taken {offer['by']} commands" if offer else ""


def _pairs(rows: dict[str, Any]) -> Table:
    """Names beside their values; what is empty is left out."""
    made = Table.grid(padding=(0, 2))
    made.add_column()
    made.add_column(overflow="fold")  # nobody approves a target that was cut short
    for name, value in rows.items():
        if value:
            made.add_row(name, clean(value))
    return made


def findings(state: Document) -> Table:
    """What the probes saw."""
    rows = ([one["step"], one["status"], one["summary"]] for one in state["findings"])
    return table("Findings", "Step", "Status", "What was seen", rows=rows)


def changes(state: Document) -> RenderableType:
    """What was asked for, and what came of it: of each piece, where a change was done in part."""

    def row(change: Document) -> list[Any]:
        votes = ", ".join(_vote(vote) for vote in change["approvals"])
        if by := change.get("preauthorised"):
            votes = f"none: pre-authorisation {by['digest'][:12]} of {' and '.join(by['signed_by'])}"
        planned = change["plan"]
        told = f"{planned['digest'][:16]}\n{plan_words(planned) or _NO_WORDS}" if planned else ""
        return [
            change["step"],
            change["action"],
            change["class"],
            change["status"],
            votes,
            change.get("reason") or told,
        ]

    columns = ("Step", "Action", "Class", "Status", "Votes", "Digest and words, or reason")
    asked = table("Changes", *columns, rows=map(row, state["changes"]))
    pieces = [[one["step"], piece, came] for one in state["changes"] for piece, came in one.get("pieces", {}).items()]
    return Group(asked, table("Done in part", "Step", "Piece", "What came of it", rows=pieces)) if pieces else asked


def _vote(vote: Document) -> str:
    """Who voted and how; who decided alone is told so."""
    alone = " alone (break-glass)" if vote.get("break_glass") is not None else ""
    return f"{vote['by']} {vote['decision']}{alone}"


def stand_ins(state: Document, clock: Clock) -> Table:
    """Who stands in for whom, by what the incident knows."""

    def stands(one: Document) -> str:
        return "now" if one["in_force"] else "over" if one["over"] else "to come"

    rows = (
        [one["id"], one["to"], one["role"], clock(one["since"]), clock(one["ended"] or one["until"]), stands(one)]
        for one in state["stand_ins"]
    )
    return table("Stand-ins", "Id", "Who", "Stands in as", "From", "Until", "In force", rows=rows)


def offers(state: Document) -> Table:
    """The changes that may be asked for, with what speaks for each."""
    offered = state.get("offers", [])
    rows = ([one["step"], one["title"], ", ".join(one["ask"]), ", ".join(one["because"])] for one in offered)
    return table("Changes on offer", "Step", "Title", "Asks for", "Suggested by", rows=rows)


def tasks(state: Document, clock: Clock) -> Table:
    """What people have to do."""

    def row(task: Document) -> list[Any]:
        status = task["status"] if task.get("required", True) else f"{task['status']} (optional)"
        return [task["step"], task["title"], task["owner"], clock(task["due_at"]), status]

    return table("Tasks", "Step", "Task", "Owner", "Due", "Status", rows=map(row, state["tasks"]))


def clocks(state: Document, clock: Clock) -> Table:
    """Every deadline and how it stands."""
    rows = ([one["name"], clock(one["due_at"]), one["state"]] for one in state["clocks"])
    return table("Clocks", "Name", "Due", "State", rows=rows)


def facts(state: Document, clock: Clock) -> Table:
    """What is on record of when something was so; of a fact that was moved, every value."""

    def row(fact: Document) -> list[Any]:
        why = fact["title"] + (f" ({fact['reason']})" if fact["reason"] else "")
        return [fact["fact"], clock(fact["value"]), clock(fact["at"]), fact["by"], why]

    columns = ("Fact", "Is", "Recorded", "By", "What it means, and why it is so")
    return table("Facts", *columns, rows=map(row, state["facts"]))


def obligations(state: Document, clock: Clock) -> Table:
    """What is owed in one incident, by whom, and on whose word."""

    def row(owed: Document) -> list[Any]:
        due = f"{clock(owed['due_at'])}\n{owed['due_basis'] or owed['ceiling_basis']}"
        return [owed["step"], owed["title"], f"{owed['basis']}: {owed['source']}", owed["owner"], due, _ended(owed)]

    columns = ("Step", "What is owed", "Asked for by", "Owner", "Due", "State")
    return table("Obligations", *columns, rows=map(row, state["obligations"]))


def _ended(owed: Document) -> str:
    """How a duty stands: what ended it, or who has signed what is proposed and who has not."""
    signed = {signature["role"] for signature in owed["signatures"]}
    if owed["state"] != "open":
        return f"{owed['state']}: {owed['outcome'] or ''} {owed['reference'] or owed['reason'] or ''}"
    missing = ", ".join(role for role in owed["signers"] if role not in signed)
    late = "OVERDUE, " if owed["overdue"] else ""
    return f"{late}open" + (f"; signed by {', '.join(sorted(signed))}, not by {missing}" if signed else "")


def owed(rows: list[Document], clock: Clock) -> RenderableType:
    """What is open in every incident, the nearest deadline first."""
    if not rows:
        return "No open obligations"
    cells = ([clock(r["due_at"]), r["incident"], r["step"], r["title"], r["owner"], _ended(r)] for r in rows)
    return table("Open obligations", "Due", "Incident", "Step", "What is owed", "Owner", "State", rows=cells)


def entries(timeline: list[Document], clock: Clock) -> Table:
    """The timeline, oldest first."""
    rows = ([e["seq"], clock(e["at"]), e["actor"], e["kind"], e["text"]] for e in timeline)
    return table("Timeline", "#", "At", "Who", "Kind", "What", rows=rows)


def plan(change: Document) -> list[RenderableType]:
    """A plan as somebody reads it who is to approve it: what stands, what shall stand, and what that means."""
    planned = change["plan"]
    if planned is None:
        return [f"{change['step']}: {change['status']}, no plan"]

    def row(name: str) -> list[str]:
        before, after = planned["before"].get(name), planned["after"].get(name)
        return [("* " if before != after else "  ") + name, _value(before), _value(after)]

    names = dict.fromkeys([*planned["before"], *planned["after"]])
    words = plan_words(planned)
    grade = planned.get("approval_class", planned.get("class"))  # as the plan that has these words is read
    does = f"{planned['action']}, class {grade}" if words else f"{change['action']}, class {change['class']}"
    about = {
        "Change": f"{change['step']} ({does})",
        "What": planned.get("summary"),
        "Target": planned["target"],
        "Impact": planned["impact"],
        "Digest": planned["digest"],
        "Words": words or _NO_WORDS,
        "Status": change["status"],
        "May approve": ", ".join(change.get("eligible", [])),
    }
    return [_pairs(about), table(None, "Field", "Now", "After", rows=map(row, names))]


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

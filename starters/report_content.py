"""What a report of an incident says, as blocks that any format can render."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from domain.durations import spoken
from domain.timeline import Entry, Timeline
from starters.terminal import Clock

Document = dict[str, Any]


class Heading(NamedTuple):
    level: int
    text: str


class Items(NamedTuple):
    items: list[str]


class Table(NamedTuple):
    columns: list[str]
    rows: list[list[str]]


Block = Heading | Items | Table | str

_MOMENTS = ("acknowledged_at", "mitigated_at", "resolved_at", "closed_at")


def facts(state: Document, timeline: list[Document]) -> Document:
    """The report as a document: the incident, how long each step took, the record and whether it is whole."""
    return {
        "incident": state,
        "seconds_to": {moment.removesuffix("_at"): _seconds(state, moment) for moment in _MOMENTS},
        "record": {"entries": len(timeline), "first_broken": _first_broken(timeline)},
        "timeline": timeline,
    }


def blocks(state: Document, timeline: list[Document], clock: Clock) -> Iterator[Block]:
    """The report in the order in which it is read."""
    yield Heading(1, f"{state['id']}: {state['title']}")
    yield from _summary(state, clock)
    yield from _findings(state)
    yield from _changes(state, clock)
    yield from _people(state, clock)
    yield from _deadlines(state, clock)
    yield from _tasks(state, clock)
    yield from _record(state, timeline, clock)


def _summary(state: Document, clock: Clock) -> Iterator[Block]:
    yield Heading(2, "Summary")
    yield (
        f"{state['severity']} incident of type {state['type']} in {state['environment']} ({state['mode']}), "
        f"now {state['status']}. Commander: {state['commander'] or 'nobody'}."
    )
    if state.get("description"):
        yield state["description"]
    rows = [["Declared", clock(state["declared_at"]), ""]]
    for moment in _MOMENTS:
        seconds = _seconds(state, moment)
        if seconds is not None:
            name = moment.removesuffix("_at").capitalize()
            rows.append([name, clock(state[moment]), _spoken(state, moment)])
    yield Table(["Moment", "At", "After the declaration"], rows)
    counts = [f"{len(state['pages'])} pages were sent."]
    if state.get("alerts", 1) > 1:
        counts.append(f"{state['alerts']} alerts came in under its key.")
    if state.get("reopened"):
        counts.append(f"It was reopened {state['reopened']} times.")
    yield " ".join(counts)
    book = state["runbook"]
    yield f"Runbook {book['id']}, version {book['version']}, digest {book['digest']}."


def _findings(state: Document) -> Iterator[Block]:
    yield Heading(2, "What was found")
    if not state["findings"]:
        yield "Nothing was looked at."
        return
    yield Table(
        ["Step", "Status", "What was seen", "Evidence"],
        [[f["step"], f["status"], f["summary"], f.get("evidence") or ""] for f in state["findings"]],
    )


def _changes(state: Document, clock: Clock) -> Iterator[Block]:
    yield Heading(2, "What was changed")
    if not state["changes"]:
        yield "Nobody asked for a change."
    for change in state["changes"]:
        yield Heading(3, f"{change['workflow_id']}: {change['status']}")
        asked = f", requested by {change['requested_by']}" if change.get("requested_by") else ""
        yield f"{change['action']}, class {change['class']}{asked}."
        if change.get("reason"):
            yield f"Outcome: {change['reason']}"
        yield from _plan(change["plan"])
        if change["approvals"]:
            yield Table(
                ["Who", "Role", "Decision", "At", "Identity proven", "Comment"],
                [_vote(vote, clock) for vote in change["approvals"]],
            )


def _plan(plan: Document | None) -> Iterator[Block]:
    if plan is None:
        yield "There was no plan."
        return
    if plan.get("summary"):
        yield plan["summary"]
    yield f"Impact: {plan['impact']}"
    names = dict.fromkeys([*plan["before"], *plan["after"]])
    rows = [[name, _value(plan["before"].get(name)), _value(plan["after"].get(name))] for name in names]
    yield Table(["Field", "Before", "After"], rows)
    yield Items([f"Target: {plan['target']}", f"Digest: {plan['digest']}"])


def _vote(vote: Document, clock: Clock) -> list[str]:
    proven = "yes" if vote["verified"] else "no"
    return [vote["by"], vote["role"], vote["decision"], clock(vote["at"]), proven, vote.get("comment") or ""]


def _people(state: Document, clock: Clock) -> Iterator[Block]:
    yield Heading(2, "Who was paged")
    if not state["pages"]:
        yield "Nobody."
        return
    yield Table(
        ["At", "Who", "Role", "Level", "Why"],
        [[clock(p["at"]), p["to"], p["role"], str(p["level"]), p["reason"]] for p in state["pages"]],
    )


def _deadlines(state: Document, clock: Clock) -> Iterator[Block]:
    yield Heading(2, "Deadlines")
    rows = [[c["name"], clock(c["due_at"]), c["state"]] for c in state["clocks"]]
    rows += [[o["step"], clock(o["due_at"]), o["state"]] for o in state["obligations"]]
    yield Table(["Deadline", "Due", "State"], rows) if rows else "There were none."


def _tasks(state: Document, clock: Clock) -> Iterator[Block]:
    yield Heading(2, "Tasks")
    rows = [
        [t["step"], t["title"], t["owner"], clock(t["due_at"]), t["status"], t.get("note") or ""]
        for t in state["tasks"]
    ]
    yield Table(["Step", "Task", "Owner", "Due", "Status", "Note"], rows) if rows else "There were none."


def _record(state: Document, timeline: list[Document], clock: Clock) -> Iterator[Block]:
    yield Heading(2, "Timeline")
    yield Table(
        ["Number", "At", "Who", "Kind", "What"],
        [[str(e["seq"]), clock(e["at"]), e["actor"], e["kind"], e["text"]] for e in timeline],
    )
    broken = _first_broken(timeline)
    whole = "follows from the one before it" if broken is None else f"does NOT follow at number {broken}"
    yield f"{len(timeline)} entries; each {whole} by SHA-256. Head: {state['timeline']['head']}."


def _first_broken(timeline: list[Document]) -> int | None:
    return Timeline(entries=[Entry.model_validate(entry) for entry in timeline]).first_broken()


def _seconds(state: Document, moment: str) -> float | None:
    if state[moment] is None:
        return None
    took = datetime.fromisoformat(state[moment]) - datetime.fromisoformat(state["declared_at"])
    return took.total_seconds()


def _spoken(state: Document, moment: str) -> str:
    return spoken(datetime.fromisoformat(state[moment]) - datetime.fromisoformat(state["declared_at"]))


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

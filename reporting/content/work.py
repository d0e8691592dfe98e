"""What people worked out and wrote, what is left to do, and the evidence, as blocks."""

from collections.abc import Iterator

from domain.audit import evidence
from domain.model.state import IncidentState
from domain.model.timeline import Entry
from domain.values.local_time import Clock
from reporting.content.blocks import Block, Heading, Items, Table


def lessons(state: IncidentState, entries: list[Entry], clock: Clock) -> Iterator[Block]:
    """Causes and lessons in the words in which tasks were reported done, notes, and what was waived and why."""
    yield Heading(2, "Contributing factors and lessons")
    written = [task for task in state.tasks if task.status == "done" and task.note]
    waived = [task for task in state.tasks if task.status == "waived"]
    notes = [entry for entry in entries if entry.kind == "note"]
    if not written and not waived and not notes:
        yield "Nobody has written anything about it yet."
    for task in written:
        yield Heading(3, task.title)
        yield task.note or ""
        yield f"{task.by}, {clock(task.at)} ({task.step})"
    if waived:
        yield Heading(3, "Waived")
        yield Items([f"{task.title} ({task.step}), by {task.by}: {task.note}" for task in waived])
    if notes:
        yield Heading(3, "Notes")
        yield Table(["At", "Who", "Note"], [[clock(note.at), note.actor, note.text] for note in notes])


def checklist(state: IncidentState, clock: Clock) -> Iterator[Block]:
    """Every task and how it stands."""
    yield Heading(2, "Checklist")
    if not state.tasks:
        yield "There were no tasks."
        return
    todo = [task for task in state.tasks if task.required]
    ended = sum(task.status != "open" for task in todo)
    yield f"{ended} of {len(todo)} required tasks are done or waived."
    rows = [
        [t.phase, t.step, t.title, t.owner, clock(t.due_at), t.status if t.required else f"{t.status} (optional)"]
        for t in state.tasks
    ]
    marks = {n: "good" for n, task in enumerate(state.tasks) if task.status == "done"}
    yield Table(["Phase", "Step", "Task", "Owner", "Due", "Status"], rows, marks)


def custody(entries: list[Entry], clock: Clock) -> Iterator[Block]:
    """What was preserved, and in whose hands it has been."""
    kept = evidence.preserved(entries)
    events_of = evidence.custody(entries)
    if not kept and not events_of:
        return
    yield Heading(2, "Evidence and its custody")
    if kept:
        rows = [[one.step, one.arn, str(one.entry.seq), one.entry.data.get("reason") or ""] for one in kept]
        yield Table(["Step", "What", "Entry", "What was said at its end"], rows)
    rows = [
        [clock(event["at"]), event["by"], name, event["event"], event.get("to", ""), event["reason"]]
        for name, events in events_of.items()
        for event in events
    ]
    if rows:
        yield Table(["At", "Who", "Evidence", "What", "To", "Why"], rows)

"""What people worked out and wrote, what is left to do, and the evidence, as blocks."""

from collections.abc import Iterator

from domain.audit import evidence
from domain.model.timeline import Entry
from domain.rules.account import Account
from domain.values.local_time import Clock
from reporting.content.blocks import Block, Heading, Items, Table


def lessons(account: Account, clock: Clock) -> Iterator[Block]:
    """Causes and lessons in the words in which tasks were told done, notes, and what was waived and why."""
    yield Heading(2, "Contributing factors and lessons")
    written = [task for task in account.tasks if task.status == "done" and task.note]
    waived = [task for task in account.tasks if task.status == "waived"]
    if not written and not waived and not account.notes:
        yield "Nobody has written anything about it yet."
    for task in written:
        yield Heading(3, task.title)
        yield task.note or ""
        yield f"{task.by}, {clock(task.at)} ({task.step})"
    if waived:
        yield Heading(3, "Waived")
        yield Items([f"{task.title} ({task.step}), by {task.by}: {task.note}" for task in waived])
    if account.notes:
        yield Heading(3, "Notes")
        yield Table(["At", "Who", "Note"], [[clock(note.at), note.by, note.text] for note in account.notes])


def checklist(account: Account, clock: Clock) -> Iterator[Block]:
    """Every task and how it stands."""
    yield Heading(2, "Checklist")
    if not account.tasks:
        yield "There were no tasks."
        return
    todo = [task for task in account.tasks if task.required]
    ended = sum(task.status != "open" for task in todo)
    yield f"{ended} of {len(todo)} required tasks are done or waived."
    rows = [
        [t.phase, t.step, t.title, t.owner, clock(t.due_at), t.status if t.required else f"{t.status} (optional)"]
        for t in account.tasks
    ]
    marks = {n: "good" for n, task in enumerate(account.tasks) if task.status == "done"}
    yield Table(["Phase", "Step", "Task", "Owner", "Due", "Status"], rows, marks)


def custody(account: Account, entries: list[Entry], clock: Clock) -> Iterator[Block]:
    """What was preserved, and in whose hands it has been."""
    kept = evidence.preserved(entries)
    if not kept and not account.custody:
        return
    yield Heading(2, "Evidence and its custody")
    if kept:
        rows = [[told.step, told.arn, str(told.entry.seq), told.entry.data.get("reason") or ""] for told in kept]
        yield Table(["Step", "What", "Entry", "What was said at its end"], rows)
    rows = [
        [clock(event["at"]), event["by"], name, event["event"], event.get("to", ""), event["reason"]]
        for name, events in account.custody.items()
        for event in events
    ]
    if rows:
        yield Table(["At", "Who", "Evidence", "What", "To", "Why"], rows)

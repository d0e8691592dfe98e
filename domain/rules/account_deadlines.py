"""Every run of every clock, from what the entries tell of clocks."""

from typing import Any

from domain.model.state import Clock
from domain.model.timeline import Entry
from domain.rules.account import Account, ClockState, Deadline

UPDATE = "update"
_ANSWERS = {"acknowledged": "ack", "mitigated": "progress"}


def take_clocks(account: Account, entry: Entry) -> None:
    """Start, move and end what an entry says of clocks, and end late what was missed and is done now."""
    changed: dict[str, Any] = entry.data.get("clocks", {})
    for name, told in changed.items():
        latest = _latest(account, name)
        if told is None:
            if latest is not None:
                latest.dropped = True
                if latest.state == "running":
                    _end(latest, "cancelled", entry)
        else:
            _take(account, latest, name, Clock.model_validate(told), entry)
    _answer(account, entry)


def _take(account: Account, latest: Deadline | None, name: str, clock: Clock, entry: Entry) -> None:
    if latest is not None and latest.state == "running" and clock.state == "running":
        if name != UPDATE or entry.kind == "severity":
            latest.due_at = clock.due_at  # the same run, with another end
            return
        _end(latest, "met", entry)  # an update came in time, and the next is waited for
    if latest is not None and latest.state == "running":
        latest.due_at = clock.due_at
        _end(latest, clock.state, entry)
        return
    if latest is not None and latest.name == UPDATE and latest.state == "breached" and latest.ended_at is None:
        latest.ended_at = entry.at
    run = Deadline(name=name, started_at=entry.at, due_at=clock.due_at)
    account.deadlines.append(run)
    if clock.state != "running":
        _end(run, clock.state, entry)


def _end(run: Deadline, state: ClockState, entry: Entry) -> None:
    run.state = state
    if state != "breached":
        run.ended_at = entry.at


def _answer(account: Account, entry: Entry) -> None:
    """Say when the missed was done after all."""
    name = _ANSWERS.get(entry.kind)
    if entry.kind == "task":
        phase = next((task.phase for task in account.tasks if task.step == entry.data["step"]), None)
        todo = [task for task in account.tasks if task.phase == phase and task.required and task.status == "open"]
        name = None if todo else phase
    latest = None if name is None else _latest(account, name)
    if latest is not None and latest.state == "breached" and latest.ended_at is None:
        latest.ended_at = entry.at


def _latest(account: Account, name: str) -> Deadline | None:
    return next((run for run in reversed(account.deadlines) if run.name == name), None)

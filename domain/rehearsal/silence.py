"""Where a record says nothing though something was due: nobody was there, or the rules of then did not ask for it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.model.state import IncidentState
from domain.rehearsal.given import Input, Woke
from domain.rules import clock

_UNNOTICED = timedelta(seconds=10)
"""How long a task of a worker that has died may lie before the server hands it to another."""


class Missed(NamedTuple):
    """Something was `due` when the input of this number came, and not done. `recorded`: by the record's own word."""

    number: int
    due: datetime
    recorded: bool


def missed(state: IncidentState, at: datetime, workflow_id: str | None) -> Iterator[tuple[datetime, bool]]:
    """What was due to an incident, or a change, before an instant and is not done; and whether the record says so."""
    if workflow_id is None:
        recorded = {state.paging.next_at, *(duty.due_at for duty in state.open_obligations())}
        yield from ((due.at, due.at in recorded) for due in clock.upcoming(state) if due.at <= at)
    elif (change := state.change(workflow_id)) is not None and (window := change.window) is not None:
        due = window.ends_at if window.reminded else window.half_at
        if due <= at:
            yield due, window.ends_at <= at


def with_silent_wakes(inputs: list[Input], found: list[Missed]) -> tuple[list[Input], list[tuple[datetime, datetime]]]:
    """Let the clocks be looked at behind what was said first after nobody was there; and what stays in doubt.

    It is sure that nobody was there where the record itself says that something was due, where it took no longer than a
    worker may be away unnoticed, and where something else was late at that instant too.
    """
    whole, doubtful = list(inputs), []
    last = {(inputs[one.number].workflow_id, one.due): one for one in found}  # until then it stayed undone
    for number, due, recorded in sorted(last.values(), reverse=True):  # from the end: numbers before stay as they are
        said = inputs[number]
        later = (one for one in inputs[number + 1 :] if one.workflow_id == said.workflow_id)
        wakes = [(one.heard, one.what.since, one.at - one.what.since) for one in later if isinstance(one.what, Woke)]
        if wakes and wakes[0][1] <= due:
            continue  # it was done then, and is on record
        late = any(heard == said.heard and lateness > _UNNOTICED for heard, _, lateness in wakes)
        if recorded or late or said.at - due <= _UNNOTICED:
            whole.insert(number + 1, said._replace(what=Woke(due)))
        else:
            doubtful.append((due, said.at))
    return whole, doubtful

"""How it is known that contacts are reached: of each channel when it was last confirmed, and by what; and of whom it is
being asked. Made of what contact validations left on record.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from pydantic import BaseModel

from domain.config.organisation import Organisation
from domain.config.runbook import NoticeStep, TaskStep
from domain.model.records import Task
from domain.model.state import IncidentState

Target = tuple[str, str | None, str | None]
"""Whose, by what kind of channel, at which address; an external party has neither."""


class Check(BaseModel):
    """A check that waits for its answer."""

    incident: str
    step: str
    due_at: datetime | None


class Reached(BaseModel):
    """One channel of a contact, or an external party. Nothing is `confirmed_at` that is not on record.

    `missed_at` is when the last check went without an answer, if none has been answered since.
    """

    contact: str
    channel: str | None = None
    address: str | None = None
    confirmed_at: datetime | None = None
    by: str | None = None
    how: str | None = None
    missed_at: datetime | None = None
    open: Check | None = None

    def take(self, state: IncidentState, task: Task) -> None:
        """Take in what came of a check that is later than those before it."""
        if task.status == "done":
            self.confirmed_at, self.by, self.how, self.missed_at = task.at, task.by, task.note, None
        elif task.status == "missed":
            self.missed_at = task.at
        elif task.status == "open" and not state.ended:
            self.open = Check(incident=state.id, step=task.step, due_at=task.due_at)


def reached(organisation: Organisation, states: Iterable[IncidentState]) -> list[Reached]:
    """Every channel and external party of the organisation as it is now, by incidents from the oldest to the newest."""
    targets: list[Target] = [
        (contact.id, channel.kind, channel.address) for contact in organisation.contacts for channel in contact.channels
    ]
    targets += [(party.id, None, None) for party in organisation.externals]
    rows = {
        target: Reached(contact=target[0], channel=target[1], address=target[2]) for target in dict.fromkeys(targets)
    }
    for state in states:
        if state.upkeep:
            for target, task in _asked(state):
                if target in rows:
                    rows[target].take(state, task)
    return list(rows.values())


def _asked(state: IncidentState) -> Iterator[tuple[Target, Task]]:
    """The checks of a validation, each with whom it asks."""
    runbook = state.declaration.runbook
    for task in state.tasks:
        step = runbook.step(task.step)
        if not isinstance(step, TaskStep):
            continue
        notice = runbook.step(step.code_of) if step.code_of else None
        if isinstance(notice, NoticeStep):
            channel = notice.params["channel"]
            yield (notice.params["contact"], channel["kind"], channel["address"]), task
        elif step.noted and step.key is not None:
            yield (step.key.partition(":")[2], None, None), task

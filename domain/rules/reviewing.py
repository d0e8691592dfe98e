"""What the record says of a runbook: who signed off its last review, what used it since, and what nothing ever did."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from domain.config.reviews import REVIEW, looked_at, signed_off
from domain.config.runbook import AnyStep, ProbeStep, Runbook
from domain.model.declaration import Declaration
from domain.model.records import Task
from domain.model.state import IncidentState

_USING = {"live", "drill"}


class SignOff(NamedTuple):
    """A review that is done. `substance` is the digest of what was reviewed; None where nothing looked at it."""

    declaration: Declaration
    by: str
    at: datetime
    note: str | None
    by_owner: bool
    substance: str | None

    @property
    def incident(self) -> str:
        return self.declaration.incident_id


class Use(NamedTuple):
    """What came of a runbook. `ever` counts the incidents and drills under it, `since` are those after `last`."""

    last: SignOff | None
    ever: int
    since: list[str]
    unused: list[str]
    silent: list[str]


def review_of(state: IncidentState, incident_type: str) -> SignOff | None:
    """The review of a runbook that this incident was, once somebody has signed it off."""
    task = next((one for one in state.tasks if one.step == signed_off(incident_type)), None)
    if state.type != REVIEW or task is None or task.status != "done" or task.by is None or task.at is None:
        return None
    facts = next((found.facts for found in state.findings if found.step == looked_at(incident_type)), {})
    return SignOff(state.declaration, task.by, task.at, task.note, _owns(state, task), facts.get("substance"))


def _owns(state: IncidentState, task: Task) -> bool:
    who = state.who(task.by or "")
    return who is not None and task.owner in who.roles


def latest_review(states: Iterable[IncidentState], incident_type: str) -> SignOff | None:
    """The last review of a runbook that is signed off, by whomever."""
    done = (review_of(state, incident_type) for state in states)
    return max((one for one in done if one is not None), key=lambda one: one.at, default=None)


def study(runbook: Runbook, states: Iterable[IncidentState]) -> Use:
    """What the incidents of a record say of a runbook; each is taken only after the one before it is let go of.

    A review counts once its owner has signed it off. A probe is silent that never found anything suspect, another step
    unused that nobody ever requested or did, that was never sent or never began.
    """
    last: SignOff | None = None
    under: list[tuple[datetime, str]] = []
    used: set[str] = set()
    for state in states:
        done = review_of(state, runbook.id)
        if done is not None and done.by_owner and (last is None or done.at > last.at):
            last = done
        if state.type == runbook.id and state.declaration.mode in _USING:
            under.append((state.declared_at, state.id))
            used |= _used(state)
    left = [step for step in runbook.steps() if step.id not in used] if under else []
    return Use(
        last=last,
        ever=len(under),
        since=[incident for at, incident in under if last is None or at > last.at],
        unused=[step.id for step in left if not _looks(step)],
        silent=[step.id for step in left if _looks(step)],
    )


def _looks(step: AnyStep) -> bool:
    return isinstance(step, ProbeStep)


def _used(state: IncidentState) -> set[str]:
    """The steps that came to something in an incident."""
    return {
        *state.suspects(),
        *(change.step for change in state.changes),
        *(task.step for task in state.tasks if task.status == "done"),
        *(notice.step for notice in state.notices if notice.status == "sent"),
        *(duty.step for duty in state.obligations),
    }

"""The review of runbooks: upkeep that shows an owner what came of a runbook, and asks for a signature under it."""

from collections.abc import Sequence
from datetime import date, timedelta

from domain.config.runbook import Phase, ProbeStep, Runbook, TaskStep, made

REVIEW = "runbook-review"
"""The type of incident in which runbooks are reviewed."""

WITHIN = timedelta(days=14)
"""How long an owner has."""

EVERY = timedelta(days=92)
"""The longest quarter."""


def overdue(reviewed: date | None, today: date) -> bool:
    """Whether a quarter has passed since the last review, and the time that its owner has for the next one."""
    return reviewed is None or today > reviewed + EVERY + WITHIN


def looked_at(incident_type: str) -> str:
    """The step that looks at what came of a runbook."""
    return f"look-{incident_type}"


def signed_off(incident_type: str) -> str:
    """The step that its owner signs off."""
    return f"review-{incident_type}"


def review(runbooks: Sequence[Runbook]) -> Runbook:
    """The runbook of a review of these: of each what the record says of it, and a task for its owner."""
    steps = [step for one in runbooks for step in _of(one)]
    one = runbooks[0] if len(runbooks) == 1 else None
    title = f"Review of the runbook {one.id}" if one else "Review of the runbooks"
    owners = tuple(dict.fromkeys(book.owner for book in runbooks))
    return made(REVIEW, title, owners, Phase(id="review", title="Review", steps=tuple(steps)))


def _of(runbook: Runbook) -> tuple[ProbeStep, TaskStep]:
    name = runbook.id
    title = f"What the record says of {name}"
    ask = f"Review the runbook {name} and sign it off; the note says the verdict"
    return (
        ProbeStep(id=looked_at(name), probe="record.review", title=title, params={"type": name}),
        TaskStep(id=signed_off(name), task=ask, owner=runbook.owner, due=WITHIN),
    )

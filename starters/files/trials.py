"""Which changes can be tried in an environment: each by a step of a runbook, and the others with why they cannot."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from activities.action import ChangeAction
from activities.catalogue import CHANGES
from activities.logical_names import logical_marks
from domain.config.environment import Environment
from domain.config.organisation import Organisation
from domain.config.runbook import ChangeStep, Runbook
from domain.config.schedule import MAINTENANCE
from domain.values.placeholders import placeholders
from starters.files.action_checks import known_names
from starters.files.loading import load_runbook
from starters.files.made_recovery import recovery_test
from starters.files.organisation_folder import list_runbooks


class Trials(NamedTuple):
    """By action: the step that tries it; why it cannot be tried."""

    tried: dict[str, ChangeStep]
    barred: dict[str, str]


def trials(folder: Path, organisation: Organisation, where: Environment, actions: Iterable[str] = CHANGES) -> Trials:
    """Sort changes. Of several steps that name one it is the first of which least is left to say.

    Raises `InvalidFile`.
    """
    offered = _steps(load_runbook(folder, name, organisation, where) for name in list_runbooks(folder))
    rehearsed = _steps([recovery_test(folder, organisation, where, MAINTENANCE)] if where.recovery else [])
    found = Trials({}, {})
    for name in actions:
        why = "the recovery test does" if name in rehearsed else _barred(CHANGES[name], offered[name], where)
        if why:
            found.barred[name] = why
        else:
            found.tried[name] = min(offered[name], key=lambda step: len(left_to_say(step)))
    return found


def _steps(runbooks: Iterable[Runbook]) -> dict[str, list[ChangeStep]]:
    """Their steps by the change that they offer."""
    found: dict[str, list[ChangeStep]] = defaultdict(list)
    for step in [step for runbook in runbooks for step in runbook.steps() if isinstance(step, ChangeStep)]:
        found[step.change].append(step)
    return found


def left_to_say(step: ChangeStep) -> list[str]:
    """The parameters that whoever asks is to give: no runbook knows them."""
    given = step.params
    return [name for name in step.ask if given.get(name) in (None, "", [], ()) or any(placeholders(given[name]))]


def _barred(action: type[ChangeAction[Any]], steps: list[ChangeStep], where: Environment) -> str | None:
    """Why it cannot be tried; None where it can."""
    if where.kind == "production":
        return "nothing is tried in production"
    if lacking := [field for field in action.needs if not getattr(where, field)]:
        return f"{where.name} has no {' and no '.join(lacking)}"
    if action.irreversible:
        return f"it has no undo: {action.irreversible}"
    if not steps:
        return "no runbook names it"
    nowhere = [_nowhere(action, step, where) for step in steps]
    return None if None in nowhere else f"{where.name} has no {nowhere[0]}"


def _nowhere(action: type[ChangeAction[Any]], step: ChangeStep, where: Environment) -> str | None:
    """The part of an environment that has none of what it must be told to act on; the rest is checked with the step."""
    for name in left_to_say(step):
        field = action.params.model_fields[name]
        for mark in logical_marks(field):
            if field.is_required() and not known_names(where.model_dump(), mark.kind):
                return mark.kind
    return None

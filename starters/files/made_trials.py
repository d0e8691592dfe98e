"""The trials of an environment: each change that was not proven for long is asked for, approved, seen, and undone."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from activities.catalogue import CHANGES
from domain.config.environment import Environment
from domain.config.organisation import Organisation
from domain.config.runbook import ChangeStep, Phase, Runbook, TaskStep, made
from domain.config.schedule import TRIALS, listed
from domain.rules.proving import Proven
from starters.files.organisation_folder import SCHEDULES
from starters.files.problems import InvalidFile, Problem
from starters.files.schedule_checks import not_tried
from starters.files.trials import left_to_say, trials


class Record(NamedTuple):
    """What a ledger proves, by action; and the incidents in it that could not be read, which prove nothing."""

    proven: Mapping[str, Proven]
    unread: tuple[str, ...] = ()


class Made(NamedTuple):
    """The runbook, and what its incident is described by: what cannot be tried, and why."""

    runbook: Runbook
    says: str


def made_trials(
    folder: Path, organisation: Organisation, where: Environment, record: Record, now: datetime, opens: str
) -> Made:
    """Ask for each change that is to be tried, for its undo, and for the owner's word. Raises `InvalidFile`.

    Nothing is tried in production.
    """
    if where.kind == "production":
        raise InvalidFile([Problem(folder / SCHEDULES, None, "declares", not_tried(where.name))])
    due = [name for name in CHANGES if record.proven.get(name, Proven()).expired(now)]
    found = trials(folder, organisation, where, due)
    owner = (organisation.on_call or organisation.chain)[0]
    steps = [one for name, step in found.tried.items() for one in _trial(name, step, owner, where.name, opens)]
    sign = TaskStep(
        id="sign-off",
        task="Sign off what was tried, and the list of what cannot be (incident show ID)",
        owner=owner,
        due="21d",
        noted=True,
    )
    phase = Phase(id="trials", title="Trials", steps=(*steps, sign))
    runbook = made(TRIALS, f"Trials of changes in {where.name}", (owner,), phase)
    return Made(runbook, "\n".join(_says(len(due), found.barred, record.unread)))


def _trial(action: str, step: ChangeStep, owner: str, where: str, opens: str) -> Iterator[ChangeStep | TaskStep]:
    name = action.replace(".", "-").replace("_", "-")
    trial = f"try-{name}"
    left = left_to_say(step)
    give = f", with --set for {listed(left)}" if left else ""
    yield ChangeStep(
        id=trial,
        change=action,
        title=f"Trial: {step.title}",
        ask=step.ask,
        approval=step.approval,
        **{"with": step.params},
    )
    yield TaskStep(
        id=f"ask-{name}",
        task=f"Try {action} (incident change ID {trial}{give}), have it approved, and see it verified",
        owner=owner,
        due="14d",
        opens=opens,
        key=f"trials:{where}",
        opens_as=f"Changes that were not tried in {where}",
    )
    yield TaskStep(id=f"undo-{name}", task=f"Undo {trial} in {where}", owner=owner, due="1d", until_undone=trial)


def _says(due: int, barred: Mapping[str, str], unread: tuple[str, ...]) -> Iterator[str]:
    yield f"{due} changes are not proven; {len(barred)} of them cannot be tried here:"
    yield from (f"- {name}: {why}" for name, why in barred.items())
    if unread:
        yield f"Could not be read, and proves nothing: {', '.join(unread)}."

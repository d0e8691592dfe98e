"""What an incident waits for, and the exact command to type next: for the terminal and for Temporal's UI alike."""

from collections.abc import Iterator
from typing import NamedTuple

from domain.config.organisation import COMMANDER
from domain.config.runbook import TaskStep
from domain.model.records import ChangeStatus
from domain.model.state import IncidentState
from domain.rules import change_requests, findings, tasks
from domain.rules.voting import REQUESTER
from domain.values.status import Status
from domain.values.timestamps import stamp

_MAY_BE_ASKED_AGAIN = {ChangeStatus.EXPIRED, ChangeStatus.FAILED, ChangeStatus.PARTLY_APPLIED, ChangeStatus.STALE}


class NextStep(NamedTuple):
    """Who is to do something, the command that does it, and why."""

    who: str
    command: str
    why: str


def next_steps(state: IncidentState) -> list[NextStep]:
    """Everything that people can do now, the most pressing first; nothing once the incident has ended."""
    steps = [] if state.ended else _open_steps(state)
    return [step._replace(why=f"drill: {step.why}") for step in steps] if state.drill else steps


def _open_steps(state: IncidentState) -> list[NextStep]:
    if state.upkeep:
        return [*_votes(state), *_tasks(state)]
    found: list[NextStep] = []
    if state.status is Status.DECLARED:
        paged = ", ".join(dict.fromkeys(page.role for page in state.pages)) or "whoever is on call"
        why = f"no sign of life of {state.commander}" if state.lapsed else "nobody has acknowledged yet"
        found.append(NextStep(paged, f"incident ack {state.id}", why))
    if (offered := state.hand_over) is not None:
        why = f"{offered.by} offers command until {stamp(offered.until)}"
        found.append(NextStep(offered.to, f"incident hand-over {state.id} accept", why))
    found += _votes(state)
    if state.responding:
        found += _suggestions(state)
    commander = state.commander or COMMANDER
    match state.status:
        case Status.ACKNOWLEDGED:
            command = f"incident mitigated {state.id} --summary '…'"
            found.append(NextStep(commander, command, "once the symptoms are gone"))
        case Status.MITIGATED:
            command = f"incident resolve {state.id} --summary '…'"
            found.append(NextStep(commander, command, "once the cause is gone"))
        case Status.RESOLVED:
            found += list(_tasks(state)) or [
                NextStep(commander, f"incident close {state.id}", "nothing is open any more")
            ]
    return found


def _votes(state: IncidentState) -> Iterator[NextStep]:
    for change in state.changes_in_flight():
        if change.status is ChangeStatus.AWAITING_APPROVAL:
            roles = [change.requested_by if role == REQUESTER else role for role in change.eligible]
            who = ", ".join(roles) or "the approvers"
            command = f"incident approve {state.id} {change.step}"
            yield NextStep(who, command, f"{change.step} waits for approval")


def _suggestions(state: IncidentState) -> Iterator[NextStep]:
    """Changes that a finding speaks for; one that is under way, done or turned down is not suggested again."""
    asked = {change.step for change in state.changes if change.status not in _MAY_BE_ASKED_AGAIN}
    for step in change_requests.change_steps(state):
        if step.id not in asked and (because := findings.suggested(state, step)):
            command = " ".join(["incident change", state.id, step.id, *(f"--set {name}=…" for name in step.ask)])
            why = f"{step.title}: suggested by {', '.join(because)}"
            yield NextStep(state.commander or COMMANDER, command, why)


def _tasks(state: IncidentState) -> Iterator[NextStep]:
    for task in state.open_tasks():
        step = state.declaration.runbook.step(task.step)
        if isinstance(step, TaskStep) and step.code_of:
            yield NextStep(task.owner, "incident contact confirm CODE", task.title)
        elif command := tasks.taking_back(state, task.step):
            yield NextStep(task.owner, command, task.title)
        elif task.required:
            yield NextStep(task.owner, f"incident done {state.id} {task.step}", task.title)

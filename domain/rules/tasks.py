"""The work that people do in an incident: what opens it, whom it reminds, how it ends."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from domain.config.organisation import Contact
from domain.config.runbook import Phase, TaskStep
from domain.model.commands import CompleteTask, WaiveTask
from domain.model.event_kinds import Happening
from domain.model.records import Task
from domain.model.state import IncidentState
from domain.model.work_events import TaskEnded, TaskOpened
from domain.rules import links, paging
from domain.values import codes
from domain.values.status import Status
from domain.values.timestamps import stamp

NAG = timedelta(days=1)
"""Policy time between two reminders of what was left to do afterwards, until it is done."""

BY_CODE = "said the code that was sent"
"""The note of a task that its code has ended; the code itself goes nowhere."""


def asked(step: TaskStep, phase: Phase) -> Task:
    """The work of a step, as it is asked for."""
    return Task(step=step.id, title=step.task, owner=step.owner, phase=phase.id, required=step.required)


def expect(state: IncidentState, task: Task, step: TaskStep, at: datetime) -> None:
    """Count from `at` until when a task is due, and when its owner is reminded. Called by `evolve` alone."""
    task.due_at = task.remind_at = _due(state, step, at)
    if state.upkeep and step.code_of is None:
        task.remind_at = at  # nobody is paged for it: a mail says that it is there


def _due(state: IncidentState, step: TaskStep, at: datetime) -> datetime | None:
    days = step.due_business_days.get(state.severity)
    if days is None:
        return None if step.due is None else at + state.scaled(step.due)
    if state.declaration.speed != 1:  # a day of a sandbox is too short to have a close of business
        return at + state.scaled(timedelta(days=days))
    return state.declaration.calendar.due(at, days)


def next_reminder(state: IncidentState, task: Task, at: datetime) -> datetime | None:
    """When the owner of a task is reminded after `at`: never in the response; of other work daily once it is due."""
    if task.phase not in _afterwards(state) and not state.upkeep and task.review_of is None:
        return None
    if task.due_at is not None and at < task.due_at:
        return task.due_at
    due, period = task.due_at or at, state.scaled(NAG)
    return due + (max((at - due) // period, 0) + 1) * period


def _afterwards(state: IncidentState) -> set[str]:
    return {phase.id for phase in state.declaration.runbook.phases if phase.starts == "resolved"}


def are_left(state: IncidentState) -> bool:
    """Whether a closed incident leaves work that goes on by itself. A drill leaves none, nor does a dry run."""
    return state.status is Status.CLOSED and bool(state.open_tasks()) and state.live and not state.drill


def upcoming(state: IncidentState) -> list[tuple[datetime, str]]:
    """When owners are reminded of what is overdue."""
    return [(task.remind_at, f"{task.step} overdue") for task in state.open_tasks() if task.remind_at is not None]


def remind(state: IncidentState, now: datetime) -> Iterator[Happening]:
    """Say what is overdue: once in the timeline, and of what follows the response by mail until it is done."""
    afterwards = _afterwards(state)
    for task in state.open_tasks():
        if task.remind_at is None or task.remind_at > now:
            continue
        overdue = task.due_at is not None and task.due_at <= now
        step = state.declaration.runbook.step(task.step)
        if overdue and isinstance(step, TaskStep) and step.opens is not None:
            yield from _missed(state, task, step)
            continue
        people = [task.owner] if task.phase in afterwards or state.upkeep or task.review_of is not None else []
        subject = f"{'Overdue' if overdue or not state.upkeep else 'To be done'}: {task.title}"
        yield paging.remind(
            state, task.step, people, subject + ("" if people else f" ({task.owner})"), due=task.remind_at
        )


def _missed(state: IncidentState, task: Task, step: TaskStep) -> Iterator[Happening]:
    """End a task that nobody has done in time, with the incident that is to see to it."""
    cause = paging.deadline(f"{task.step} overdue", task.remind_at) if task.remind_at else None
    note = f"nobody has done it by {stamp(task.due_at)}" if task.due_at else None
    yield Happening(TaskEnded(step=task.step, title=task.title, status="missed", note=note), cause=cause)
    if step.opens is not None:
        steps = [one for one in state.declaration.runbook.steps() if isinstance(one, TaskStep)]
        alike = [one for one in steps if (one.opens, one.key) == (step.opens, step.key)]
        said = [*(_stands(state, one) for one in alike), *(one.tells for one in alike if one.tells)]
        yield from links.ask(state, step.opens, task.step, step.key, step.opens_as or task.title, "\n".join(said))


def _stands(state: IncidentState, step: TaskStep) -> str:
    """How a task stands that opens an incident where nobody does it."""
    task = state.task(step.id)
    sent = state.notice(step.code_of) if step.code_of else None
    reason = f"; the code was not sent: {sent.reason}" if sent and sent.status == "failed" else ""
    ended = f"{task.status} by {task.by}" if task.status in {"done", "waived"} else "nobody has done it"
    return f"{task.title}: {ended}{reason}"


def open_for(state: IncidentState, cause: str) -> Iterator[Happening]:
    """Ask for the work that this finding or this applied change gives; for each once."""
    known = {task.step for task in state.tasks}
    for step in state.declaration.runbook.steps():
        if isinstance(step, TaskStep) and cause in step.opened_by and step.id not in known:
            yield Happening(TaskOpened(step=step.id, because=cause, title=step.task, owner=step.owner))


def until_undone(state: IncidentState, step: TaskStep, *, stands: bool, note: str) -> Iterator[Happening]:
    """Ask for what a change left behind to be taken back, while it `stands`; done once it does not."""
    is_open = any(task.step == step.id for task in state.open_tasks())
    if stands and not is_open:
        yield Happening(TaskOpened(step=step.id, because=step.until_undone, title=step.task, owner=step.owner))
    elif is_open and not stands:
        yield Happening(TaskEnded(step=step.id, title=step.task, status="done", note=note))


def taking_back(state: IncidentState, step: str) -> str | None:
    """The command by whose change a task ends, and by nothing else; None for any other task."""
    found = state.declaration.runbook.step(step)
    if not isinstance(found, TaskStep) or found.until_undone is None:
        return None
    if found.undone_by is not None:
        return f"incident change {state.id} {found.undone_by}"
    return f"incident undo {state.id} {found.until_undone}"


def left_standing(state: IncidentState) -> str | None:
    """What a change has left behind that only another takes away, which nobody may walk away from; None for nothing."""
    for task in state.open_tasks():
        if command := taking_back(state, task.step):
            return f"{task.title} first: {command}"
    return None


def may_end(state: IncidentState, command: CompleteTask | WaiveTask) -> str | None:
    task = next((task for task in state.tasks if task.step == command.step), None)
    if task is None:
        return f"there is no task {command.step!r}; the tasks are {', '.join(task.step for task in state.tasks)}"
    if task.status != "open":
        return f"task {command.step!r} is already {task.status}"
    if task.review_of is not None and (who := state.who(command.by)) is not None and who.id == task.review_of:
        return f"{who.id} broke the glass; somebody else must review it"
    if taken := taking_back(state, command.step):
        return f"{command.step} ends once it is undone, and not before: {taken}"
    return _unproven(state, command) if isinstance(command, CompleteTask) else None


def _unproven(state: IncidentState, command: CompleteTask) -> str | None:
    """Why a task is not done yet that waits for a code, or for a note; None for any other."""
    step = state.declaration.runbook.step(command.step)
    if not isinstance(step, TaskStep):
        return None
    if step.noted and not command.note:
        return f"{command.step} is done with a note on how it was confirmed"
    if step.code_of is None:
        return None
    if command.code is not None:
        sent = state.notice(step.code_of)
        said = codes.digest(command.code, codes.about(state.id, sent.sequence))
        return None if sent.code == said else f"that is not the code that was last sent for {command.step}"
    owner, who = state.declaration.runbook.owner, state.who(command.by)
    if who is not None and owner in who.roles and command.note:
        return None
    return f"{command.step} is done by its code, or by {owner} with a note on how it was confirmed"


def complete(state: IncidentState, command: CompleteTask, who: Contact, _now: datetime) -> Iterator[Happening]:
    title = state.task(command.step).title
    note = command.note if command.code is None else by_code(command.note)
    yield Happening(TaskEnded(step=command.step, title=title, status="done", note=note), who.id)


def by_code(note: str | None) -> str:
    """The note of a task that its code has ended, before what was said to it."""
    return "; ".join(filter(None, [BY_CODE, note]))


def waive(state: IncidentState, command: WaiveTask, who: Contact, _now: datetime) -> Iterator[Happening]:
    title = state.task(command.step).title
    yield Happening(TaskEnded(step=command.step, title=title, status="waived", note=command.reason), who.id)


def ask(state: IncidentState, task: Task) -> str:
    """What a reminder asks of the owner."""
    if command := taking_back(state, task.step):
        return f"Done once this is approved and carried out: {command}"
    waive = f"incident waive {state.id} {task.step} --reason WHY"
    return f"Done: incident done {state.id} {task.step}\nNot to be done: {waive}"

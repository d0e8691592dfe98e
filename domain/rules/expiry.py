"""A change that nobody decided on in time: whoever asked for it is told, with what can be done now."""

from collections.abc import Iterator

from domain.config.runbook import ChangeStep
from domain.model.event_kinds import Happening
from domain.model.events import ORCHESTRATOR
from domain.model.records import ChangeRecord, ChangeStatus
from domain.model.state import IncidentState
from domain.rules import breaking_glass, paging


def is_of(change: ChangeRecord | None) -> bool:
    """Whether a page about this change tells that nobody decided on it."""
    return change is not None and change.status is ChangeStatus.EXPIRED


def tell(state: IncidentState, change: ChangeRecord, title: str) -> Iterator[Happening]:
    """Page whoever asked for it, once; whoever commands where nobody asked, as of what starts by itself."""
    if state.ended:
        return
    reason = f"nobody decided in time: {title}"
    who = state.declaration.organisation.contact(change.requested_by)
    if who is not None:
        yield from paging.page(state, who, who.roles[0], reason, change.workflow_id)
    elif change.requested_by == ORCHESTRATOR:
        yield from paging.page_commander(state, reason)


def ask(state: IncidentState, change: ChangeRecord, reader: str) -> str:
    """What can be done now by whoever reads it: ask again, or decide alone where that is for them."""
    again = f"Ask again: incident {_command(state, change)}"
    who, plan = state.declaration.organisation.contact(reader), change.plan
    step = state.declaration.runbook.step(change.step)
    if who is None or plan is None or not isinstance(step, ChangeStep) or change.undo_of is not None:
        return again
    if breaking_glass.refusal(state.declaration.organisation, who, plan, evidence=step.evidence) is not None:
        return again
    first = ", once it is asked for again" if step.ask else ""
    return f"{again}\nDecide alone{first}: incident break-glass {state.id} {change.step} --reason WHY"


def _command(state: IncidentState, change: ChangeRecord) -> str:
    """The command that asks for it again; what it was asked for with is nothing for a page."""
    step = state.declaration.runbook.step(change.step)
    if change.undo_of is not None or not isinstance(step, ChangeStep):
        return f"undo {state.id} {change.step}"
    return " ".join(["change", state.id, change.step, *(f"--set {name}=…" for name in step.ask)])

"""The document that `incident show --json` prints and the query `state` answers."""

from typing import Any

from domain.config.organisation import COMMANDER
from domain.config.runbook import TaskStep
from domain.model.records import ChangeRecord, ChangeStatus, StandIn, Task
from domain.model.state import IncidentState
from domain.rules import change_delays, change_requests, clock, findings, hand_over, obligation_rules
from domain.rules.next_steps import next_steps
from domain.values.status import Status
from domain.values.timestamps import stamp

_HELD_BACK = {
    "declaration",
    "paging",
    "mails",
    "mails_asked",
    "notices_begun",
    "access_denied",
    "first_acknowledged_at",
    "statuses",
    "severities",
    "clocks",
    "changes",
    "delayed",
    "hand_over",
    "commander_asked_at",
    "lapsed",
    "stand_ins",
    "tasks",
    "obligations",
}
"""What is shown in another form, or is nobody's business outside the rules."""


def document(state: IncidentState) -> dict[str, Any]:
    """The incident as JSON values; times are RFC 3339 in UTC."""
    declaration = state.declaration
    return {
        "id": state.id,
        "type": declaration.runbook.id,
        **declaration.model_dump(
            mode="json",
            include={"title", "description", "mode", "declared_at", "declared_by", "phi", "opened_by"},
        ),
        "environment": declaration.environment.name,
        "proofs": state.proofs,
        "aware_at": stamp(declaration.aware_at or declaration.declared_at),
        "runbook": {
            "id": declaration.runbook.id,
            "version": declaration.runbook.version,
            "digest": declaration.runbook_digest,
        },
        **state.model_dump(mode="json", exclude=_HELD_BACK),
        "clocks": [
            *(one.model_dump(mode="json", exclude={"dropped", "times"}) for one in state.standing_clocks()),
            *change_delays.clocks(state),
        ],
        "stand_ins": [_stand_in(one) for one in state.stand_ins],
        "changes": [change_document(change) for change in state.changes],
        "tasks": [_task(state, task) for task in state.tasks],
        "obligations": [obligation_rules.document(state, record) for record in state.obligations],
        "offers": _offers(state),
        "hand_over": hand_over.document(state),
        "due": [
            {"at": stamp(due.at), "what": due.what} for due in sorted(clock.upcoming(state) + clock.voting_ends(state))
        ],
        "next": [step._asdict() for step in next_steps(state)],
        "waiting_for": waiting_for(state),
    }


def _stand_in(known: StandIn) -> dict[str, Any]:
    """A delegation as the incident knows it: `in_force`, or to come, or `over`."""
    one = known.as_it_is()
    said = one.model_dump(mode="json", include={"role", "to", "since", "until", "reason", "by", "ended"})
    return {"id": one.id, **said, "in_force": known.in_force, "over": known.over}


def change_document(change: ChangeRecord) -> dict[str, Any]:
    """One change as JSON values. Its plan is whole, so that whoever reads it can work its digest out anew."""
    content = change.model_dump(mode="json", by_alias=True, exclude={"window", "early"})
    expires_at = change.window.ends_at if change.window and change.status is ChangeStatus.AWAITING_APPROVAL else None
    return {**content, "expires_at": stamp(expires_at)}


def _task(state: IncidentState, task: Task) -> dict[str, Any]:
    """A task, with the notice whose code it waits for and the key of what it opens, where it has these."""
    step = state.declaration.runbook.step(task.step)
    own = step.model_dump(include={"code_of", "key"}, exclude_none=True) if isinstance(step, TaskStep) else {}
    return {**task.model_dump(mode="json"), **own}


def _offers(state: IncidentState) -> list[dict[str, Any]]:
    """The changes that can be requested, with the findings that speak for each."""
    return [
        {
            "step": step.id,
            "change": step.change,
            "title": step.title,
            "ask": list(step.ask),
            "because": findings.suggested(state, step),
        }
        for step in change_requests.change_steps(state)
    ]


def waiting_for(state: IncidentState) -> list[str]:
    """The roles that something waits for now, for the list of incidents."""
    roles: list[str] = []
    if state.upkeep:
        deciding = [role for change in state.changes_in_flight() for role in change.eligible]
        return list(dict.fromkeys([*deciding, *(task.owner for task in state.open_tasks())]))
    if state.status is Status.DECLARED:
        roles += state.paging.paged
    if state.hand_over is not None and (asked := state.who(state.hand_over.to)) is not None:
        roles += asked.roles[:1]
    for change in state.changes_in_flight():
        roles += change.eligible
    if state.status is Status.RESOLVED:
        roles += [task.owner for task in state.open_tasks() if task.required]
        roles += _duty_bound(state, signing=False)
    roles += _duty_bound(state, signing=True)
    if state.status is Status.CLOSED and state.live and not state.drill:
        roles += [task.owner for task in state.open_tasks()]
    if not roles and not state.ended:
        roles.append(COMMANDER)
    return list(dict.fromkeys(roles))


def _duty_bound(state: IncidentState, *, signing: bool) -> list[str]:
    """Who must still sign how a duty ends; or who owns one that nobody has proposed an end for."""
    roles: list[str] = []
    for record in state.open_obligations():
        if signing != (record.ending is None):
            obligation = obligation_rules.definition(state, record)
            roles += record.unsigned(obligation.signers) if signing else [obligation.owner]
    return roles

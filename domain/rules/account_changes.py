"""Changes as the entries of their incident tell them."""

from typing import Any

from domain.model.state import ChangeStatus
from domain.model.timeline import Entry
from domain.rules.account import CastVote, ToldChange, ToldPlan

_DONE = {ChangeStatus.APPLIED, ChangeStatus.ALREADY_DONE}
_VOTE = ("role", "decision", "verified", "comment")


def take_request(changes: list[ToldChange], entry: Entry) -> None:
    told: dict[str, Any] = {**entry.data, "requested_by": entry.actor, "requested_at": entry.at}
    changes.append(ToldChange.model_validate(told))


def take_progress(changes: list[ToldChange], entry: Entry) -> None:
    """Take what an entry tells of a change in flight; of one that has ended nothing counts any more."""
    change = next((c for c in changes if c.workflow_id == entry.data.get("workflow_id")), None)
    if change is None or not change.in_flight:
        return
    if entry.kind == "plan":
        change.plan = ToldPlan.model_validate(entry.data)
        change.approval_class = entry.data.get("class")
        change.status = ChangeStatus.AWAITING_APPROVAL
    if "decision" in entry.data:
        vote = {name: entry.data[name] for name in _VOTE if name in entry.data}
        change.approvals.append(CastVote.model_validate({**vote, "by": entry.actor, "at": entry.at}))
    if entry.kind == "change" and "status" in entry.data:
        _take_status(changes, change, entry)


def _take_status(changes: list[ToldChange], change: ToldChange, entry: Entry) -> None:
    change.status = ChangeStatus(entry.data["status"])
    change.ours = entry.data.get("ours", change.ours)
    if change.in_flight:
        return
    change.reason, change.ended_at = entry.data.get("reason"), entry.at
    if change.status in _DONE and change.undo_of is not None:
        for other in changes:
            if other.step == change.step and other.generation == change.undo_of:
                other.status = ChangeStatus.UNDONE

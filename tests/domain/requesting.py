"""Asks for changes of an incident, and lets them say what became of them."""

from typing import Any

from domain.model.change_events import ChangeEvent, ChangeMoved, PlanMade
from domain.model.commands import RequestChange
from domain.model.effects import StartChange
from domain.model.event_kinds import Happening
from domain.model.plan import Plan
from domain.model.records import ChangeRecord, ChangeStatus
from domain.rules import change_requests
from domain.rules.live import LiveIncident
from tests.builders import T0, minutes
from tests.domain.changing import plan
from tests.domain.speaking import BY, say

NAME = "inc-20261123-7f3k"


def ask(incident: LiveIncident, step: str = "rollback", **settings: Any) -> str | None:
    return say(incident, "request_change", RequestChange(by=BY, step=step, set=settings))


def tell(
    incident: LiveIncident, status: ChangeStatus, step: str = "rollback", made: Plan | None = None, **more: Any
) -> None:
    """Let the newest change of a step say that it has a plan, if one is given, and that it went on to a status."""
    latest = incident.state.latest_change(step)
    assert latest is not None
    names: dict[str, Any] = {"step": step, "workflow_id": latest.workflow_id}
    said: list[ChangeEvent] = [] if made is None else [PlanMade(**names, plan=made)]
    hear(incident, latest, *said, ChangeMoved(**names, title="Roll back", status=status, reason="so it is", **more))


def hear(incident: LiveIncident, change: ChangeRecord, *events: ChangeEvent, minute: float = 10) -> None:
    """Let a change say what happened to it."""
    happened = [Happening(event, at=T0 + minutes(minute)) for event in events]
    now = T0 + minutes(minute)
    incident.take(change_requests.progress(incident.state, change.workflow_id, happened), now)


def started(incident: LiveIncident) -> list[str]:
    return [effect.workflow_id for effect in incident.effects if isinstance(effect, StartChange)]


def last_started(incident: LiveIncident) -> tuple[ChangeRecord, Plan | None]:
    """The change that is to be started last, and the plan that it takes back."""
    effect = incident.effects[-1]
    assert isinstance(effect, StartChange)
    record = incident.state.change(effect.workflow_id)
    assert record is not None
    undone = change_requests.undone_by(incident.state, record)
    return record, undone.effect if undone else None


def applied(incident: LiveIncident, *, ours: bool = True, made: Plan = plan()) -> None:  # noqa: B008 - frozen
    ask(incident)
    tell(incident, ChangeStatus.APPLIED, made=made, ours=ours)

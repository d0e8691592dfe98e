"""Incidents that are over: one that has left work, one that was a run of a schedule."""

from datetime import datetime, timedelta
from typing import Any

from domain.model.declaration import Nominal
from domain.rules import lifecycle
from tests.activities.report_worlds import Played
from tests.builders import declaration, minutes, runbook
from tests.domain.record_ledgers import Recorded
from tests.upkeep import upkeep


def closed(kind: type[Played] = Recorded, **given: Any) -> Played:
    """An outage that is over within seconds, and has left training, which is due ten days later."""
    played = kind(declaration(**given))
    at_once = timedelta(0)
    played.say("acknowledge", "devops-lead", at_once)
    played.say("mitigated", "devops-lead", at_once, summary="rolled back")
    played.say("resolve", "devops-lead", at_once, summary="steady")
    played.say("complete_task", "devops-lead", at_once, step="assess")
    played.say("waive_task", "technical-manager", at_once, step="review", reason="it was held at once")
    assert played.say("close", "devops-lead", at_once) is None
    return played


def run_of(schedule: str, nominal: datetime, *, ends: bool = True, **given: Any) -> Recorded:
    """A run of a schedule, which began ten seconds after it was due and took a minute."""
    look = {"id": "look", "probe": "test.health", "title": "Look"}
    phases = [{"id": "all", "title": "All", "steps": [look]}]
    fields: dict[str, Any] = {
        "runbook": runbook(id="drift", title="Drift", severities=["P3"], phases=phases),
        "declared_at": nominal + timedelta(seconds=10),
        "scheduled": Nominal(schedule=schedule, at=nominal),
    }
    played = Recorded(upkeep(**{**fields, **given}))
    if ends:
        played.now += minutes(1)
        played.incident.take(lifecycle.end_upkeep(played.incident.state, played.now), played.now)
    return played

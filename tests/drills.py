"""A scenario to drill in tests."""

from datetime import datetime
from typing import Any

from domain.config.drill import Exercise, Scenario
from domain.config.runbook import Runbook
from domain.model.declaration import Declaration
from tests.builders import declaration, runbook, with_notices


def scenario(**changes: Any) -> Scenario:
    """A deployment that broke, in the runbook of the builders; `changes` replace its fields."""
    fields = {
        "id": "broken",
        "kind": "response",
        "title": "Portal down",
        "type": "system-outage",
        "severity": "P0",
        "fault": "bad",
        "findings": ["deployments"],
        "right": ["rollback"],
        "harmful": ["promote"],
        "time_box": "2h",
    }
    return Scenario.model_validate(fields | changes)


def exercise(**changes: Any) -> Exercise:
    return Exercise(scenario=scenario(**changes), knew=("cto",))


def drill(declared_at: datetime, speed: float = 1, **changes: Any) -> Declaration:
    """The declaration of a drill of that scenario."""
    made = exercise(**changes)
    title = made.scenario.title
    return declaration(
        mode="drill", drill=made, title=title, runbook=with_notices(), declared_at=declared_at, speed=speed
    )


def opening(declared: Declaration, probe: str) -> Declaration:
    """The same, where what this probe finds opens an incident beside it."""
    plain = declared.runbook.model_dump(mode="json", by_alias=True)
    for step in plain["phases"][0]["steps"]:
        if step["id"] == probe:
            step["opens"] = "other"
    made = Runbook.model_validate(plain)
    return declared.model_copy(update={"runbook": made, "related": {"other": runbook(id="other")}})

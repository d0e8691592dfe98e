"""Speaking to an incident in tests: what people say, and incidents that they have brought to a status."""

from datetime import datetime

from domain.model.commands import Acknowledge, Close, Command, CompleteTask, FalseAlarm, Mitigated, Resolve
from domain.model.records import Clock
from domain.rules.live import LiveIncident
from domain.values.status import Status
from tests.builders import T0, declaration, minutes

BY = "devops-lead"
OPEN = [Status.DECLARED, Status.ACKNOWLEDGED, Status.MITIGATED, Status.RESOLVED]
LATER = T0 + minutes(9)
FINAL = [Status.CLOSED, Status.FALSE_ALARM]


def say(incident: LiveIncident, name: str, command: Command, at: datetime = LATER) -> str | None:
    return incident.hear(name, command, at)


def incident_in(status: Status, **changes: object) -> LiveIncident:
    """An incident that people have brought to a status, one thing said each minute."""
    incident = LiveIncident.declared(declaration(**changes))
    incident.pass_time(T0)
    way: list[tuple[str, Command]] = [
        ("acknowledge", Acknowledge(by=BY)),
        ("mitigated", Mitigated(by=BY, summary="rolled back")),
        ("resolve", Resolve(by=BY, summary="steady")),
    ]
    if status is Status.FALSE_ALARM:
        way = [("false_alarm", FalseAlarm(by=BY, reason="test"))]
    elif status is Status.CLOSED:
        way += [("complete_task", CompleteTask(by=BY, step=step)) for step in ("assess", "review")]
        way.append(("close", Close(by=BY)))
    else:
        way = way[: OPEN.index(status)]
    for minute, (name, command) in enumerate(way, start=1):
        assert say(incident, name, command, T0 + minutes(minute)) is None
    assert incident.state.status is status
    return incident


def clock_of(incident: LiveIncident, name: str) -> Clock:
    """The latest run of a named clock."""
    clock = incident.state.clock(name)
    assert clock is not None, name
    return clock


def timer(incident: LiveIncident, name: str) -> str:
    """How a named clock of the incident stands."""
    return clock_of(incident, name).state

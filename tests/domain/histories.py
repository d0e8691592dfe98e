"""Incidents as many people would tell them: declared, spoken to at given minutes, and folded from their timelines."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from domain.config.obligation import BreachRegister, Obligations
from domain.config.organisation import Organisation
from domain.config.runbook import Runbook
from domain.model.commands import INCIDENT_COMMANDS
from domain.model.state import IncidentState
from domain.rules import clock
from domain.rules.evolve import fold
from domain.rules.live import LiveIncident
from domain.values.severity import Severity
from starters.files.loading import load_obligations
from starters.files.organisation_folder import load_organisation
from starters.files.shipped import shipped_folder
from tests.builders import T0, declaration, incident_id, minutes, runbook
from tests.domain.speaking import say


class Said(NamedTuple):
    """What somebody says so many minutes after the declaration."""

    minute: float
    name: str
    payload: Mapping[str, Any] = MappingProxyType({})
    by: str = "devops-lead"


@cache
def organisation() -> Organisation:
    return load_organisation(shipped_folder())


@cache
def obligations() -> Obligations:
    return load_obligations(shipped_folder(), organisation())


def register() -> BreachRegister:
    found = obligations().breach_register
    assert found is not None
    return found


def incident(
    type_: str = "system-outage", severity: str = "P0", said: Iterable[Said] = (), at: datetime = T0, **changes: Any
) -> LiveIncident:
    """An incident to which all of this was said, its clocks kept meanwhile; a refusal fails."""
    begins = {"told_at": "declared", "suspicion_at": "aware"} if type_ == "data-breach" else {}
    made = LiveIncident.declared(
        declaration(
            incident_id=incident_id(at),
            runbook=_runbook(type_, begins),
            severity=Severity(severity),
            declared_at=at,
            organisation=organisation(),
            obligations=obligations(),
            **changes,
        )
    )
    made.pass_time(at)
    for one in said:
        now = at + minutes(one.minute)
        pass_until(made, now)
        command = INCIDENT_COMMANDS[one.name](by=one.by, **one.payload)
        assert say(made, one.name, command, now) is None, one
    return made


def pass_until(made: LiveIncident, now: datetime) -> None:
    """Let everything happen that happens by itself until then."""
    while (due := clock.next_due(made.state)) is not None and due.at <= now:
        made.pass_time(due.at)
        made.effects = []


def folded(*arguments: Any, **changes: Any) -> IncidentState:
    return fold(incident(*arguments, **changes).timeline.entries)


def altered(state: IncidentState, declared: Mapping[str, Any], **fields: Any) -> IncidentState:
    """The state with other fields, and with others of its declaration."""
    declaration = state.declaration.model_copy(update=dict(declared))
    return state.model_copy(update={**fields, "declaration": declaration})


def answered(ack: float | None = 3, mitigated: float | None = None, resolved: float | None = None) -> list[Said]:
    """Acknowledged, mitigated and resolved after so many minutes, each where it is given."""
    steps = [
        (ack, "acknowledge", {}),
        (mitigated, "mitigated", {"summary": "rolled back"}),
        (resolved, "resolve", {"summary": "steady"}),
    ]
    return [Said(minute, name, payload) for minute, name, payload in steps if minute is not None]


def closed(after: float) -> list[Said]:
    """The work done and the incident closed, from this minute on."""
    done = [Said(after, "complete_task", {"step": step}) for step in ("assess", "review")]
    return [*done, Said(after + 1, "close")]


def days(count: float) -> float:
    """Days in minutes."""
    return timedelta(days=count) / timedelta(minutes=1)


def _runbook(type_: str, begins: dict[str, str]) -> Runbook:
    return runbook(id=type_, title=type_.replace("-", " ").capitalize(), facts=begins)

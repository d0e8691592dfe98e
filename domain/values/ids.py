"""Names of things: incident ids, workflow ids, action ids, task queues, search attributes.

An id is fixed before the first attempt and never holds an attempt number or a run id.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid5

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_DRAWN = 3
"""How many letters of an id are drawn; one more makes the sum of all."""

_DRAWN_AGAIN = 5
_INCIDENT = re.compile(r"inc-[0-9]{8}-[0-9a-z]{4,8}")
_ACTIONS = UUID("6f1d2c5e-9b0a-5c1e-8f53-0a3f6f1b7c11")

INCIDENTS_QUEUE = "incidents"
DIAGNOSE_QUEUE = "diagnose"
REMEDIATE_QUEUE = "remediate"
FORENSICS_QUEUE = "forensics"
NOTIFY_QUEUE = "notify"
QUEUES = (INCIDENTS_QUEUE, DIAGNOSE_QUEUE, REMEDIATE_QUEUE, FORENSICS_QUEUE, NOTIFY_QUEUE)
"""The kinds of work. What Temporal calls a task queue is one of them in one environment: `task_queue`."""

INCIDENT_TYPE = "IncidentType"
INCIDENT_SEVERITY = "IncidentSeverity"
INCIDENT_STATUS = "IncidentStatus"
INCIDENT_MODE = "IncidentMode"
WAITING_FOR = "WaitingFor"


def task_queue(environment: str, queue: str = INCIDENTS_QUEUE) -> str:
    """Name the task queue of a kind of work in an environment: `production-incidents`.

    So workers of one environment are never given another's work.
    """
    return f"{environment}-{queue}"


def task_queue_beside(workflows: str, queue: str) -> str:
    """Name the task queue of a kind of work in the environment of this task queue of workflows."""
    return workflows.removesuffix(INCIDENTS_QUEUE) + queue


def environment_of_queue(workflows: str) -> str:
    """Name the environment of a task queue of workflows."""
    return workflows.removesuffix(f"-{INCIDENTS_QUEUE}")


def incident_ids(at: datetime, draw: Callable[[int], int]) -> Iterator[str]:
    """Draw names for an incident that is declared at this instant, one after the other: `inc-20261123-7f3k`.

    They are in order of days. `draw` gives a number below the one that it is given, each as likely. Two names of one
    second differ in two letters at least, as the letters of each add up to that second: one mistyped is no other's.
    Whoever finds the first one taken gets longer ones: of a thousand drawn in one second ten are taken, and of what is
    drawn instead none.
    """
    letters = _DRAWN
    while True:
        drawn = [draw(len(_ALPHABET)) for _ in range(letters)]
        last = (int(at.timestamp()) - sum(drawn)) % len(_ALPHABET)
        yield first_of_day(at) + "".join(_ALPHABET[digit] for digit in (*drawn, last))
        letters = _DRAWN_AGAIN


def is_incident_id(name: str) -> bool:
    """Whether a name can be that of an incident."""
    return _INCIDENT.fullmatch(name) is not None


def first_of_day(at: datetime) -> str:
    """What the names of a day's incidents, in UTC, begin with: none of them is less, none of an earlier day more."""
    return f"inc-{at.astimezone(UTC):%Y%m%d}-"


def key_workflow_id(environment: str, key: str) -> str:
    """Name the workflow that holds an alert's key in an environment while an incident of that key is open there."""
    return f"key/{environment}/{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def change_workflow_id(incident: str, step: str, generation: int) -> str:
    """Name the workflow of one requested change: `<incident id>/<step>/<n>`."""
    return f"{incident}/{step}/{generation}"


def follow_up_workflow_id(incident: str) -> str:
    """Name the workflow of what is left to do once an incident is closed."""
    return f"{incident}/follow-up"


def restore_workflow_id(request: str) -> str:
    """Name the workflow that answers one request to restore."""
    return f"restore/{request}"


def contact_key(who: str) -> str:
    """Name the alert under which it is seen to that a contact does not answer, by whichever channel, in any month."""
    return f"contact:{who}"


def fault_key(environment: str, fault: str) -> str:
    """Name the alert under which a fault that a drill could not withdraw is seen to."""
    return f"fault:{environment}:{fault}"


def schedule_id(environment: str, schedule: str) -> str:
    """Name a schedule in Temporal: `<environment>.<id of its row>`."""
    return f"{environment}.{schedule}"


def drill_workflow_id(environment: str) -> str:
    """Name the workflow of a drill: an environment has one at a time."""
    return f"drill/{environment}"


def scheduled_workflow_id(environment: str, schedule: str) -> str:
    """Name what a schedule starts; Temporal appends the time at which it was due."""
    return f"scheduled/{environment}/{schedule}"


def action_id(incident: str, step: str, generation: int) -> str:
    """Name one intended change for ever; the same three values give the same UUID."""
    return str(uuid5(_ACTIONS, f"{incident}/{step}/{generation}"))


def lock_id(arn: str) -> str:
    """Name the lock of one resource."""
    return f"lock/{arn}"

"""Names of things: incident ids, workflow ids, action ids, task queues, search attributes.

An id is fixed before the first attempt and never holds an attempt number or a run id.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_SLOTS_A_DAY = len(_ALPHABET) ** 4
_DAY = timedelta(days=1)
_ACTIONS = UUID("6f1d2c5e-9b0a-5c1e-8f53-0a3f6f1b7c11")

INCIDENTS_QUEUE = "incidents"
DIAGNOSE_QUEUE = "diagnose"
REMEDIATE_QUEUE = "remediate"
FORENSICS_QUEUE = "forensics"
NOTIFY_QUEUE = "notify"
QUEUES = (INCIDENTS_QUEUE, DIAGNOSE_QUEUE, REMEDIATE_QUEUE, FORENSICS_QUEUE, NOTIFY_QUEUE)

INCIDENT_TYPE = "IncidentType"
INCIDENT_SEVERITY = "IncidentSeverity"
INCIDENT_STATUS = "IncidentStatus"
INCIDENT_MODE = "IncidentMode"
WAITING_FOR = "WaitingFor"


def incident_id(at: datetime, attempt: int = 0) -> str:
    """Name an incident by the instant it was declared: `inc-20261123-7f3k`, in order of time.

    A day has 36^4 slots of about 51 ms. Who finds a slot taken asks again with the next `attempt`.
    """
    midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    slot = int((at - midnight) / _DAY * _SLOTS_A_DAY) + attempt
    day = midnight + _DAY * (slot // _SLOTS_A_DAY)
    slot %= _SLOTS_A_DAY
    letters = ""
    for _ in range(4):
        slot, digit = divmod(slot, len(_ALPHABET))
        letters = _ALPHABET[digit] + letters
    return f"inc-{day:%Y%m%d}-{letters}"


def key_workflow_id(key: str) -> str:
    """Name the workflow that holds an alert's key while an incident of that key is open."""
    return f"key/{hashlib.sha256(key.encode()).hexdigest()[:32]}"


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

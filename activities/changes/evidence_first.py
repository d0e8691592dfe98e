"""Evidence that is to come before a change: waited for by what is on record, and not for longer than it has."""

from datetime import datetime, timedelta

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.changes.intents import Intents
from activities.declared import OnRecord
from domain.config.runbook import ChangeStep
from domain.rules.change_messages import EVIDENCE_BOX
from domain.values.errors import ErrorKind
from domain.values.timestamps import stamp

_LOOK_AGAIN = timedelta(seconds=1)


def wait_for_evidence(intents: Intents, incident: str, step: ChangeStep, declared: OnRecord, at: datetime) -> None:
    """Raise `NotYet`, retryable, while evidence that comes first has no intent on record, and still has time to.

    It begins by itself with the declaration, so its time counts from there.
    """
    until = declared.declared_at + EVIDENCE_BOX / declared.speed
    if at >= until:
        return
    if missing := [name for name in step.evidence_first if not intents.begun(incident, name)]:
        raise ApplicationError(
            f"{', '.join(missing)} of {incident} comes first and has not begun; until {stamp(until)} it is waited for",
            type=ErrorKind.NOT_YET.value,
            next_retry_delay=min(_LOOK_AGAIN, until - at),
            category=ApplicationErrorCategory.BENIGN,
        )

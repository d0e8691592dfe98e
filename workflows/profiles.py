"""How activities are called: one named profile for each kind of work.

Durations here are real time, whatever speed an incident's policy clocks run at. AWS away for half an hour fails nothing
that can wait: what is bounded by less is what people would rather hear of than wait for.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypedDict

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy

from domain.values import ids
from domain.values.errors import FINAL
from domain.values.ids import DIAGNOSE_QUEUE, FORENSICS_QUEUE, NOTIFY_QUEUE, REMEDIATE_QUEUE
from domain.values.severity import Severity

if TYPE_CHECKING:
    from domain.model.plan import Plan  # the command starts without models

_NEVER_AGAIN = [kind.value for kind in FINAL if kind.value != "ExpiredCredentials"]
_HEARTBEAT = timedelta(seconds=5)


class Profile(TypedDict, total=False):
    """Options of `workflow.execute_activity`; `task_queue` is the kind of work."""

    task_queue: str
    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy


def _profile(
    task_queue: str,
    *,
    attempt: timedelta,
    attempts: int,
    longest_pause: int,
    within: timedelta | None = None,
    heartbeat: timedelta = _HEARTBEAT,
) -> Profile:
    """At most so many attempts of so long each (0: any number), `longest_pause` in seconds, and all `within` a time."""
    retry = RetryPolicy(
        initial_interval=timedelta(milliseconds=200),
        backoff_coefficient=2,
        maximum_interval=timedelta(seconds=longest_pause),
        maximum_attempts=attempts,
        non_retryable_error_types=_NEVER_AGAIN,
    )
    made = Profile(
        task_queue=task_queue, start_to_close_timeout=attempt, heartbeat_timeout=heartbeat, retry_policy=retry
    )
    return made if within is None else {**made, "schedule_to_close_timeout": within}


_MINUTE = timedelta(minutes=1)
_HOURS = timedelta(hours=12)
"""How long evidence is tried for, while people know of it from minutes on."""
TROUBLE = 45 * _MINUTE
"""Half an hour of trouble, and time to get over it: pauses between attempts, and the attempt that succeeds."""

OBSERVE = _profile(DIAGNOSE_QUEUE, attempt=_MINUTE, attempts=6, longest_pause=20, within=3 * _MINUTE)
"""A read: a few attempts within three minutes, then the finding is `unknown`."""

STUDY = _profile(FORENSICS_QUEUE, attempt=30 * _MINUTE, attempts=0, longest_pause=300, within=timedelta(hours=12))
"""A look at the record itself, all of it, where the record is kept: nobody waits for it."""

DECLARE = _profile(FORENSICS_QUEUE, attempt=_MINUTE, attempts=0, longest_pause=300, within=timedelta(hours=12))
"""What a schedule declares, by the worker's own files: one that has to be mended first is waited for."""

PREPARE = _profile(FORENSICS_QUEUE, attempt=2 * _MINUTE, attempts=0, longest_pause=30, within=TROUBLE)
"""What a drill is declared as, by the worker's own files and the ledger."""

FAULT = _profile(REMEDIATE_QUEUE, attempt=2 * _MINUTE, attempts=0, longest_pause=60, within=60 * _MINUTE)
"""What a drill injects, and withdraws: by then somebody has to do it by hand."""

HAND_OVER = _profile(FORENSICS_QUEUE, attempt=_MINUTE, attempts=0, longest_pause=30, within=TROUBLE)
"""The declaration of what a drill left behind, by the worker's own files: the drill has failed either way."""

LIVE = Profile(
    task_queue=DIAGNOSE_QUEUE,
    start_to_close_timeout=_MINUTE,
    retry_policy=RetryPolicy(maximum_interval=_MINUTE, non_retryable_error_types=_NEVER_AGAIN),
)
"""A look at what else is open, without end where it waits for something; no heartbeat, as it only asks Temporal."""

PLAN = _profile(REMEDIATE_QUEUE, attempt=_MINUTE, attempts=0, longest_pause=20)
"""A plan is waited for as long as the votes on it would be, which its request says."""

APPLY = _profile(REMEDIATE_QUEUE, attempt=2 * _MINUTE, attempts=0, longest_pause=20, within=TROUBLE)
"""A change: every attempt reads first, so attempts are bounded by time; one that waits for a lock is an attempt."""

VERIFY = _profile(REMEDIATE_QUEUE, attempt=_MINUTE, attempts=0, longest_pause=20, within=20 * _MINUTE)
"""A look at whether the world is `after`; "not yet" is a retry, which costs no history."""

RELEASE = _profile(REMEDIATE_QUEUE, attempt=_MINUTE, attempts=0, longest_pause=60, within=timedelta(hours=12))
"""Giving locks back, and the outcome of what failed, which nobody waits for."""

PRESERVE = _profile(
    FORENSICS_QUEUE,
    attempt=timedelta(hours=12),
    attempts=0,
    longest_pause=20,
    within=timedelta(days=3),
    heartbeat=timedelta(seconds=10),
)
"""A look that does long work and takes up where it was cut: copying evidence."""

LOOK_UP = _profile(FORENSICS_QUEUE, attempt=_MINUTE, attempts=0, longest_pause=15)
"""What the record says of a change whose workflow is gone: asked for until it answers."""

WITNESS = _profile(FORENSICS_QUEUE, attempt=timedelta(seconds=30), attempts=0, longest_pause=10, within=2 * _MINUTE)
"""A look at a signature that AWS knows for minutes: whoever made it waits, and says it again where nobody answers."""

WHO_HOLDS = _profile(FORENSICS_QUEUE, attempt=_MINUTE, attempts=0, longest_pause=15, within=2 * _MINUTE)
"""Whether a key stands for an incident on record: what is to be declared does not wait long for it."""

RESTORE = _profile(REMEDIATE_QUEUE, attempt=2 * _MINUTE, attempts=0, longest_pause=20, within=timedelta(hours=12))
"""A look at what takes AWS hours and is no evidence: a database being restored."""

PAGE = _profile(NOTIFY_QUEUE, attempt=_MINUTE, attempts=0, longest_pause=30, within=timedelta(hours=2))
"""A page, tried for long: how often it is sent is bounded where it is sent (`activities.channels`)."""

WAVE = _profile(NOTIFY_QUEUE, attempt=_MINUTE, attempts=3, longest_pause=1)
"""Several pages at once, each tried once; only a worker that was cut is a reason to try again."""

NOTE = _profile(NOTIFY_QUEUE, attempt=_MINUTE, attempts=0, longest_pause=30, within=timedelta(hours=1))
"""Telling the hands what they are to note."""

NOTICE = _profile(NOTIFY_QUEUE, attempt=1.5 * _MINUTE, attempts=0, longest_pause=60, within=TROUBLE)

LEDGER = _profile(FORENSICS_QUEUE, attempt=_MINUTE, attempts=0, longest_pause=15, heartbeat=timedelta(seconds=3))
"""The record: tried without end; what is final elsewhere is tried again by the workflow."""

REPORT = _profile(FORENSICS_QUEUE, attempt=2 * _MINUTE, attempts=0, longest_pause=30, within=TROUBLE)
"""The report of an ended incident: then the incident's workflow ends without a stored one."""

LEDGER_AGAIN = timedelta(seconds=10)

_PRIORITY = {Severity.P0: 1, Severity.P1: 2, Severity.P2: 3, Severity.P3: 4}


def priority(severity: Severity) -> Priority:
    """P0 work is taken from a task queue before P3 work."""
    return Priority(priority_key=_PRIORITY[severity])


def short(text: str) -> str:
    """Cut a summary for the Temporal UI to the 200 characters that it shows well."""
    return text if len(text) <= 200 else text[:199] + "…"


def of_evidence(profile: Profile) -> Profile:
    """The same work on what preserves evidence: where evidence is kept, and for hours at least."""
    most = max(profile.get("schedule_to_close_timeout", _HOURS), _HOURS)
    return {**profile, "task_queue": FORENSICS_QUEUE, "schedule_to_close_timeout": most}


def looking(plan: "Plan", *, evidence: bool) -> Profile:
    """How long it is looked whether what a plan says has come to be."""
    if evidence:
        return PRESERVE
    return RESTORE if plan.takes_long else VERIFY


def with_profile(profile: Profile, severity: Severity, summary: str) -> dict[str, Any]:
    """The options of a call from a workflow, which goes to the task queue of the workflow's own environment."""
    queue = ids.task_queue_beside(workflow.info().task_queue, profile["task_queue"])
    return {**profile, "task_queue": queue, "priority": priority(severity), "summary": short(summary)}

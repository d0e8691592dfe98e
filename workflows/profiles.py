"""How activities are called: one named profile for each kind of work.

Durations here are real time, whatever speed an incident's policy clocks run at.
"""

from datetime import timedelta
from typing import Any, TypedDict

from temporalio.common import Priority, RetryPolicy

from domain.values.errors import FINAL
from domain.values.ids import DIAGNOSE_QUEUE, FORENSICS_QUEUE, NOTIFY_QUEUE, REMEDIATE_QUEUE
from domain.values.severity import Severity

_NEVER_AGAIN = [kind.value for kind in FINAL if kind.value != "ExpiredCredentials"]
_HEARTBEAT = timedelta(seconds=5)


class Profile(TypedDict, total=False):
    """Options of `workflow.execute_activity`."""

    task_queue: str
    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy


def _retry(attempts: int, longest_seconds: float) -> RetryPolicy:
    return RetryPolicy(
        initial_interval=timedelta(milliseconds=200),
        backoff_coefficient=2,
        maximum_interval=timedelta(seconds=longest_seconds),
        maximum_attempts=attempts,
        non_retryable_error_types=_NEVER_AGAIN,
    )


OBSERVE = Profile(
    task_queue=DIAGNOSE_QUEUE,
    start_to_close_timeout=timedelta(seconds=60),
    schedule_to_close_timeout=timedelta(minutes=3),
    heartbeat_timeout=_HEARTBEAT,
    retry_policy=_retry(6, 20),
)
"""A read: a few attempts within three minutes, then the finding is `unknown`."""

PLAN = Profile(
    task_queue=REMEDIATE_QUEUE,
    start_to_close_timeout=timedelta(seconds=60),
    heartbeat_timeout=_HEARTBEAT,
    retry_policy=_retry(8, 20),
)

APPLY = Profile(
    task_queue=REMEDIATE_QUEUE,
    start_to_close_timeout=timedelta(minutes=2),
    schedule_to_close_timeout=timedelta(minutes=30),
    heartbeat_timeout=_HEARTBEAT,
    retry_policy=_retry(1000, 20),
)
"""A change: every attempt reads first, so attempts are bounded by time; one that waits for a lock is an attempt."""

VERIFY = Profile(
    task_queue=REMEDIATE_QUEUE,
    start_to_close_timeout=timedelta(minutes=1),
    schedule_to_close_timeout=timedelta(minutes=20),
    heartbeat_timeout=_HEARTBEAT,
    retry_policy=_retry(2000, 20),
)
"""A look at whether the world is `after`; "not yet" is a retry, which costs no history."""

PRESERVE = Profile(
    task_queue=FORENSICS_QUEUE,
    start_to_close_timeout=timedelta(hours=12),
    schedule_to_close_timeout=timedelta(days=3),
    heartbeat_timeout=timedelta(seconds=10),
    retry_policy=_retry(2000, 20),
)
"""A look that does long work and takes up where it was cut: copying evidence."""

PAGE = Profile(
    task_queue=NOTIFY_QUEUE,
    start_to_close_timeout=timedelta(seconds=60),
    heartbeat_timeout=_HEARTBEAT,
    retry_policy=_retry(40, 30),
)

WAVE = Profile(
    task_queue=NOTIFY_QUEUE,
    start_to_close_timeout=timedelta(seconds=60),
    heartbeat_timeout=_HEARTBEAT,
    retry_policy=_retry(3, 1),
)
"""Several pages at once, each tried once; only a worker that was cut is a reason to try again."""

NOTICE = Profile(
    task_queue=NOTIFY_QUEUE,
    start_to_close_timeout=timedelta(seconds=90),
    heartbeat_timeout=_HEARTBEAT,
    retry_policy=_retry(20, 60),
)

LEDGER = Profile(
    task_queue=FORENSICS_QUEUE,
    start_to_close_timeout=timedelta(seconds=60),
    heartbeat_timeout=timedelta(seconds=3),
    retry_policy=_retry(0, 15),
)
"""The record: tried without end; what is final elsewhere is tried again by the workflow."""

REPORT = Profile(
    task_queue=FORENSICS_QUEUE,
    start_to_close_timeout=timedelta(minutes=2),
    schedule_to_close_timeout=timedelta(minutes=10),
    heartbeat_timeout=_HEARTBEAT,
    retry_policy=_retry(8, 30),
)
"""The report of an ended incident: a few attempts, then the incident ends without a stored one."""

LEDGER_AGAIN = timedelta(seconds=10)

_PRIORITY = {Severity.P0: 1, Severity.P1: 2, Severity.P2: 3, Severity.P3: 4}


def priority(severity: Severity) -> Priority:
    """P0 work is taken from a task queue before P3 work."""
    return Priority(priority_key=_PRIORITY[severity])


def short(text: str) -> str:
    """Cut a summary for the Temporal UI to the 200 characters that it shows well."""
    return text if len(text) <= 200 else text[:199] + "…"


def with_profile(profile: Profile, severity: Severity, summary: str) -> dict[str, Any]:
    return {**profile, "priority": priority(severity), "summary": short(summary)}

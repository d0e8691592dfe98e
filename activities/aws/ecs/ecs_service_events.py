"""A service's events by category: ECS tells why tasks do not run in texts of fixed forms, and nowhere else.

The forms are those of the developer guide ("Amazon ECS service event messages", "service unhealthy event messages",
"Availability Zone service rebalancing service events", "Service throttle logic"). No text leaves this module: images
and targets have names in it.
"""

import re
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, NamedTuple

_REPEATED = timedelta(hours=6)
"""A cause that stays is told again after six hours only ("duplicate event messages are omitted")."""

_STEADY = "steady"
_ROUTINE = "routine"
_FORMS = (
    ("a quota is reached", r"you've reached the limit|is above your limit|limit on the number of|quota"),
    ("an image cannot be pulled", r"CannotPull|pull (the |an )?image|image .*(not found|does not exist)"),
    ("health checks fail", r"is unhealthy in|health checks? failed|failed (container |elb |the )?health checks?"),
    ("no place for a task", r"unable to place a task|placement constraint|no container instances? (met|were found)"),
    ("no place for a task", r"unable to reach steady state"),
    ("a role cannot be assumed", r"unable to assume|assume the (service linked )?role"),
    ("a deployment failed", r"deployment failed|rolling back to deployment|deployment .* rolled back"),
    ("tasks do not start", r"consistently start tasks|failed to start|failed to launch|timed out waiting"),
    ("ECS throttles", r"operations are being throttled|rate exceeded"),
    ("the deployment's limits leave no room", r"because of the service deployment configuration"),
    ("scaling in is hindered", r"unable to scale in|was not scaled in|protected tasks"),
    (_STEADY, r"has reached a steady state"),
    (_ROUTINE, r"has (started|stopped|begun|changed|set|updated|completed)|registered \d|draining connections"),
    (_ROUTINE, r"is (not )?AZ balanced|deployment completed|stopped deployment|updated (the )?computed"),
)
_PATTERNS = [(category, re.compile(form, re.IGNORECASE)) for category, form in _FORMS]
_NAMES = re.compile(r"\((?:service|task|taskSet|deployment|instance|container|port|target-group|loadBalancer) [^()]*\)")
"""What people have called something: `(service quota-api)`, which no quota has to do with."""


class Events(NamedTuple):
    """How many events of the last six hours there are by category of trouble, since the service was last steady.

    `unread` are those since then of a form that is not known, and any without a time.
    """

    troubles: dict[str, int]
    last_at: datetime | None
    unread: int


def read(events: list[dict[str, Any]], at: datetime) -> Events:
    """Sort a service's events of the six hours before an instant."""
    told = [
        (one["createdAt"], _category(str(one.get("message", ""))))
        for one in events
        if "createdAt" in one and at - _REPEATED <= one["createdAt"]
    ]
    steady = max((when for when, category in told if category == _STEADY), default=None)
    open_ = [(when, category) for when, category in told if steady is None or when > steady]
    troubles = [(when, category) for when, category in open_ if category not in {_STEADY, _ROUTINE, None}]
    return Events(
        troubles=dict(Counter(str(category) for _, category in troubles).most_common()),
        last_at=max((when for when, _ in troubles), default=None),
        unread=sum(category is None for _, category in open_) + sum("createdAt" not in one for one in events),
    )


def _category(message: str) -> str | None:
    said = _NAMES.sub("", message)
    return next((category for category, pattern in _PATTERNS if pattern.search(said)), None)

"""Where an incident stands."""

from enum import StrEnum


class Status(StrEnum):
    DECLARED = "declared"
    ACKNOWLEDGED = "acknowledged"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    CLOSED = "closed"
    FALSE_ALARM = "false-alarm"


FINAL = frozenset({Status.CLOSED, Status.FALSE_ALARM})

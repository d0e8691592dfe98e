"""What is wrong with a database, judged by its status, its metrics and its log; pure rules over what was read."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from activities.aws.database.database_state import Standing, remedy, standing
from domain.values.timestamps import short_time

_FULL_PERCENT = 90
_BUSY_PERCENT = 80
_STORAGE_PERCENT = 5
_LOCK_WAITS = 5
_STORAGE_FULL = "storage-full"
_WORKING = (Standing.SERVES, Standing.CHANGING)
"""How an instance stands that may well answer, so that its metrics say more than its status."""


class Cause(StrEnum):
    """What the trouble comes from."""

    DOWN = "down"
    STORAGE = "storage"
    CPU = "cpu"
    LOCK = "lock"
    POOL = "pool-exhaustion"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Signs:
    """What was read of the last minutes; None where CloudWatch has no data.

    `connected_until` is when there were connections last, earlier in the day; `refused` and `lock_waits` are lines of
    the log.
    """

    status: str
    multi_az: bool
    max_connections: int
    connections: float | None = None
    connected_until: datetime | None = None
    cpu_percent: float | None = None
    free_percent: float | None = None
    refused: int = 0
    lock_waits: int = 0


@dataclass(frozen=True)
class Verdict:
    """The cause, the change step that helps, those that do not, and why in a sentence."""

    cause: Cause
    why: str
    suggests: str | None = None
    advises_against: tuple[str, ...] = ()


def classify(signs: Signs) -> Verdict:
    """Name the cause; what explains the rest comes first, so that a symptom is not taken for it."""
    if signs.status == _STORAGE_FULL or (signs.free_percent is not None and signs.free_percent <= _STORAGE_PERCENT):
        return Verdict(
            Cause.STORAGE,
            "the storage is full: raise the allocated storage. A standby and a replica are as full",
            advises_against=("failover", "promote-replica", "resize-instance"),
        )
    stands = standing(signs.status)
    if stands is Standing.LOST:
        return Verdict(
            Cause.DOWN,
            f"the instance is {signs.status}, and RDS reboots only an available one",
            suggests="promote-replica",
            advises_against=("failover", "resize-instance"),
        )
    if stands not in _WORKING:
        why = f"the instance is {signs.status}: {remedy(signs.status)}"
        return Verdict(Cause.DOWN, why, advises_against=("promote-replica", "resize-instance"))
    if signs.connections == 0 and signs.connected_until:
        return _unreachable(signs, signs.connected_until)
    return _under_load(signs)


def _unreachable(signs: Signs, until: datetime) -> Verdict:
    why = f"the instance is said to be {signs.status}, but nothing is connected to it since {short_time(until)}"
    if signs.multi_az:
        return Verdict(Cause.DOWN, f"{why}: its standby has everything", "failover", ("promote-replica",))
    return Verdict(Cause.DOWN, f"{why}, and it has no standby to fail over to", advises_against=("failover",))


def _under_load(signs: Signs) -> Verdict:
    if signs.cpu_percent is not None and signs.cpu_percent >= _BUSY_PERCENT:
        why = f"the processor is {signs.cpu_percent:.0f} % busy: end the heaviest statements, or give it more"
        return Verdict(Cause.CPU, why, "resize-instance", ("failover", "promote-replica"))
    if signs.lock_waits >= _LOCK_WAITS:
        why = "statements wait for locks: end the session that holds them. A restart ends the application's sessions"
        return Verdict(Cause.LOCK, why, "restart-application", ("failover", "promote-replica", "resize-instance"))
    if signs.refused or 100 * (signs.connections or 0) >= _FULL_PERCENT * signs.max_connections:
        why = (
            "the connections are used up while the database itself is well: a promoted replica has the same limit "
            "and gets the same clients, so promoting one would only lose what it has not replicated"
        )
        return Verdict(Cause.POOL, why, "restart-application", ("promote-replica", "failover", "resize-instance"))
    return Verdict(Cause.UNCLEAR, "neither status, metrics nor log point to one cause", None, ("promote-replica",))

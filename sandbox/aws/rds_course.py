"""How a database instance fares: what it is becoming and when that ends, what is pending, what it logs, what ails it.

moto finishes everything at once. Here time does: every read settles what has become due since the last one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from moto.rds.exceptions import RDSClientError
from moto.rds.models import DBInstance, Event

from sandbox.aws.rollout import PACE, moment

AVAILABLE = "available"
SERVING = frozenset({AVAILABLE, "backing-up", "modifying", "storage-optimization"})
_SHIPPED = timedelta(minutes=5)
_LOG_KEPT = timedelta(days=3)
_TELLS = {
    "db_instance_class": "DBInstanceClass",
    "allocated_storage": "AllocatedStorage",
    "engine_version": "EngineVersion",
    "multi_az": "MultiAZ",
    "storage_type": "StorageType",
    "iops": "Iops",
}
"""What waits to be applied, by moto's names and those of PendingModifiedValues."""
PENDING = tuple(_TELLS)


@dataclass
class Doing:
    """What an instance is busy with, and what is true once it is done."""

    began_at: datetime
    finish: Callable[[], None]


@dataclass
class Course:
    """One instance. `connections` is the share of its limit in use, None for the usual; `cpu` is in percent.

    Clients that were connected before `exhausted_at` hold their connections until they start anew. Nothing has been
    backed up since `stuck_at`.
    """

    instance: DBInstance
    standby_zone: str | None = None
    pending: dict[str, Any] = field(default_factory=dict)
    doing: Doing | None = None
    log: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)
    cpu: float = 22.0
    failed_at: datetime | None = None
    exhausted_at: datetime | None = None
    stuck_at: datetime | None = None

    def begin(self, status: str, finish: Callable[[], None]) -> None:
        self.instance.status = status
        self.doing = Doing(moment(), finish)

    def settle(self) -> None:
        """Finish what has become due."""
        if self.doing and moment() >= self.doing.began_at + PACE.rollout:
            finish, self.doing = self.doing.finish, None
            self.instance.status = AVAILABLE
            finish()

    def require_available(self, doing: str) -> None:
        self.settle()
        if self.instance.status != AVAILABLE:
            name, status = self.instance.db_instance_identifier, self.instance.status
            raise RDSClientError(
                "InvalidDBInstanceState", f"Instance {name} cannot be {doing}: it is {status}, not available."
            )

    def apply_pending(self) -> None:
        for name, value in self.pending.items():
            setattr(self.instance, name, value)
        self.pending.clear()

    def shown_pending(self) -> dict[str, Any]:
        return {_TELLS[name]: value for name, value in self.pending.items()}

    def restorable(self) -> datetime:
        """The latest time that it can be restored to: five minutes ago, as RDS ships the log that often."""
        return (self.stuck_at or moment() - _SHIPPED).replace(microsecond=0)

    def serves(self, client_since: datetime) -> bool:
        """Tell whether a client that started then gets its connections."""
        self.settle()
        holds = self.exhausted_at is not None and client_since < self.exhausted_at
        return self.instance.status in SERVING and not holds

    def write(self, at: datetime, line: str) -> None:
        """Write a line to the log of its hour; files older than three days go."""
        lines = self.log.setdefault(f"error/postgresql.log.{at:%Y-%m-%d-%H}", [])
        lines.append((at, line))
        lines.sort(key=lambda entry: entry[0])
        for name in [name for name, kept in self.log.items() if kept[-1][0] < at - _LOG_KEPT]:
            del self.log[name]

    def tell(self, message: str, *categories: str, at: datetime | None = None) -> None:
        """Add an event, as RDS words it."""
        event = Event.__new__(Event)
        event.source_identifier, event.source_type = self.instance.resource_id, "db-instance"
        event.message, event.event_categories = message, list(categories)
        event.source_arn, event.date = self.instance.arn, at or moment()
        self.instance.backend.events.append(event)


def course(instance: DBInstance) -> Course:
    """The course of a moto instance, which keeps it; moto makes a replica as a copy, which has its own."""
    kept: Course | None = vars(instance).get("course")
    if kept is None or kept.instance is not instance:
        kept = Course(instance)
        vars(instance)["course"] = kept
    return kept

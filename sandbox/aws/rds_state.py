"""A database instance over time: the operation in progress, what is pending, its log, and its faults.

moto finishes every operation at once. Here they take time: each read settles whatever has finished since the last one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from moto.rds.exceptions import RDSClientError
from moto.rds.models import DBInstance, Event

from sandbox.aws.rollout import PACE, moment

AVAILABLE = "available"
SERVING = frozenset({AVAILABLE, "backing-up", "modifying", "storage-optimization"})
_SHIPPED = timedelta(minutes=5)
_LOG_KEPT = timedelta(days=3)
NAME = "new_db_instance_identifier"
_API_NAMES = {
    NAME: "DBInstanceIdentifier",
    "db_instance_class": "DBInstanceClass",
    "allocated_storage": "AllocatedStorage",
    "engine_version": "EngineVersion",
    "multi_az": "MultiAZ",
    "storage_type": "StorageType",
    "iops": "Iops",
}
"""What can be pending: moto's names, and those of PendingModifiedValues."""
PENDING = tuple(_API_NAMES)


@dataclass
class Operation:
    """What an instance is busy with; `finish` applies its effect."""

    began_at: datetime
    finish: Callable[[], None]


@dataclass
class DatabaseState:
    """One instance; `cpu` is in percent.

    Clients connected before `exhausted_at` hold their connections until they restart. Nobody reaches it since
    `unreached_at`, though it is shown as available. Nothing has been backed up since `stuck_at`. `later` is what shows
    only some time after the operation that it came of.
    """

    instance: DBInstance
    standby_zone: str | None = None
    pending: dict[str, Any] = field(default_factory=dict)
    operation: Operation | None = None
    log: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)
    cpu: float = 22.0
    failed_at: datetime | None = None
    exhausted_at: datetime | None = None
    unreached_at: datetime | None = None
    stuck_at: datetime | None = None
    waits_for_reboot: bool = False
    later: tuple[datetime, Callable[[], None]] | None = None

    @property
    def status(self) -> str:
        self.settle()
        return str(self.instance.status)

    @property
    def is_available(self) -> bool:
        return self.status == AVAILABLE

    def begin(self, status: str, finish: Callable[[], None]) -> None:
        self.instance.status = status
        self.operation = Operation(moment(), finish)

    def settle(self) -> None:
        """Finish the operation in progress if its time is up."""
        if self.operation and moment() >= self.operation.began_at + PACE.rollout:
            self.finish()
        if self.later and moment() >= self.later[0]:
            show, self.later = self.later[1], None
            show()

    def finish(self) -> None:
        """Let the operation in progress have come to its end."""
        if self.operation:
            finish, self.operation = self.operation.finish, None  # first: what `finish` calls may settle again
            self.instance.status = AVAILABLE
            finish()

    def show_later(self, began_at: datetime, show: Callable[[], None]) -> None:
        """Show something as long after an operation as that took."""
        self.later = began_at + 2 * PACE.rollout, show

    def require_available(self, verb: str) -> None:
        if not self.is_available:
            name, status = self.instance.db_instance_identifier, self.instance.status
            raise RDSClientError(
                "InvalidDBInstanceState", f"Instance {name} cannot be {verb}: it is {status}, not available."
            )

    def apply_pending(self) -> None:
        for name, value in self.pending.items():
            setattr(self.instance, name, value)
        self.pending.clear()

    def shown_pending(self) -> dict[str, Any]:
        return {_API_NAMES[name]: value for name, value in self.pending.items()}

    def restorable(self) -> datetime:
        """The latest restorable time: five minutes ago, as RDS ships the log that often."""
        return (self.stuck_at or moment() - _SHIPPED).replace(microsecond=0)

    def serves(self, client_since: datetime) -> bool:
        """Whether a client started at this time can connect."""
        self.settle()
        holds = self.exhausted_at is not None and client_since < self.exhausted_at
        return self.instance.status in SERVING and self.unreached_at is None and not holds

    def write(self, at: datetime, line: str, ending: str = "") -> None:
        """Write a line to the log file of its hour, and delete files older than three days."""
        lines = self.log.setdefault(f"error/postgresql.log.{at:%Y-%m-%d-%H}{ending}", [])
        lines.append((at, line))
        lines.sort(key=lambda entry: entry[0])
        for name in [name for name, kept in self.log.items() if kept[-1][0] < at - _LOG_KEPT]:
            del self.log[name]

    def add_event(self, message: str, *categories: str, at: datetime | None = None) -> None:
        """Add an event in RDS's wording."""
        event = Event.__new__(Event)  # moto's constructor only makes its own kinds of event
        event.source_identifier, event.source_type = self.instance.resource_id, "db-instance"
        event.message, event.event_categories = message, list(categories)
        event.source_arn, event.date = self.instance.arn, at or moment()
        self.instance.backend.events.append(event)


def as_new(instance: DBInstance) -> DBInstance:
    """Give a new instance an id that is its own, whatever it is called later (RDS API DBInstance, DbiResourceId)."""
    instance.dbi_resource_id = f"db-{uuid4().hex[:26].upper()}"
    return instance


def state_of(instance: DBInstance) -> DatabaseState:
    """The state of a moto instance, stored on it. moto makes a replica by copying its source: the copy gets its own."""
    kept: DatabaseState | None = vars(instance).get("database_state")
    if kept is None or kept.instance is not instance:
        kept = DatabaseState(instance)
        vars(instance)["database_state"] = kept
    return kept

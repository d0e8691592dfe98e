"""What an environment's function counts in a restored database: as many rows as ever, up to its snapshot."""

from datetime import UTC, timedelta
from typing import Any

from moto.rds.models import rds_backends

from domain.config.environment import Environment
from sandbox.aws.rds_restores import restored_from
from sandbox.aws.rds_state import AVAILABLE, state_of
from sandbox.aws.rollout import LOCK, moment
from sandbox.runtime.aws_world import FaultError

_TABLES = {"patients": 18_204, "reports": 46_977, "studies": 48_210}
_QUIET = timedelta(seconds=40)


def counted(environment: Environment, asked: dict[str, Any]) -> dict[str, Any]:
    """Count the rows of the database at this address. Raises `FaultError` for one that does not answer there."""
    with LOCK:
        instances = rds_backends[environment.account][environment.region].databases.values()
        found = next((one for one in instances if one.address == asked["host"]), None)
        if found is None or state_of(found).status != AVAILABLE:
            raise FaultError(f"connection to server at {asked['host']} failed")
        snapshot = restored_from(found)
    until = snapshot.original_snapshot_create_time if snapshot else moment()
    newest = (until.replace(tzinfo=UTC) - _QUIET).isoformat()  # moto's instants have no zone
    return {
        "counted_at": moment().isoformat(),
        "tables": {name: {"rows": rows, "newest": newest} for name, rows in _TABLES.items()},
    }

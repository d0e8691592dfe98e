"""Amazon RDS as AWS behaves, where moto does not: a promoted replica is a replica no more."""

from typing import Any

from moto.rds.exceptions import DBInstanceNotFoundError, InvalidDBInstanceStateFault
from moto.rds.models import DBInstance, RDSBackend

from sandbox.aws.teach import teach

_promote_read_replica = RDSBackend.promote_read_replica


def install() -> None:
    """Put these operations into moto."""
    teach(RDSBackend, promote_read_replica=promote_read_replica)


def promote_read_replica(backend: RDSBackend, db_kwargs: dict[str, Any]) -> DBInstance:
    """Promote a replica; a missing one and one that is no replica are refused, and the source forgets it."""
    identifier = db_kwargs["db_instance_identifier"]
    instance = backend.databases.get(identifier)
    if instance is None:
        raise DBInstanceNotFoundError(identifier)
    if not instance.is_replica:
        raise InvalidDBInstanceStateFault("DB Instance is not a read replica")
    source = backend.databases.get(instance.source_db_instance_identifier or "")
    promoted = _promote_read_replica(backend, db_kwargs)
    promoted.source_db_instance_identifier = None
    if source is not None and identifier in source.replicas:
        source.replicas.remove(identifier)
    return promoted

"""How a database stands by its status: one classification, for probes and for what changes ask before they act."""

from enum import StrEnum


class Standing(StrEnum):
    """What a status means for whoever needs the database."""

    SERVES = "serves"
    CHANGING = "is being changed, and may serve meanwhile"
    PASSING = "comes back by itself"
    STOPPED = "comes back once it is started"
    REPAIR = "comes back once it is repaired"
    LOST = "does not come back"


_STATUSES = {
    Standing.SERVES: """
        available backing-up configuring-enhanced-monitoring configuring-iam-database-auth configuring-log-exports
        storage-initialization storage-optimization update-iam-db-auth
    """,
    Standing.CHANGING: """
        maintenance modifying renaming resetting-master-credentials storage-config-upgrade
    """,
    Standing.STOPPED: "inaccessible-encryption-credentials-recoverable stopped stopping",
    Standing.REPAIR: """
        incompatible-network incompatible-option-group incompatible-parameters insufficient-capacity storage-full
    """,
    Standing.LOST: """
        cloning-failed deleting failed inaccessible-encryption-credentials incompatible-restore migration-failed
        restore-error
    """,
}
"""RDS user guide, "Viewing Amazon RDS DB instance status"; Aurora user guide, "Viewing DB cluster status"."""

_BY_STATUS = {status: standing for standing, statuses in _STATUSES.items() for status in statuses.split()}
_HELP = {
    "inaccessible-encryption-credentials-recoverable": "enable its KMS key again, then start it",
    "incompatible-network": "make room in its subnets, or mend what its VPC lacks",
    "incompatible-option-group": "put its option group back as it was",
    "incompatible-parameters": "put its parameter group back as it was, then reboot it",
    "insufficient-capacity": "start it again later, or with another instance class",
    "storage-full": "raise its allocated storage: it never comes back by itself, and a replica is as full",
}
_BY_STANDING = {
    Standing.PASSING: "wait for it",
    Standing.STOPPED: "start it",
    Standing.LOST: "promote a replica, or restore it to a point in time",
}


def standing(status: str) -> Standing:
    """Say what a status of RDS means; one that nobody listed is taken to pass."""
    return _BY_STATUS.get(status, Standing.PASSING)


def remedy(status: str) -> str:
    """Say what helps against a status in which a database does not serve; empty for one in which it does."""
    return _HELP.get(status) or _BY_STANDING.get(standing(status), "")


def serves(status: str) -> bool:
    """Tell whether RDS says that a database of this status can be used."""
    return standing(status) is Standing.SERVES

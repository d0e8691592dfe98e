"""A replica that is made anew under its identifier, and the promoted instance that makes room for it."""

from datetime import timedelta
from typing import Any

from temporalio.exceptions import ApplicationError

from activities.action import Clients, RuleError
from activities.aws.database.database_state import serves
from activities.aws.database.described_database import AVAILABLE, described
from activities.aws.database.promotion_gates import refuse_lasting
from activities.aws.recovery.restored_copy import RestoredCopy, instance_of
from domain.config.recovery import PURPOSE
from domain.model.plan import State, Verification
from domain.values.errors import ErrorKind

PLACE, KEPT, REPLICA = "promoted_in_its_place", "promoted_kept", "replica_of"
"""Fields of a plan: what stands alone under the replica's identifier, whether it stands anywhere, what is replicated.

The first two hold RDS's own id of the promoted instance, which no renaming changes (RDS API DBInstance, DbiResourceId).
"""
_SAME = (
    "AutoMinorVersionUpgrade",
    "CACertificateIdentifier",
    "CopyTagsToSnapshot",
    "DBInstanceClass",
    "KmsKeyId",
    "MaxAllocatedStorage",
    "MultiAZ",
    "NetworkType",
)
_PLAIN_IOPS = 3000
"""What gp3 has of itself, and takes no other value for below a size (RDS user guide, "gp3 storage")."""
_AGAIN = timedelta(seconds=5)


class ReplicaAnew:
    """The identifier of a replica, and beside it the name that the promoted instance is renamed into, to be deleted."""

    def __init__(self, clients: Clients, identifier: str, copy: RestoredCopy) -> None:
        self._clients = clients
        self._identifier = identifier
        self._copy = copy

    def there(self) -> dict[str, Any] | None:
        """What stands under the replica's identifier."""
        return instance_of(self._clients, self._identifier)

    def aside(self) -> dict[str, Any] | None:
        """What stands under the other name."""
        return self._copy.instance()

    def state(self) -> State:
        """Read `PLACE`, `KEPT` and `REPLICA`; each step on the way changes one of them, and none back."""
        there, aside = self.there(), self.aside()
        source = source_of(there) if there else None
        own = there["DbiResourceId"] if there and source is None else None
        return {PLACE: own, KEPT: own or (aside and aside["DbiResourceId"]), REPLICA: source}

    def set_aside(self, resource: str) -> None:
        """Rename the promoted instance and tag it, each once (`rds:ModifyDBInstance`, `AddTagsToResource`).

        Raises `NotYet` while it is at something else, or not there yet under its new name; `RuleError` where it never
        will be, and where something else has that name.
        """
        there = self.there()
        if there and there["DbiResourceId"] == resource:
            refuse_lasting(there)
            if there["DBInstanceStatus"] != AVAILABLE:
                raise not_yet(f"{self._identifier} is {there['DBInstanceStatus']}")
            self._clients.once("rds").modify_db_instance(
                DBInstanceIdentifier=self._identifier, NewDBInstanceIdentifier=self._copy.name, ApplyImmediately=True
            )
        aside = self.aside()
        if aside is None or not serves(aside["DBInstanceStatus"]):
            raise not_yet(f"{self._identifier} is being renamed to {self._copy.name}")
        if aside["DbiResourceId"] != resource:
            raise RuleError(f"{self._copy.name} is not what was promoted, so it is not ours to delete")
        if not self._copy.owns(aside):
            self._copy.tag(aside["DBInstanceArn"])

    def make(self, asked: State) -> None:
        """Make the replica, once (`rds:CreateDBInstanceReadReplica`); raises `NotYet` while RDS would not."""
        there = self.there()
        if there is not None and source_of(there) is not None:
            return
        source = described(self._clients, str(asked["SourceDBInstanceIdentifier"]))
        if there is not None or source["DBInstanceStatus"] != AVAILABLE:
            refuse_lasting(source)
            raise not_yet(f"{self._identifier} is not free yet, or its primary is {source['DBInstanceStatus']}")
        self._clients.once("rds").create_db_instance_read_replica(**asked)

    def replicates(self, group: str | None) -> Verification:
        """Whether it is there and replicates, under its own parameter group, which it is given then.

        RDS takes none for PostgreSQL when a replica is made, and puts one in force with a reboot alone (RDS API
        CreateDBInstanceReadReplica and ModifyDBInstance, DBParameterGroupName).
        """
        there = self.there()
        if there is None:
            return Verification(done=False, failed=True, message=f"{self._identifier} is gone: somebody deleted it")
        status = there["DBInstanceStatus"]
        refuse_lasting(there)
        waiting = f"{self._identifier} is {status}"
        if status == AVAILABLE:
            waiting = (group and self._dressed(there, group)) or _silent(there)
        if waiting:
            return Verification(done=False, message=waiting)
        return Verification(done=True, message=f"{self._identifier} replicates {source_of(there)}")

    def remove(self, resource: str) -> bool:
        """Delete the promoted instance where it carries our tags; tells whether it is gone."""
        aside = self.aside()
        if aside is not None and aside["DbiResourceId"] != resource:
            raise RuleError(f"{self._copy.name} is not what was promoted, so it is not ours to delete")
        if aside is not None:
            self._copy.delete()
        return self.aside() is None

    def _dressed(self, there: dict[str, Any], group: str) -> str:
        """Give it its parameter group, then the reboot that it waits for; says what is waited for, or nothing."""
        shown = {one["DBParameterGroupName"]: one["ParameterApplyStatus"] for one in there["DBParameterGroups"]}
        rds = self._clients.once("rds")
        match shown.get(group):
            case "in-sync":
                return ""
            case None:
                rds.modify_db_instance(
                    DBInstanceIdentifier=self._identifier, DBParameterGroupName=group, ApplyImmediately=True
                )
            case "pending-reboot":
                rds.reboot_db_instance(DBInstanceIdentifier=self._identifier)
            case "failed-to-apply":
                raise RuleError(f"{self._identifier} cannot take the parameters of {group}: mend that group")
        return f"{self._identifier} takes on its parameter group {group}"


def asked_for(promoted: dict[str, Any], primary: dict[str, Any], identifier: str) -> State:
    """The parameters that make a replica as the promoted instance is (RDS API CreateDBInstanceReadReplica).

    What is left out of them is as the primary's. A subnet group is given only where it is another than that: RDS may
    refuse one for a replica beside its source (DBSubnetGroupNotAllowedFault).
    """
    asked = {name: promoted[name] for name in _SAME if promoted.get(name) is not None}
    subnets, others = (one.get("DBSubnetGroup", {}).get("DBSubnetGroupName") for one in (promoted, primary))
    if subnets != others:
        asked["DBSubnetGroupName"] = subnets
    if not promoted.get("MultiAZ"):
        asked["AvailabilityZone"] = promoted["AvailabilityZone"]
    if promoted.get("PerformanceInsightsEnabled"):
        asked["EnablePerformanceInsights"] = True
        for name in ("PerformanceInsightsKMSKeyId", "PerformanceInsightsRetentionPeriod"):
            asked |= {name: promoted[name]} if promoted.get(name) else {}
    if logs := promoted.get("EnabledCloudwatchLogsExports"):
        asked["EnableCloudwatchLogsExports"] = logs
    tags = [one for one in promoted.get("TagList", []) if not _passing(one)]
    return {
        **asked,
        **_storage(promoted, primary),
        "DBInstanceIdentifier": identifier,
        "SourceDBInstanceIdentifier": primary["DBInstanceIdentifier"],
        "EnableIAMDatabaseAuthentication": bool(promoted.get("IAMDatabaseAuthenticationEnabled")),
        "Port": promoted["Endpoint"]["Port"],
        "PubliclyAccessible": False,
        "VpcSecurityGroupIds": [one["VpcSecurityGroupId"] for one in promoted["VpcSecurityGroups"]],
        **({"Tags": tags} if tags else {}),
    }


def own_parameters(promoted: dict[str, Any], primary: dict[str, Any]) -> str | None:
    """The parameter group that the promoted instance has and its primary has not."""
    own, others = ([one["DBParameterGroupName"] for one in each["DBParameterGroups"]] for each in (promoted, primary))
    return own[0] if own and own != others else None


def source_of(instance: dict[str, Any]) -> str | None:
    """The identifier of what an instance is a replica of."""
    source = instance.get("ReadReplicaSourceDBInstanceIdentifier")
    return str(source).rsplit(":", 1)[-1] if source else None


def not_yet(message: str) -> ApplicationError:
    return ApplicationError(message, type=ErrorKind.NOT_YET.value, next_retry_delay=_AGAIN)


def _silent(there: dict[str, Any]) -> str:
    """What RDS says of its replicating, while that is not that it does; raises `RuleError` for an error."""
    said = {one.get("Status"): one.get("Normal") for one in there.get("StatusInfos", [])}
    if said.get("replicating"):
        return ""
    if said.keys() & {"error", "stopped", "terminated"}:
        raise RuleError(f"{there['DBInstanceIdentifier']} does not replicate: look at its log, and ask again")
    return f"{there['DBInstanceIdentifier']} is not seen to replicate yet"


def _storage(promoted: dict[str, Any], primary: dict[str, Any]) -> State:
    """As much as either has. Without a type RDS takes gp3 as it comes, whose own rate must not be given below a size.

    With io1, io2 or gp3 the rate must be given (RDS API CreateDBInstanceReadReplica, StorageType).
    """
    size = {"AllocatedStorage": max(int(one["AllocatedStorage"]) for one in (promoted, primary))}
    kind, rate = promoted.get("StorageType"), promoted.get("Iops")
    if kind == "gp3" and (rate or _PLAIN_IOPS) <= _PLAIN_IOPS:
        return size
    given = {"StorageType": kind, "Iops": rate, "StorageThroughput": promoted.get("StorageThroughput")}
    return size | {name: value for name, value in given.items() if value}


def _passing(tag: dict[str, str]) -> bool:
    """Tags of AWS's own, which nobody may give, and ours on what is to be deleted."""
    ours = tag["Key"] == "incident" or (tag["Key"], tag["Value"]) == ("purpose", PURPOSE)
    return ours or tag["Key"].startswith("aws:")

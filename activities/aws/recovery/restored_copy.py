"""The copy of a database that a recovery test makes: a snapshot under our key, and the instance restored from it."""

import re
from datetime import datetime
from typing import Any

from activities.action import Clients, RuleError
from activities.aws.database.described_database import misfits, offered
from activities.aws.database.rds_snapshots import Snapshots
from activities.aws.shared.error_codes import code_of
from activities.aws.shared.pages import Pages
from domain.config.recovery import COPIES, PURPOSE, Recovery, Source
from domain.model.plan import State

ABSENT = "absent"
DELETING = "deleting"
_LONGEST = 63
_AVAILABLE = "available"
_ZONES = 2
_QUOTAS = ("DBInstances", "AllocatedStorage")


def named(incident: str, database: str) -> str:
    """The name of the copy, of snapshot and instance alike, as RDS takes it."""
    plain = re.sub(r"[^a-z0-9]+", "-", f"{COPIES}{incident}-{database}".lower())
    return plain[:_LONGEST].strip("-")


def taken(snapshot: dict[str, Any]) -> datetime:
    """When a snapshot was taken; a copy keeps the instant of what it was copied from (RDS API DBSnapshot)."""
    at: datetime = snapshot.get("OriginalSnapshotCreateTime") or snapshot["SnapshotCreateTime"]
    return at


def instance_of(clients: Clients, name: str) -> dict[str, Any] | None:
    """Describe the instance of a name (`rds:DescribeDBInstances`); None where there is none."""
    rds = clients.client("rds")
    try:
        return dict(rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0])
    except rds.exceptions.ClientError as error:
        if code_of(error) != "DBInstanceNotFound":
            raise
        return None


class RestoredCopy:
    """Snapshot and instance of one name; tagged with the incident and the purpose, or they are somebody else's."""

    def __init__(self, clients: Clients, name: str, incident: str) -> None:
        self._clients = clients
        self.name = name
        self._tags = {"incident": incident, "purpose": PURPOSE}
        self._snapshots = Snapshots(clients, cluster=False)

    def instance(self) -> dict[str, Any] | None:
        """Describe the instance; None where there is none."""
        return instance_of(self._clients, self.name)

    def snapshot(self) -> dict[str, Any] | None:
        """Describe the snapshot (`rds:DescribeDBSnapshots`); None where there is none."""
        return self._snapshots.found(self.name)

    def state(self) -> str:
        """What stands under the name: nothing, ours by its name, or whose else it is."""
        there = {"instance": self.instance(), "snapshot": self.snapshot()}
        foreign = [
            f"{kind} tagged with {_tags(one).get('incident') or 'no incident'}"
            for kind, one in there.items()
            if one is not None and not self.owns(one)
        ]
        return ", ".join(foreign) or (self.name if any(there.values()) else ABSENT)

    def owns(self, one: dict[str, Any]) -> bool:
        return self._tags.items() <= _tags(one).items()

    def copy(self, snapshot: str, key: str) -> None:
        """Copy a snapshot under our key; a copy of that name that is there already stays."""
        self._snapshots.copy(snapshot, self.name, key, self._tags)

    def restore(self, snapshot: str, recovery: Recovery) -> None:
        """Restore once, into exactly the place for it: RDS takes the default group where none is given.

        No backups are kept of it, and nothing protects it, so that nothing stays of it when it is deleted.
        """
        self._clients.once("rds").restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier=self.name,
            DBSnapshotIdentifier=snapshot,
            DBInstanceClass=recovery.instance_class,
            DBSubnetGroupName=recovery.subnet_group,
            VpcSecurityGroupIds=[recovery.security_group],
            PubliclyAccessible=False,
            MultiAZ=False,
            DeletionProtection=False,
            BackupRetentionPeriod=0,
            Tags=self._tagged,
        )

    @property
    def _tagged(self) -> list[dict[str, str]]:
        return [{"Key": key, "Value": value} for key, value in self._tags.items()]

    def tag(self, arn: str) -> None:
        """Make an instance that has come to have the name ours to delete (`rds:AddTagsToResource`)."""
        self._clients.once("rds").add_tags_to_resource(ResourceName=arn, Tags=self._tagged)

    def delete(self) -> None:
        """Delete what is ours of it, without a final snapshot; what is being deleted already is left to it.

        Raises `RuleError` where somebody has protected the instance, or owns what has the name.
        """
        instance, snapshot = self.instance(), self.snapshot()
        for one in (instance, snapshot):
            if one is not None and not self.owns(one):
                raise RuleError(f"{self.name} does not carry our tags, so it is not ours to delete")
        if instance and instance.get("DeletionProtection"):
            raise RuleError(f"somebody has protected {self.name} from deletion: ask who, and take that back first")
        if instance and instance["DBInstanceStatus"] != DELETING:
            self._clients.once("rds").delete_db_instance(
                DBInstanceIdentifier=self.name, SkipFinalSnapshot=True, DeleteAutomatedBackups=True
            )
        if snapshot:
            self._clients.once("rds").delete_db_snapshot(DBSnapshotIdentifier=self.name)


def newest_snapshot(clients: Clients, source: Source, account: str) -> dict[str, Any]:
    """The newest snapshot of a database that is available: our account's own, or shared with it.

    Copies that recovery tests made are none. Raises `RuleError` where there is no other (`rds:DescribeDBSnapshots`).
    """
    own = source.account == account
    asked: dict[str, Any] = {"DBInstanceIdentifier": source.identifier} if own else {"SnapshotType": "shared"}
    pages = Pages(clients.client("rds").describe_db_snapshots, cursor="Marker", **asked)
    of_it = [
        one
        for one in pages.items("DBSnapshots")
        if one["DBInstanceIdentifier"] == source.identifier
        and one["DBSnapshotArn"].split(":")[4] == source.account
        and _tags(one).get("purpose") != PURPOSE
    ]
    usable = [one for one in of_it if one["Status"] == _AVAILABLE]
    if not usable:
        found = f"of {len(of_it)} snapshots none is available" if of_it else "there is no snapshot"
        shared = "" if own else f", or account {source.account} shares none with this one"
        raise RuleError(f"{source.identifier} cannot be restored: {found}{shared}")
    newest: dict[str, Any] = max(usable, key=taken)
    return newest


def refuse_no_place(clients: Clients, recovery: Recovery, snapshot: dict[str, Any]) -> None:
    """Refuse what RDS would refuse of the place: its network, the class, and how much an account may have.

    `rds:DescribeDBSubnetGroups`, `ec2:DescribeSecurityGroups`, `rds:DescribeOrderableDBInstanceOptions`; what is not
    found there ends in AWS's own answer.
    """
    rds, ec2 = clients.client("rds"), clients.client("ec2")
    subnets = rds.describe_db_subnet_groups(DBSubnetGroupName=recovery.subnet_group)["DBSubnetGroups"][0]
    group = ec2.describe_security_groups(GroupIds=[recovery.security_group])["SecurityGroups"][0]
    if group["VpcId"] != subnets["VpcId"]:
        raise RuleError(f"{recovery.security_group} is in {group['VpcId']}, but {recovery.subnet_group} is not")
    zones = {one["SubnetAvailabilityZone"]["Name"] for one in subnets["Subnets"] if one["SubnetStatus"] == "Active"}
    if len(zones) < _ZONES:
        raise RuleError(
            f"{recovery.subnet_group} covers fewer than two availability zones, which RDS takes no group of"
        )
    options, another = offered(clients, snapshot, recovery.instance_class), "name another recovery.instance_class"
    if options == []:
        engine = f"{snapshot['Engine']} {snapshot['EngineVersion']}"
        raise RuleError(f"RDS offers no {recovery.instance_class} for {engine}: {another}")
    # IAM authentication is off unless a restore asks for it (RDS API RestoreDBInstanceFromDBSnapshot)
    if lacking := misfits({**snapshot, "IAMDatabaseAuthenticationEnabled": False}, options or []):
        raise RuleError(f"{recovery.instance_class} does not go with the snapshot's {', '.join(lacking)}: {another}")
    refuse_full(clients, int(snapshot["AllocatedStorage"]))


def refuse_full(clients: Clients, storage: int) -> None:
    """Refuse where the account may not have one more instance, of so many GiB (`rds:DescribeAccountAttributes`)."""
    wanted = dict(zip(_QUOTAS, (1, storage), strict=True))
    for quota in clients.client("rds").describe_account_attributes()["AccountQuotas"]:
        name, used, most = quota["AccountQuotaName"], int(quota["Used"]), int(quota["Max"])
        if most - used < wanted.get(name, 0):
            raise RuleError(f"the account has {used} of at most {most} {name}, and {wanted[name]} more are needed")


def misplaced(instance: dict[str, Any], recovery: Recovery, key: str) -> list[str]:
    """In what a restored instance is not where, or not as, it should be."""
    groups = [one["VpcSecurityGroupId"] for one in instance.get("VpcSecurityGroups", [])]
    subnets = instance.get("DBSubnetGroup", {}).get("DBSubnetGroupName")
    wrong = {
        f"behind {', '.join(groups) or 'no group'}": groups != [recovery.security_group],
        f"in subnet group {subnets}": subnets != recovery.subnet_group,
        "publicly accessible": bool(instance.get("PubliclyAccessible")),
        "under another key": instance.get("KmsKeyId") != key,
    }
    return [said for said, is_so in wrong.items() if is_so]


def _tags(one: dict[str, Any]) -> State:
    return {tag["Key"]: tag["Value"] for tag in one.get("TagList", [])}

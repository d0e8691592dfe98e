# ruff: noqa: N803
"""The world of a recovery test: a snapshot, a place that nothing else is in, and a function that counts."""

import io
import json
from datetime import UTC, timedelta
from typing import Any

from botocore.exceptions import ClientError
from moto.rds.models import DBSnapshot, rds_backends

from activities.aws.recovery.rds_restore_test import RestoreTest
from domain.config.environment import Environment
from sandbox.aws import rds as sandbox_rds
from sandbox.aws.rollout import PACE
from tests.activities.change_worlds import ChangeWorld, Worlds
from tests.activities.checked import Checked
from tests.activities.scopes import ACCOUNT, NOW, REGION, environment, scope
from tests.activities.world import WorldClients, create_ledger

SOURCE, KEY, FUNCTION, SUBNETS = "axis-db", "alias/axis-recovery", "axis-count", "axis-recovery"
SNAPSHOT = "rds:axis-db-2026-11-23-03-10"
NAME = f"restore-test-{scope().incident}-primary"
AVAILABLE_AFTER = timedelta(minutes=40)


class FakeCounts(Checked):
    """The counting function: `answer` is what it says, `error` that it ended in one (Lambda API Invoke)."""

    service = "lambda"

    def __init__(self) -> None:
        self.tables: Any = {"studies": {"rows": 12, "newest": f"{NOW - timedelta(minutes=20):%Y-%m-%dT%H:%M:%S}Z"}}
        self.error = False
        self.asked: list[dict[str, Any]] = []

    def invoke(
        self, FunctionName: str, Payload: bytes = b"{}", InvocationType: str = "RequestResponse"
    ) -> dict[str, Any]:
        if FunctionName != FUNCTION:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": FunctionName}}, "Invoke")
        if InvocationType == "DryRun":
            return {"StatusCode": 204}
        self.asked.append(json.loads(Payload))
        answer = json.dumps({"counted_at": (NOW + AVAILABLE_AFTER).isoformat(), "tables": self.tables})
        error = {"FunctionError": "Unhandled"} if self.error else {}
        return {"StatusCode": 200, "Payload": io.BytesIO(answer.encode()), **error}


def staging(group: str = "sg-0123456789abcdef0", **recovery: Any) -> Environment:
    """An environment that restores its own database's snapshots, behind a group."""
    place = {
        "sources": {"primary": f"arn:aws:rds:{REGION}:{ACCOUNT}:db:{SOURCE}"},
        "subnet_group": SUBNETS,
        "security_group": group,
        "kms_key": KEY,
        "instance_class": "db.r6g.large",
        "count_function": FUNCTION,
    }
    return environment(name="staging", kind="staging", databases={}, recovery=place | recovery)


def restore(*, under_own_key: bool = True) -> ChangeWorld:
    """The snapshot is under the environment's key, or under the database's own and has to be copied first."""
    sandbox_rds.install()
    PACE.rollout = timedelta.resolution
    clients = WorldClients({"lambda": FakeCounts()})
    create_ledger(clients)
    rds, kms, ec2 = (clients.inner.client(name) for name in ("rds", "kms", "ec2"))
    own, other = (kms.create_key()["KeyMetadata"] for _ in range(2))
    kms.create_alias(AliasName=KEY, TargetKeyId=own["KeyId"])
    group = _place(ec2, rds)
    for name in (SOURCE, "another"):
        rds.create_db_instance(
            DBInstanceIdentifier=name,
            DBInstanceClass="db.r6g.xlarge",
            Engine="postgres",
            EngineVersion="16.4",
            MasterUsername="portal",
            ManageMasterUserPassword=True,
            AllocatedStorage=100,
            DeletionProtection=True,
            StorageEncrypted=True,
            KmsKeyId=(own if under_own_key else other)["Arn"],
        )
    _one_snapshot()

    def there() -> list[Any]:
        copies = [one for one in rds.describe_db_instances()["DBInstances"] if one["DBInstanceIdentifier"] == NAME]
        kept = [one for one in rds.describe_db_snapshots()["DBSnapshots"] if one["DBSnapshotIdentifier"] == NAME]
        return [one["TagList"] for one in (*copies, *kept)]

    return ChangeWorld(
        clients=clients,
        change=RestoreTest(clients),
        snapshot=there,
        meddle=lambda: rds.create_db_instance(
            DBInstanceIdentifier=NAME,
            DBInstanceClass="db.r6g.large",
            Engine="postgres",
            MasterUsername="portal",
            ManageMasterUserPassword=True,
            AllocatedStorage=100,
        ),
        scope=scope(environment=staging(group)),
        params={"database": "primary"},
    )


def newest() -> DBSnapshot:
    """The snapshot that is to be restored, as moto keeps it."""
    found: DBSnapshot = rds_backends[ACCOUNT][REGION].database_snapshots[SNAPSHOT]
    return found


def _place(ec2: Any, rds: Any) -> str:
    """Make a subnet group over two zones, and the security group in its VPC."""
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")
        for number, zone in enumerate("ab")
    ]
    names = [one["Subnet"]["SubnetId"] for one in subnets]
    rds.create_db_subnet_group(DBSubnetGroupName=SUBNETS, DBSubnetGroupDescription="copies", SubnetIds=names)
    made = ec2.create_security_group(GroupName="recovery", Description="recovery", VpcId=vpc)
    return str(made["GroupId"])


def _one_snapshot() -> None:
    """Let the only snapshot be an automated one, of twenty minutes before the incident was declared."""
    kept = rds_backends[ACCOUNT][REGION].database_snapshots
    of_it = [one for one in kept.values() if one.db_instance_identifier == SOURCE]
    kept.clear()
    one = of_it[0]
    one.db_snapshot_identifier = SNAPSHOT
    one.created = one.original_snapshot_create_time = (NOW - timedelta(minutes=20)).astimezone(UTC)
    kept[SNAPSHOT] = one


CHANGE_WORLDS: Worlds = {RestoreTest.name: (restore, 1)}

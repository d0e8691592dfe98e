"""Fill an empty account with everything that an environment file names, well and a few weeks old."""

from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from typing import Any

from moto.ec2.models import ec2_backends
from moto.kms.models import kms_backends
from moto.logs.models import logs_backends

from sandbox.runtime.aws_world import World
from sandbox.seed import (
    audit_logs,
    evidence_bucket,
    network,
    perimeter,
    recovery,
    services,
    standing,
    upkeep,
    user_pools,
)
from sandbox.seed import databases as seed_database
from sandbox.traffic import background

_LOCKED = {"audit-logs", "forensics"}
"""Buckets that a real account keeps under Object Lock: nobody deletes a version there."""
_CLASS = "db.r6g.xlarge"
_AGE = timedelta(weeks=4)
_POSTGRES: dict[str, Any] = {
    "Engine": "postgres",
    "EngineVersion": "16.4",
    "AllocatedStorage": 500,
    "BackupRetentionPeriod": 14,
    "StorageEncrypted": True,
    "DeletionProtection": True,
    "MasterUsername": "portal",
    # by Secrets Manager it could not be kept: RDS makes no replica of such (RDS user guide, "Password management with
    # Amazon RDS and AWS Secrets Manager", limitations)
    "MasterUserPassword": token_urlsafe(16),
}


def seed(world: World) -> None:
    """Create it all. For an account that is empty: a second call fails on what is there already."""
    networks = network.networks(world)
    network.load_balancers(world, networks)
    services.services(world, networks[0])
    _databases(world)
    _stores(world)
    audit_logs.audit_logs(world, datetime.now(UTC))
    evidence_bucket.vault(world)
    perimeter.perimeter(world, networks[0])
    seed_database.databases(world, networks[0])
    recovery.recovery(world)
    recovery.functions(world)
    user_pools.accounts(world)
    upkeep.upkeep(world)
    standing.standing(world)
    background.backfill(world, datetime.now(UTC))
    _aged(world)


def _databases(world: World) -> None:
    """PostgreSQL on RDS: primaries in two zones, then their replicas."""
    rds, key = world.client("rds"), _default_key(world)
    databases = world.environment.databases
    made: set[str] = set()
    while len(made) < len(databases):
        ready = [name for name in databases if name not in made and databases[name].replica_of in {None, *made}]
        if not ready:
            raise ValueError(f"databases are replicas of each other in a circle: {', '.join(set(databases) - made)}")
        for name in ready:
            _database(rds, world, name, key)
        made.update(ready)


def _default_key(world: World) -> str:
    """AWS's own key of RDS, under which all is that names no other: its ARN is shown like any (RDS API DBInstance)."""
    environment = world.environment
    made = world.client("kms").create_key(Description="Default key that protects my RDS database volumes")[
        "KeyMetadata"
    ]
    kms_backends[environment.account][environment.region].keys[made["KeyId"]].key_manager = "AWS"
    return str(made["Arn"])


def _database(rds: Any, world: World, name: str, key: str) -> None:
    databases = world.environment.databases
    database = databases[name]
    if database.replica_of:
        of = databases[database.replica_of]
        source = "SourceDBClusterIdentifier" if of.cluster else "SourceDBInstanceIdentifier"
        rds.create_db_instance_read_replica(
            DBInstanceIdentifier=database.identifier,
            **{source: of.identifier},
            MultiAZ=False,
            DBInstanceClass=_CLASS,
        )
    elif database.cluster:
        rds.create_db_cluster(
            DBClusterIdentifier=database.identifier, DBClusterInstanceClass="db.r6gd.xlarge", **_POSTGRES
        )
    else:
        rds.create_db_instance(
            DBInstanceIdentifier=database.identifier, DBInstanceClass=_CLASS, MultiAZ=True, KmsKeyId=key, **_POSTGRES
        )


def _stores(world: World) -> None:
    """Buckets, the ledger's table, and the sender that mail may come from."""
    environment = world.environment
    s3 = world.client("s3")
    for name, bucket in environment.buckets.items():
        s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=name in _LOCKED, **_located(environment.region))
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    world.client("dynamodb").create_table(
        TableName=environment.ledger_table,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
        DeletionProtectionEnabled=True,
    )
    world.client("dynamodb").update_continuous_backups(
        TableName=environment.ledger_table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    world.client("sesv2").create_email_identity(EmailIdentity=environment.notifications.mail_sender)


def _aged(world: World) -> None:
    """Let logs have been kept for as long as the account is old: they show when they were begun."""
    account = world.environment.account
    groups = [group for region in logs_backends[account].values() for group in region.groups.values()]
    for one in (*groups, *ec2_backends[account][world.environment.region].flow_logs.values()):
        vars(one)["creation_time"] -= _AGE


def _located(region: str) -> dict[str, Any]:
    """S3 takes no location constraint for us-east-1."""
    return {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}

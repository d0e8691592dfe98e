"""The world of a replica that was promoted in a rehearsal, and is to be made anew."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from moto.rds.models import DBInstance, rds_backends

from activities.aws.database.rds_promote_replica import PromoteReplica
from activities.aws.recovery.rds_renew_replica import RenewReplica
from activities.changes.runner import ChangeRunner
from domain.config.environment import Environment
from domain.model.calls import ApplyCall, PlanCall, Scope, VerifyCall
from domain.values.ids import action_id, change_workflow_id
from sandbox.aws import ec2 as sandbox_ec2
from sandbox.aws import rds as sandbox_rds
from sandbox.aws.rollout import PACE
from tests.activities.change_worlds import ChangeWorld, InOrder, Worlds
from tests.activities.database_worlds import HEALTHY, PARAMETER, groups
from tests.activities.fake_ecs import FakeEcs
from tests.activities.fake_rds import PRIMARY, REPLICA
from tests.activities.recovery_worlds import KEY, staging
from tests.activities.scopes import ACCOUNT, NOW, REGION, environment, scope
from tests.activities.world import WorldClients, create_ledger

ASIDE = f"restore-test-{scope().incident}-replica-promoted"
TOOK = timedelta(minutes=4)
REHEARSAL = {"replica": "replica", "primary_is_lost": "rehearsal: nothing is lost"}


def renew(*, tell: Callable[[Any], None] = lambda _: None, ecs: FakeEcs | None = None) -> ChangeWorld:
    """A replica that our own change promoted four minutes ago; `tell` makes of the replica what it was before."""
    world, ecs = rehearsed(ecs or FakeEcs(), tell)
    promote(world)
    ecs.settle()
    world.clients.writes.clear()
    world.clients.calls.clear()
    return world


def rehearsed(ecs: FakeEcs, tell: Callable[[Any], None] = lambda _: None) -> tuple[ChangeWorld, FakeEcs]:
    """The replica follows its primary, which the application reads."""
    sandbox_ec2.install()
    sandbox_rds.install()
    PACE.rollout = timedelta.resolution
    clients = WorldClients({"ecs": ecs, "elbv2": HEALTHY})
    create_ledger(clients)
    rds, ec2, ssm = (clients.inner.client(name) for name in ("rds", "ec2", "ssm"))
    fence, application = groups(ec2)
    own = _databases(clients, fence)
    tell(rds)
    primary = rds.describe_db_instances(DBInstanceIdentifier=PRIMARY)["DBInstances"][0]
    ssm.put_parameter(Name=PARAMETER, Value=primary["Endpoint"]["Address"], Type="String")

    def snapshot() -> tuple[Any, ...]:
        rules = [
            sorted(map(str, ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]))
            for group in (fence, own)
        ]
        reads = ssm.get_parameter(Name=PARAMETER)["Parameter"]["Value"]
        shown = [
            (one["DBInstanceIdentifier"], one.get("ReadReplicaSourceDBInstanceIdentifier"), one["TagList"])
            for one in rds.describe_db_instances()["DBInstances"]
        ]
        return rules, reads, len(ecs.deployments), ecs.primary, sorted(shown, key=str)

    world = ChangeWorld(
        clients=clients,
        change=RenewReplica(clients),
        snapshot=snapshot,
        meddle=lambda: ssm.put_parameter(Name=PARAMETER, Value="elsewhere.example", Overwrite=True),
        settle=ecs.settle,
        scope=scope(environment=where(fence, application)),
        params={"replica": "replica"},
    )
    return world, ecs


def own_parameters(rds: Any) -> None:
    """Give the replica a parameter group of its own, in force."""
    rds.create_db_parameter_group(
        DBParameterGroupName="replica", DBParameterGroupFamily="postgres16", Description="the replica's own"
    )
    rds.modify_db_instance(DBInstanceIdentifier=REPLICA, DBParameterGroupName="replica", ApplyImmediately=True)
    rds.reboot_db_instance(DBInstanceIdentifier=REPLICA)


def where(fence: str, application: str) -> Environment:
    """Staging, with a replica, what leads to its primary, and a place to restore in."""
    return environment(
        name="staging",
        kind="staging",
        security_groups={"database": fence, "backend": application},
        database_endpoints={"primary": {"parameter": PARAMETER, "service": "backend"}},
        recovery=staging().recovery,
    )


def promote(world: ChangeWorld, step: str = "promote", generation: int = 1, **params: Any) -> str:
    """Promote the replica, in the incident of the world's scope; says what was seen."""
    runner = ChangeRunner(world.clients)
    change, scope_ = PromoteReplica(world.clients), world.scope
    key = {"scope": scope_, "step": step, "generation": generation}
    plan = runner.plan(change, PlanCall(**key, params=REHEARSAL | params)).plan
    names = (scope_.incident, step, generation)
    call = key | {"action_id": action_id(*names), "holder": change_workflow_id(*names), "plan": plan}
    applied = runner.apply(change, ApplyCall(**call, approvers=("technical-manager",)), NOW)
    world.settle()
    return runner.verify(change, VerifyCall(**call, refused=tuple(applied.refused)), NOW + TOOK).message


def instance(name: str = REPLICA) -> DBInstance:
    """An instance as moto keeps it."""
    found: DBInstance = rds_backends[ACCOUNT][REGION].databases[name]
    return found


def in_production(world: ChangeWorld) -> Scope:
    """The world's scope, where the same things are production's."""
    there = world.scope.environment.model_copy(update={"kind": "production", "name": "production"})
    return world.scope.model_copy(update={"environment": there})


def _databases(clients: WorldClients, fence: str) -> str:
    """Make the primary behind the fence, and its replica behind a group of its own, which is returned."""
    rds, ec2, kms = (clients.inner.client(name) for name in ("rds", "ec2", "kms"))
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName=KEY, TargetKeyId=key["KeyId"])
    vpc = ec2.describe_security_groups(GroupIds=[fence])["SecurityGroups"][0]["VpcId"]
    own = str(ec2.create_security_group(GroupName="replicas", Description="replicas", VpcId=vpc)["GroupId"])
    rds.create_db_instance(
        DBInstanceIdentifier=PRIMARY,
        DBInstanceClass="db.r6g.xlarge",
        Engine="postgres",
        EngineVersion="16.4",
        MasterUsername="portal",
        MasterUserPassword="of-this-test",
        AllocatedStorage=100,
        BackupRetentionPeriod=14,
        StorageEncrypted=True,
        KmsKeyId=key["Arn"],
        VpcSecurityGroupIds=[fence],
    )
    rds.create_db_instance_read_replica(
        DBInstanceIdentifier=REPLICA,
        SourceDBInstanceIdentifier=PRIMARY,
        DBInstanceClass="db.r6g.large",
        VpcSecurityGroupIds=[own],
        Tags=[{"Key": "team", "Value": "portal"}],
    )
    return own


CHANGE_WORLDS: Worlds = {RenewReplica.name: (renew, 6)}
IN_ORDER: InOrder = {
    RenewReplica.name: "the application must not be led to what it cannot reach, and a name is free once it is left"
}

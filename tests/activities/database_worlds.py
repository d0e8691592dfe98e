"""The worlds of what a database and its application are changed by."""

from datetime import timedelta
from typing import Any

from activities.aws.database.rds_failover import Failover
from activities.aws.database.rds_promote_replica import PromoteReplica
from activities.aws.database.rds_resize_instance import ResizeInstance
from activities.aws.ecs.app_restart import RestartService
from domain.config.environment import Environment
from tests.activities.change_worlds import ChangeWorld, InOrder, Worlds
from tests.activities.fake_ecs import FakeEcs, FakeTargets, revision
from tests.activities.fake_rds import CLUSTER, PRIMARY, REPLICA, FakeRds, address
from tests.activities.scopes import NOW, environment, scope
from tests.activities.world import WorldClients, create_ledger

MINUTE = timedelta(minutes=1)
DEAD = 14 * MINUTE
"""How long before the declaration a failed primary was last heard of."""
PARAMETER = "/axis/database/host"
HEALTHY = FakeTargets("healthy", "healthy", "healthy")


def failover(rds: FakeRds | None = None) -> ChangeWorld:
    rds = rds or FakeRds()
    clients = WorldClients({"rds": rds})
    create_ledger(clients)
    return ChangeWorld(
        clients=clients,
        change=Failover(clients),
        snapshot=lambda: (rds.primary["AvailabilityZone"], rds.primary["SecondaryAvailabilityZone"]),
        meddle=lambda: rds.primary.update(AvailabilityZone="ap-southeast-2c"),
        settle=rds.settle,
        params={"database": "primary"},
        waits=timedelta(minutes=4),
    )


def cluster_failover(engine: str = "postgres") -> ChangeWorld:
    """The primary is a cluster, which the environment names."""
    rds = FakeRds()
    rds.join(engine)
    world = failover(rds)
    world.snapshot = lambda: rds.writer
    world.scope = scope(environment=of_cluster())
    return world


def of_cluster() -> Environment:
    """An environment whose primary is a cluster."""
    databases = {"primary": {"identifier": CLUSTER, "max_connections": 100, "cluster": True}}
    return environment(databases=databases)


def resize() -> ChangeWorld:
    rds = FakeRds()
    clients = WorldClients({"rds": rds})
    create_ledger(clients)

    def going_to() -> str:
        found: str = (rds.primary | rds.primary.get("PendingModifiedValues", {}))["DBInstanceClass"]
        return found

    return ChangeWorld(
        clients=clients,
        change=ResizeInstance(clients),
        snapshot=going_to,
        meddle=lambda: rds.primary.update(DBInstanceClass="db.r6g.8xlarge"),
        settle=rds.settle,
        params={"database": "primary", "instance_class": "db.r6g.2xlarge"},
    )


def restart() -> ChangeWorld:
    ecs = FakeEcs()
    clients = WorldClients({"ecs": ecs, "elbv2": HEALTHY})
    create_ledger(clients)
    return ChangeWorld(
        clients=clients,
        change=RestartService(clients),
        snapshot=lambda: (len(ecs.deployments), ecs.primary),
        meddle=lambda: ecs.update_service(cluster="axis-cluster", service="axis-backend", taskDefinition=revision(7)),
        settle=ecs.settle,
        params={"service": "backend", "database": "primary"},
    )


def promote(behind: float | None = 4, ecs: FakeEcs | None = None) -> ChangeWorld:
    """The primary has failed; its replica was so many seconds behind, or nobody knows."""
    rds, ecs = FakeRds(), ecs or FakeEcs()
    rds.primary["DBInstanceStatus"] = "failed"
    clients = WorldClients({"rds": rds, "ecs": ecs, "elbv2": HEALTHY})
    create_ledger(clients)
    ec2, ssm = clients.inner.client("ec2"), clients.inner.client("ssm")
    fence, application = groups(ec2)
    rds.primary["VpcSecurityGroups"] = [{"VpcSecurityGroupId": fence, "Status": "active"}]
    ssm.put_parameter(Name=PARAMETER, Value=address(PRIMARY), Type="String")
    if behind is not None:
        metric("CPUUtilization", PRIMARY, 30, clients, ago=DEAD)
        metric("ReplicaLag", REPLICA, behind, clients, ago=DEAD)
        # RDS user guide, "Monitoring read replication": PostgreSQL's lag is the time since the last transaction that
        # was replayed, so once the primary is dead it only counts the time
        metric("ReplicaLag", REPLICA, behind + (DEAD - MINUTE).total_seconds(), clients)

    def snapshot() -> tuple[Any, ...]:
        rules = ec2.describe_security_groups(GroupIds=[fence])["SecurityGroups"][0]["IpPermissions"]
        source = rds.replica.get("ReadReplicaSourceDBInstanceIdentifier")
        reads = ssm.get_parameter(Name=PARAMETER)["Parameter"]["Value"]
        return rules, source, rds.replica["BackupRetentionPeriod"], reads, len(ecs.deployments), ecs.primary

    where = environment(
        security_groups={"database": fence, "backend": application},
        database_endpoints={"primary": {"parameter": PARAMETER, "service": "backend"}},
    )
    return ChangeWorld(
        clients=clients,
        change=PromoteReplica(clients),
        snapshot=snapshot,
        meddle=lambda: ssm.put_parameter(Name=PARAMETER, Value="elsewhere.example", Overwrite=True),
        settle=ecs.settle,
        scope=scope(environment=where),
        params={"replica": "replica"},
    )


class ForeignEcs(FakeEcs):
    """A service whose deployments CodeDeploy makes: ECS shows none of its own (ECS API DescribeServices)."""

    def describe_services(self, cluster: str, services: list[str]) -> dict[str, Any]:
        (service,) = super().describe_services(cluster=cluster, services=services)["services"]
        foreign = {"deploymentController": {"type": "CODE_DEPLOY"}, "deployments": []}
        return {"services": [service | foreign], "failures": []}


def metric(name: str, identifier: str, value: float, clients: WorldClients, ago: timedelta = MINUTE) -> None:
    """Put in one data point of so long before the incident was declared."""
    data: Any = {
        "MetricName": name,
        "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": identifier}],
        "Timestamp": NOW - ago,
        "Value": value,
    }
    clients.inner.client("cloudwatch").put_metric_data(Namespace="AWS/RDS", MetricData=[data])


def groups(ec2: Any) -> tuple[str, str]:
    """Make a security group that lets another one reach PostgreSQL, and that other one."""
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    fence, application = (
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        for name in ("database", "backend")
    )
    pair = {"GroupId": application, "Description": "the application"}
    permission = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [pair]}
    metrics = {"IpProtocol": "tcp", "FromPort": 9187, "ToPort": 9187, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}
    ec2.authorize_security_group_ingress(GroupId=fence, IpPermissions=[permission, metrics])
    return fence, application


CHANGE_WORLDS: Worlds = {
    Failover.name: (failover, 1),
    PromoteReplica.name: (promote, 4),
    ResizeInstance.name: (resize, 1),
    RestartService.name: (restart, 1),
}
IN_ORDER: InOrder = {PromoteReplica.name: "nothing may write to the primary before the replica takes over"}

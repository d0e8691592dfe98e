"""A seeded account has what the environment file names, for any organisation."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from domain.config.environment import Environment
from sandbox.runtime.aws_world import World
from tests.sandbox.worlds import other, shipped


@pytest.mark.parametrize("environment", [shipped(), other()], ids=["shipped", "another"])
def test_everything_named_is_there(seeded: Callable[[Environment], World], environment: Environment) -> None:
    """Every resource of the file exists under exactly its name or ARN, in its account and region."""
    client = seeded(environment).client
    assert client("sts").get_caller_identity()["Account"] == environment.account
    for service in environment.services.values():
        answer = client("ecs").describe_services(cluster=service.cluster, services=[service.service])
        assert answer["failures"] == []
        assert (answer["services"][0]["runningCount"], answer["services"][0]["desiredCount"]) == (3, 3)
        if service.target_group_arn:
            client("elbv2").describe_target_groups(TargetGroupArns=[service.target_group_arn])
        resource = f"service/{service.cluster}/{service.service}"
        targets = client("application-autoscaling").describe_scalable_targets(
            ServiceNamespace="ecs", ResourceIds=[resource]
        )["ScalableTargets"]
        assert [(one["MinCapacity"], one["MaxCapacity"]) for one in targets] == [(2, 8)]
        assert client("logs").filter_log_events(logGroupName=service.log_group, limit=1)["events"]
    for balancer in environment.load_balancers.values():
        elb = client("elbv2")
        assert elb.describe_load_balancers(LoadBalancerArns=[balancer.arn])["LoadBalancers"]
        assert elb.describe_listeners(ListenerArns=[balancer.listener_arn])["Listeners"]
        assert len(elb.describe_rules(RuleArns=list(balancer.rule_arns))["Rules"]) == len(balancer.rule_arns)
    for network in environment.networks.values():
        ids = [{"Name": "resource-id", "Values": [network.vpc_id]}]
        (flow_log,) = client("ec2").describe_flow_logs(Filters=ids)["FlowLogs"]
        assert (flow_log["FlowLogStatus"], flow_log["DeliverLogsStatus"]) == ("ACTIVE", "SUCCESS")
    for bucket in environment.buckets.values():
        client("s3").head_bucket(Bucket=bucket)
    keys = client("dynamodb").describe_table(TableName=environment.ledger_table)["Table"]["KeySchema"]
    assert [key["AttributeName"] for key in keys] == ["pk", "sk"]


@pytest.mark.parametrize("environment", [shipped(), other()], ids=["shipped", "another"])
def test_databases_are_well(seeded: Callable[[Environment], World], environment: Environment) -> None:
    """Databases are available, replicas follow their primaries, and connections stand well under the limit."""
    client = seeded(environment).client
    now = datetime.now(UTC)
    for database in environment.databases.values():
        (shown,) = client("rds").describe_db_instances(DBInstanceIdentifier=database.identifier)["DBInstances"]
        assert shown["DBInstanceStatus"] == "available"
        source = environment.databases[database.replica_of].identifier if database.replica_of else None
        assert shown.get("ReadReplicaSourceDBInstanceIdentifier") == source
        assert shown["MultiAZ"] == (source is None)
        points = client("cloudwatch").get_metric_statistics(
            Namespace="AWS/RDS",
            MetricName="DatabaseConnections",
            Dimensions=[{"Name": "DBInstanceIdentifier", "Value": database.identifier}],
            StartTime=now - timedelta(hours=1),
            EndTime=now,
            Period=300,
            Statistics=["Maximum"],
        )["Datapoints"]
        assert len(points) >= 11
        assert max(point["Maximum"] for point in points) < database.max_connections * 0.5


def test_past_is_quiet(world: World) -> None:
    """Nothing was deployed within a day, no errors were logged, and three revisions succeeded one after another."""
    backend = world.environment.services["backend"]
    listed = world.client("ecs").list_service_deployments(cluster=backend.cluster, service=backend.service)
    deployments = listed["serviceDeployments"]
    assert [one["status"] for one in deployments] == ["SUCCESSFUL"] * 3
    assert deployments[0]["finishedAt"] < datetime.now(UTC) - timedelta(days=1)
    errors = world.client("logs").filter_log_events(logGroupName=backend.log_group, filterPattern="ERROR")
    assert errors["events"] == []
    assert world.healthy()


@pytest.mark.parametrize("cluster", [False, True])
def test_databases_were_last_backed_up_at_night(seeded: Callable[[Environment], World], cluster: bool) -> None:
    """RDS neither reports the account's making nor keeps a snapshot of it, of a cluster's members neither."""
    environment = shipped()
    primary = environment.databases["primary"].model_copy(update={"cluster": cluster})
    world = seeded(environment.model_copy(update={"databases": environment.databases | {"primary": primary}}))
    rds, lately = world.client("rds"), datetime.now(UTC) - timedelta(hours=8)
    assert rds.describe_events(Duration=24 * 60)["Events"]
    assert rds.describe_events(StartTime=lately)["Events"] == []
    kept = rds.describe_db_snapshots()["DBSnapshots"] + rds.describe_db_cluster_snapshots()["DBClusterSnapshots"]
    assert kept
    for one in kept:
        name = one.get("DBSnapshotIdentifier") or one["DBClusterSnapshotIdentifier"]
        assert one["SnapshotCreateTime"] < lately
        assert name.endswith(f"{one['SnapshotCreateTime']:%Y-%m-%d-%H-%M}")


def test_web_acl_blocks_its_address_set(world: World) -> None:
    """The web ACL of the file exists with a rule that blocks its address set."""
    (named,) = world.environment.web_acls.values()
    wafv2 = world.client("wafv2")
    (found,) = [one for one in wafv2.list_web_acls(Scope="REGIONAL")["WebACLs"] if one["Name"] == named.name]
    rule = wafv2.get_web_acl(Name=named.name, Scope="REGIONAL", Id=found["Id"])["WebACL"]["Rules"][0]
    sets = {one["Name"]: one for one in wafv2.list_ip_sets(Scope="REGIONAL")["IPSets"]}
    assert set(sets) == {named.ip_set, named.ip_set_v6}
    assert rule["Statement"]["IPSetReferenceStatement"]["ARN"] == sets[named.ip_set]["ARN"]
    assert "Block" in rule["Action"]
    (balancer,) = world.environment.load_balancers.values()
    assert wafv2.get_web_acl_for_resource(ResourceArn=balancer.arn)["WebACL"]["Name"] == named.name


def test_network_is_guarded_as_named(world: World) -> None:
    """Security groups and network ACLs exist under their ids; every subnet is behind the network ACL."""
    ec2, environment = world.client("ec2"), world.environment
    groups = ec2.describe_security_groups(GroupIds=list(environment.security_groups.values()))["SecurityGroups"]
    assert all(group["IpPermissions"] for group in groups)
    (acl,) = ec2.describe_network_acls(NetworkAclIds=list(environment.network_acls.values()))["NetworkAcls"]
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [acl["VpcId"]]}])["Subnets"]
    assert {one["SubnetId"] for one in acl["Associations"]} == {subnet["SubnetId"] for subnet in subnets}


def test_audit_logs_and_evidence_are_under_object_lock(world: World) -> None:
    """The buckets that have Object Lock in a real account have it here too."""
    evidence = world.environment.evidence
    assert evidence
    for bucket in (world.environment.buckets["audit-logs"], evidence.bucket):
        found = world.client("s3").get_object_lock_configuration(Bucket=bucket)
        assert found["ObjectLockConfiguration"]["ObjectLockEnabled"] == "Enabled"

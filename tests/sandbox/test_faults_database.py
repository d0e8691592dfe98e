"""The database faults, found and fixed by the real actions: what helps against one does harm with the other."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.action import RuleError
from activities.aws.shared.clients import AwsClients
from activities.catalogue import CHANGES, PROBES
from activities.changes.runner import ChangeRunner
from domain.config.environment import Environment
from domain.model.calls import ApplyCall, PlanCall, Scope, VerifyCall
from domain.model.finding import Finding, FindingStatus
from domain.values.severity import Severity
from sandbox.aws.rollout import PACE
from sandbox.faults.inject import FAULTS
from sandbox.runtime.aws_world import FaultError, World
from sandbox.traffic import background
from tests.aws import aws_clients
from tests.sandbox.worlds import NEVER, other, rollouts_finish, shipped

Observe = Callable[..., Finding]
PROMOTE = {"replica": "replica", "fence": "database", "endpoint": "primary"}


@pytest.fixture
def clients(world: World) -> AwsClients:
    return aws_clients(world.environment.region)


@pytest.fixture
def scope(world: World) -> Scope:
    return scope_of(world)


def scope_of(world: World) -> Scope:
    return Scope(
        incident="inc-20261123-7f3k",
        type="database",
        title="Connections time out",
        severity=Severity.P1,
        mode="live",
        declared_at=datetime.now(UTC),
        environment=world.environment,
    )


@pytest.fixture
def observe(clients: AwsClients, scope: Scope) -> Observe:
    return observing(clients, scope)


def observing(clients: AwsClients, scope: Scope) -> Observe:
    def look(name: str, **given: Any) -> Finding:
        probe = PROBES[name](clients)
        return probe.observe(scope, probe.params.model_validate({"database": "primary"} | given), datetime.now(UTC))

    return look


def suspects(observe: Observe) -> list[str]:
    causes = ("pool-exhaustion", "cpu", "lock", "storage", "down")
    return [cause for cause in causes if observe("database.cause", cause=cause).status is FindingStatus.SUSPECT]


def apply(clients: AwsClients, scope: Scope, action: str, params: dict[str, Any]) -> str:
    """Plan, apply and verify a change as the workflow does, letting time pass before each retry."""
    runner, change = ChangeRunner(clients), CHANGES[action](clients)
    plan = runner.plan(change, PlanCall(scope=scope, step="step", generation=1, params=params)).plan
    call = {"scope": scope, "step": "step", "generation": 1, "action_id": "a", "holder": "h", "plan": plan}
    try:
        runner.apply(change, ApplyCall(**call, approvers=("cto", "devops-lead")), datetime.now(UTC))
    except ApplicationError as not_yet:
        if not_yet.type != "NotYet":
            raise
        rollouts_finish()
        runner.apply(change, ApplyCall(**call, approvers=("cto", "devops-lead")), datetime.now(UTC))
    rollouts_finish()
    return runner.verify(change, VerifyCall(**call), datetime.now(UTC)).message


def test_a_full_pool_speaks_for_a_restart_and_against_promotion(
    world: World, clients: AwsClients, scope: Scope, observe: Observe
) -> None:
    """The classification advises against promoting, the promotion's own gate refuses it, and a restart fixes it."""
    assert suspects(observe) == []
    FAULTS["database-pool-exhaustion"](world)
    assert not world.healthy()
    finding = observe("database.classification")
    assert (finding.status, finding.facts["cause"]) == (FindingStatus.SUSPECT, "pool-exhaustion")
    assert finding.facts["suggests"] == "restart-application"
    assert "promote-replica" in finding.facts["advises_against"]
    assert suspects(observe) == ["pool-exhaustion"]
    change = CHANGES["rds.promote_replica"](clients)
    with pytest.raises(RuleError, match=r"connections are used up \(500 of 500\).*Restart the application"):
        change.plan(scope, change.params.model_validate(PROMOTE))
    apply(clients, scope, "app.restart", {"service": "backend", "database": "primary"})
    assert world.healthy()


def test_what_else_a_full_pool_shows(world: World, clients: AwsClients, scope: Scope, observe: Observe) -> None:
    """Connections at the limit, a low CPU load, refused connections in PostgreSQL's log, time-outs in ours."""
    FAULTS["database-pool-exhaustion"](world)
    connections = observe("cloudwatch.database_connections")
    assert (connections.status, connections.facts["maximum"]) == (FindingStatus.SUSPECT, 500)
    assert observe("cloudwatch.database_cpu").status is FindingStatus.OK
    log = observe("rds.postgres_log")
    assert (log.status, log.facts["connections_refused"], log.facts["slow_statements"]) == (
        FindingStatus.SUSPECT,
        160,
        12,
    )
    probe = PROBES["logs.errors"](clients)
    asked = probe.params.model_validate({"service": "backend", "pattern": "PoolTimeout"})
    assert probe.observe(scope, asked, datetime.now(UTC)).facts["count"] == 90


def test_a_failed_primary_is_replaced_by_its_replica(
    world: World, clients: AwsClients, scope: Scope, observe: Observe
) -> None:
    """A down primary suggests promoting; a failover is refused; afterwards the portal answers from the replica."""
    FAULTS["database-instance-down"](world)
    assert not world.healthy()
    assert suspects(observe) == ["down"]
    assert observe("database.cause", cause="down", suggests="promote-replica").status is FindingStatus.SUSPECT
    assert observe("database.cause", cause="down", suggests="failover").status is FindingStatus.OK
    assert observe("rds.events").facts["grave"] == {"failure": 1}
    failover = CHANGES["rds.failover"](clients)
    with pytest.raises(RuleError, match="is failed"):
        failover.plan(scope, failover.params.model_validate({"database": "primary"}))
    assert "is available, a primary, with backups of 14 days" in apply(clients, scope, "rds.promote_replica", PROMOTE)
    assert world.healthy()


def test_an_unreachable_primary_is_failed_over(
    world: World, clients: AwsClients, scope: Scope, observe: Observe
) -> None:
    """Shown as available and with nobody connected, it suggests a failover, after which the portal answers again."""
    FAULTS["database-primary-unreachable"](world)
    assert not world.healthy()
    assert observe("rds.status").status is FindingStatus.OK
    assert suspects(observe) == ["down"]
    assert observe("database.cause", cause="down", suggests="failover").status is FindingStatus.SUSPECT
    assert "is available in" in apply(clients, scope, "rds.failover", {"database": "primary"})
    assert world.healthy()


@pytest.fixture
def clustered(seeded: Callable[[Environment], World]) -> World:
    """The shipped environment, its primary a Multi-AZ DB cluster."""
    environment = shipped()
    primary = environment.databases["primary"].model_copy(update={"identifier": "axis-cluster", "cluster": True})
    return seeded(environment.model_copy(update={"databases": environment.databases | {"primary": primary}}))


def test_a_clusters_writer_that_nobody_reaches_is_failed_over(clustered: World) -> None:
    """Its reader in another zone takes over under the same address: no promotion, no restart, no lost commit."""
    clients, scope = aws_clients(clustered.environment.region), scope_of(clustered)
    look = observing(clients, scope)
    assert look("rds.status").facts["identifier"] == "axis-cluster-instance-1"
    FAULTS["database-primary-unreachable"](clustered)
    assert not clustered.healthy()
    assert suspects(look) == ["down"]
    assert "axis-cluster is available in axis-cluster-instance-2" in apply(
        clients, scope, "rds.failover", {"database": "primary"}
    )
    assert clustered.healthy()
    assert look("rds.events").facts["grave"] == {"failover": 2}
    change = CHANGES["rds.promote_replica"](clients)
    with pytest.raises(RuleError, match="ask for a failover"):
        change.plan(scope, change.params.model_validate(PROMOTE))


def test_nothing_but_all_of_it_brings_the_portal_back(world: World) -> None:
    """A switched address helps only tasks that start afterwards, and only once the replica accepts writes."""
    FAULTS["database-instance-down"](world)
    environment, (primary, replica) = world.environment, [*world.environment.databases.values()]
    address = world.client("rds").describe_db_instances(DBInstanceIdentifier=replica.identifier)["DBInstances"][0][
        "Endpoint"
    ]["Address"]
    backend = environment.services["backend"]
    again = {"cluster": backend.cluster, "service": backend.service, "forceNewDeployment": True}
    world.client("ecs").update_service(**again)
    rollouts_finish()
    assert not world.healthy()
    PACE.rollout = NEVER
    parameter = environment.database_endpoints["primary"].parameter
    world.client("ssm").put_parameter(Name=parameter, Value=address, Overwrite=True)
    assert not world.healthy()
    world.client("ecs").update_service(**again)
    rollouts_finish()
    assert world.healthy()
    assert primary.identifier not in address


def test_a_failed_primary_sends_no_metrics_and_its_replica_falls_behind(world: World, observe: Observe) -> None:
    """As the minutes pass the replica's lag grows, and nothing is connected to the primary."""
    FAULTS["database-instance-down"](world)
    later = datetime.now(UTC) + timedelta(minutes=3)
    background.write_minute(world, later)
    points = world.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/RDS",
        MetricName="DatabaseConnections",
        Dimensions=[{"Name": "DBInstanceIdentifier", "Value": world.environment.databases["primary"].identifier}],
        StartTime=later - timedelta(seconds=1),
        EndTime=later + timedelta(minutes=1),
        Period=60,
        Statistics=["Maximum"],
    )
    assert points["Datapoints"] == []
    lag = world.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/RDS",
        MetricName="ReplicaLag",
        Dimensions=[{"Name": "DBInstanceIdentifier", "Value": world.environment.databases["replica"].identifier}],
        StartTime=later - timedelta(seconds=1),
        EndTime=later + timedelta(minutes=1),
        Period=60,
        Statistics=["Maximum"],
    )
    assert lag["Datapoints"][0]["Maximum"] > 600
    assert observe("rds.status").status is FindingStatus.SUSPECT


@pytest.mark.parametrize("fault", ["database-pool-exhaustion", "database-instance-down"])
def test_where_no_service_uses_a_database_nothing_breaks(seeded: Callable[[Environment], World], fault: str) -> None:
    """A fault is refused, with the reason, if the environment does not say who uses its database."""
    with pytest.raises(FaultError, match="database_endpoints"):
        FAULTS[fault](seeded(other()))

"""The real actions against a sandbox's AWS: they see the fault, and what they apply fixes it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.aws.shared.clients import AwsClients
from activities.catalogue import CHANGES, PROBES
from activities.changes.runner import ChangeRunner
from domain.model.calls import ApplyCall, PlanCall, Scope, VerifyCall
from domain.model.finding import Finding
from domain.values.severity import Severity
from sandbox.faults.inject import FAULTS
from sandbox.runtime.aws_world import World
from tests.aws import aws_clients
from tests.sandbox.worlds import rollouts_finish


@pytest.fixture
def clients(world: World) -> AwsClients:
    return aws_clients(world.environment.region)


@pytest.fixture
def scope(world: World) -> Scope:
    return Scope(
        incident="inc-20261123-7f3k",
        type="system-outage",
        title="Portal down",
        severity=Severity.P0,
        mode="live",
        declared_at=datetime.now(UTC),
        environment=world.environment,
    )


Observe = Callable[[str, dict[str, Any]], Finding]


@pytest.fixture
def observe(clients: AwsClients, scope: Scope) -> Observe:
    def look(name: str, given: dict[str, Any]) -> Finding:
        probe = PROBES[name](clients)
        return probe.observe(scope, probe.params.model_validate(given), datetime.now(UTC))

    return look


def test_probes_see_the_fault(world: World, observe: Observe) -> None:
    """Before the fault every probe is ok; after it the targets, the deployments and the log are suspect."""
    asked: dict[str, dict[str, Any]] = {
        "elbv2.target_health": {"service": "backend"},
        "ecs.services": {"services": ["backend", "frontend"]},
        "ecs.recent_deployments": {"service": "backend"},
        "logs.errors": {"service": "backend"},
        "rds.status": {"database": "primary"},
        "cloudwatch.database_connections": {"database": "primary"},
        "ec2.flow_logs": {"network": "main"},
    }
    assert {name: observe(name, given).status for name, given in asked.items()} == dict.fromkeys(asked, "ok")
    FAULTS["outage-bad-deploy"](world)
    suspects = {name for name, given in asked.items() if observe(name, given).status == "suspect"}
    assert suspects == {"elbv2.target_health", "ecs.recent_deployments", "logs.errors"}


def carry_out(
    clients: AwsClients, scope: Scope, name: str, given: dict[str, Any], meanwhile: Callable[[], None]
) -> None:
    """Plan, apply and verify a change as the workflow does; it does not verify before `meanwhile` has happened."""
    runner, action = ChangeRunner(clients), CHANGES[name](clients)
    plan = runner.plan(action, PlanCall(scope=scope, step="step", generation=1, params=given)).plan
    call = ApplyCall(
        scope=scope, step="step", generation=1, action_id="a-1", holder="h-1", plan=plan, approvers=("cto",)
    )
    assert runner.apply(action, call, datetime.now(UTC)).outcome == "applied"
    verify = VerifyCall(scope=scope, step="step", generation=1, action_id="a-1", holder="h-1", plan=plan)
    if meanwhile is not _nothing:
        with pytest.raises(ApplicationError) as early:
            runner.verify(action, verify, datetime.now(UTC))
        assert early.value.type == "NotYet"
    meanwhile()
    assert runner.verify(action, verify, datetime.now(UTC)).message


def _nothing() -> None:
    """Some changes take effect at once."""


def test_rollback_mends(world: World, clients: AwsClients, scope: Scope) -> None:
    """The rollback goes to the last healthy revision, past one that never ran, and the service is healthy again."""
    FAULTS["outage-bad-deploy"](world)
    carry_out(clients, scope, "ecs.rollback_service", {"service": "backend"}, rollouts_finish)
    assert world.healthy()
    backend = world.environment.services["backend"]
    (service,) = world.client("ecs").describe_services(cluster=backend.cluster, services=[backend.service])["services"]
    assert service["taskDefinition"].endswith(f"{backend.family}:3")


def test_scaling_is_held(world: World, clients: AwsClients, scope: Scope) -> None:
    """Scaling reaches the requested count."""
    carry_out(clients, scope, "ecs.scale_service", {"service": "backend", "count": 5}, rollouts_finish)
    assert world.rollouts(world.environment.services["backend"]).running == 5


def test_maintenance_page_is_shown(world: World, clients: AwsClients, scope: Scope) -> None:
    """Every rule of the environment answers 503; the health check's rule is unchanged."""
    carry_out(clients, scope, "elbv2.maintenance_page", {}, _nothing)
    balancer = world.environment.load_balancers["portal"]
    rules = world.client("elbv2").describe_rules(ListenerArn=balancer.listener_arn)["Rules"]
    shown = {rule["RuleArn"]: rule["Actions"][0]["Type"] for rule in rules}
    assert {shown[arn] for arn in balancer.rule_arns} == {"fixed-response"}
    assert {kind for arn, kind in shown.items() if arn not in balancer.rule_arns} == {"forward"}


def test_targets_that_no_rule_leads_to_are_unused(world: World) -> None:
    """Nothing checks them then, however well their service is."""
    elb, listener = world.client("elbv2"), world.environment.load_balancers["portal"].listener_arn
    group = world.environment.services["backend"].target_group_arn
    answer = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}]

    def seen() -> set[str]:
        found = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {one["TargetHealth"]["State"] for one in found}

    assert seen() == {"healthy"}
    for rule in elb.describe_rules(ListenerArn=listener)["Rules"]:
        if rule["IsDefault"]:
            elb.modify_listener(ListenerArn=listener, DefaultActions=answer)
        else:
            elb.modify_rule(RuleArn=rule["RuleArn"], Actions=answer)
    assert seen() == {"unused"}

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto import mock_aws

from activities.action import NoParams, RuleError
from activities.aws.network.elbv2_maintenance_page import PAGE, PAGE_DIGEST, MaintenancePage, _explicit
from activities.changes.runner import ChangeRunner
from domain.model.calls import ApplyCall, PlanCall
from domain.model.plan import Plan
from tests.activities.change_worlds import ChangeWorld, maintenance
from tests.activities.scopes import NOW, scope

A, B = (f"arn:aws:elasticloadbalancing:ap-southeast-2:123456789012:targetgroup/{name}/1" for name in "ab")


@pytest.fixture(autouse=True)
def _aws() -> Iterator[None]:
    with mock_aws():
        yield


def applied(world: ChangeWorld, generation: int, undo: Plan | None = None) -> Plan:
    runner = ChangeRunner(world.clients)
    plan = runner.plan(
        world.change, PlanCall(scope=world.scope, step="page", generation=generation, params={}, undo=undo)
    ).plan
    call = ApplyCall(
        scope=world.scope,
        step="page",
        generation=generation,
        action_id=str(generation),
        holder="one",
        plan=plan,
        approvers=(),
    )
    assert runner.apply(world.change, call, NOW).outcome == "applied"
    return plan


def test_the_page_fits_and_names_nothing() -> None:
    """A load balancer takes it whole, and it tells no cause, no organisation and no address."""
    assert len(PAGE) <= 1024  # what a fixed response takes (API FixedResponseActionConfig, MessageBody)
    assert "\n" not in PAGE
    for word in ("breach", "attack", "patient", "@", "http://", "https://"):
        assert word not in PAGE.lower()


def test_the_application_answers_503_and_the_health_check_as_before() -> None:
    """Every rule of the application shows the page; the other rules of the listener stay."""
    world = maintenance()
    stood = world.snapshot()
    plan = applied(world, 1)
    stands = world.snapshot()
    ours = [name for name in plan.after if name != "page"]
    assert len(ours) == 2
    for arn in ours:
        assert [one["FixedResponseConfig"]["StatusCode"] for one in stands[arn]] == ["503"]
        assert stands[arn][0]["FixedResponseConfig"]["MessageBody"] == PAGE
    others = stood.keys() - {*ours, "page"}
    assert len(others) == 2
    assert all(stands[arn] == stood[arn] for arn in others)
    assert stands["page"] == PAGE.encode()
    assert plan.after["page"] == PAGE_DIGEST


def weighted(one: str, two: str) -> list[Any]:
    groups = [{"TargetGroupArn": one, "Weight": 80}, {"TargetGroupArn": two, "Weight": 20}]
    stickiness = {"Enabled": True, "DurationSeconds": 600}
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups, "TargetGroupStickinessConfig": stickiness}}]


def doubled(one: str, _: str) -> list[Any]:
    config = {"TargetGroups": [{"TargetGroupArn": one, "Weight": 1}], "TargetGroupStickinessConfig": {"Enabled": False}}
    return [{"Type": "forward", "Order": 1, "TargetGroupArn": one, "ForwardConfig": config}]


def redirect(_: str, __: str) -> list[Any]:
    return [{"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_302"}}]


@pytest.mark.parametrize("actions", [weighted, doubled, redirect])
@pytest.mark.parametrize("page", [None, b"<p>Our own page</p>", PAGE.encode()])
def test_undone_everything_is_exactly_as_it_was(actions: Callable[[str, str], list[Any]], page: bytes | None) -> None:
    """Weights, stickiness, redirects, and a page that somebody had put there before, or had not."""
    world = maintenance(page, actions=actions)
    stood = world.snapshot()
    first = applied(world, 1)
    assert world.snapshot() != stood
    applied(world, 2, undo=first)
    assert world.snapshot() == stood
    assert applied(world, 3).after == first.after


def test_the_same_actions_read_the_same_however_aws_writes_them() -> None:
    """What AWS may leave out or add when asked again is no drift; a weight or an order is."""
    short = [{"Type": "forward", "TargetGroupArn": A}]
    long = doubled(A, B)
    assert _explicit(short) == _explicit(long) == _explicit(_explicit(long))
    only = {"ForwardConfig": {"TargetGroups": [{"TargetGroupArn": A}]}, "Type": "forward", "Order": 50}
    assert _explicit([only]) == _explicit(short)
    assert _explicit(weighted(A, B)) != _explicit(weighted(B, A))
    cognito: dict[str, Any] = {"Type": "authenticate-cognito", "Order": 1}
    forward: dict[str, Any] = {"Type": "forward", "TargetGroupArn": A, "Order": 2}
    assert _explicit([forward, cognito]) == _explicit([cognito, forward])
    assert [one["Order"] for one in _explicit([forward, cognito])] == [1, 2]


def refusing(world: ChangeWorld, **changes: Any) -> str:
    where = scope(environment=world.scope.environment.model_copy(update=changes))
    with pytest.raises(RuleError) as refused:
        MaintenancePage(world.clients).plan(where, NoParams())
    assert world.clients.writes == []
    return str(refused.value)


def test_what_could_not_be_restored_is_refused() -> None:
    """AWS gives no OpenID Connect secret back: a rule that holds one is left alone."""
    config = {"Issuer": "https://id.example", "ClientId": "c", "ClientSecret": "s"}
    urls = {name: f"https://id.example/{name}" for name in ("AuthorizationEndpoint", "TokenEndpoint")}
    urls["UserInfoEndpoint"] = "https://id.example/user"
    world = maintenance(
        actions=lambda one, _: [
            {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": config | urls},
            {"Type": "forward", "Order": 2, "TargetGroupArn": one},
        ]
    )
    assert "client secret" in refusing(world)


def test_an_environment_without_a_page_or_rules_is_refused() -> None:
    """The refusal says what to fill in."""
    world = maintenance()
    bare = world.scope.environment.load_balancers["portal"].model_copy(update={"rule_arns": ()})
    assert "rule_arns" in refusing(world, load_balancers={"portal": bare})
    assert "maintenance" in refusing(world, maintenance=None)


def test_a_default_rule_is_refused() -> None:
    """A listener's default rule is no rule of the application's own."""
    world = maintenance()
    listener = world.scope.environment.load_balancers["portal"].listener_arn
    rules = world.clients.inner.client("elbv2").describe_rules(ListenerArn=listener)["Rules"]
    default = tuple(rule["RuleArn"] for rule in rules if rule["IsDefault"])
    balancer = world.scope.environment.load_balancers["portal"].model_copy(update={"rule_arns": default})
    assert "default rule" in refusing(world, load_balancers={"portal": balancer})


def test_a_rule_that_shows_the_page_already_is_left_alone() -> None:
    """Only what differs is written, so that the record of writes is the record of changes."""
    world = maintenance()
    shown, hidden = world.scope.environment.load_balancers["portal"].rule_arns
    after = world.change.plan(world.scope, NoParams()).after[shown]
    world.clients.inner.client("elbv2").modify_rule(RuleArn=shown, Actions=after)
    plan = applied(world, 1)
    assert plan.before[shown] == plan.after[shown]
    assert plan.before[hidden] != plan.after[hidden]
    assert world.clients.writes == ["s3.put_object", "elbv2.modify_rule"]

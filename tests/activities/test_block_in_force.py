"""An address is called blocked only where the web ACL's rules block all that comes from it, whatever it asks for."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto import mock_aws

from activities.action import RuleError
from activities.aws.network.wafv2_block_addresses import BlockAddresses, BlockParams
from domain.model.plan import Plan
from sandbox.aws.waf_requests import WebRequest, answer
from tests.activities.breach_worlds import ATTACKER_V4, BALANCER, SET_V4, Waf, block, where
from tests.activities.change_worlds import ChangeWorld
from tests.activities.scopes import scope
from tests.activities.variant_worlds import at_cloudfront
from tests.activities.world import WIRE

ATTACKER = ATTACKER_V4.partition("/")[0]
REQUESTS = [
    WebRequest(ATTACKER, country, headers)
    for country in ("US", "AU")
    for headers in ({}, {"x-forwarded-for": "192.0.2.1"})
]
_VISIBLE = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "m"}
GEO = {"GeoMatchStatement": {"CountryCodes": ["AU"]}}


@pytest.fixture(autouse=True)
def _aws() -> Iterator[None]:
    with mock_aws():
        yield


def rule(priority: int, statement: dict[str, Any], action: str | None = "Block", **more: Any) -> dict[str, Any]:
    decides: dict[str, Any] = {"Action": {action: {}}} if action else {"OverrideAction": {"None": {}}}
    return {
        "Name": f"rule-{priority}",
        "Priority": priority,
        "Statement": statement,
        "VisibilityConfig": _VISIBLE,
        **decides,
        **more,
    }


def ours(waf: Waf, **more: Any) -> dict[str, Any]:
    return {"IPSetReferenceStatement": {"ARN": waf.sets[SET_V4]["ARN"], **more}}


def another_set(waf: Waf, *addresses: str) -> dict[str, Any]:
    made = waf.client.create_ip_set(Name="other", Scope="REGIONAL", IPAddressVersion="IPV4", Addresses=list(addresses))
    return {"IPSetReferenceStatement": {"ARN": made["Summary"]["ARN"]}}


def group(waf: Waf, *rules: dict[str, Any], **overrides: Any) -> dict[str, Any]:
    made = waf.client.create_rule_group(
        Name="group", Scope="REGIONAL", Capacity=10, Rules=list(rules), VisibilityConfig=_VISIBLE
    )
    return {"RuleGroupReferenceStatement": {"ARN": made["Summary"]["ARN"], **overrides}}


def counting(name: str) -> dict[str, Any]:
    return {"RuleActionOverrides": [{"Name": name, "ActionToUse": {"Count": {}}}]}


FORWARDED = {"HeaderName": "X-Forwarded-For", "FallbackBehavior": "NO_MATCH", "Position": "FIRST"}
MANAGED = {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet"}}
Rules = Callable[[Waf], list[dict[str, Any]]]

BLOCKED: dict[str, Rules] = {
    "alone": lambda waf: [rule(5, ours(waf))],
    "an allow after it": lambda waf: [rule(10, GEO, "Allow"), rule(5, ours(waf))],
    "a set of others allowed before": lambda waf: [
        rule(0, another_set(waf, "192.0.2.0/24"), "Allow"),
        rule(5, ours(waf)),
    ],
    "others allowed from one country": lambda waf: [
        rule(0, {"AndStatement": {"Statements": [GEO, another_set(waf, "192.0.2.0/24")]}}, "Allow"),
        rule(5, ours(waf)),
    ],
    "one of several": lambda waf: [rule(5, {"OrStatement": {"Statements": [GEO, ours(waf)]}})],
    "in a group": lambda waf: [rule(5, group(waf, rule(0, ours(waf))), None)],
    "behind AWS's own group": lambda waf: [rule(0, MANAGED, None), rule(5, ours(waf))],
    "a country allowed but for the set": lambda waf: [
        rule(0, {"AndStatement": {"Statements": [GEO, {"NotStatement": {"Statement": ours(waf)}}]}}, "Allow"),
        rule(5, ours(waf)),
    ],
    "counted before": lambda waf: [rule(0, GEO, "Count"), rule(5, ours(waf))],
}
NOT_TOLD: dict[str, Rules] = {
    "a country allowed first": lambda waf: [rule(0, GEO, "Allow"), rule(10, ours(waf))],
    "listed first, evaluated last": lambda waf: [rule(10, ours(waf)), rule(0, GEO, "Allow")],
    "allowed in a group first": lambda waf: [rule(0, group(waf, rule(0, GEO, "Allow")), None), rule(10, ours(waf))],
    "overridden to allow": lambda waf: [
        rule(
            0,
            group(
                waf,
                rule(0, GEO, "Count"),
                RuleActionOverrides=[{"Name": "rule-0", "ActionToUse": {"Allow": {}}}],
            ),
            None,
        ),
        rule(10, ours(waf)),
    ],
    "the set allowed from one country": lambda waf: [
        rule(0, {"AndStatement": {"Statements": [GEO, ours(waf)]}}, "Allow"),
        rule(5, ours(waf)),
    ],
    "all but a country allowed": lambda waf: [
        rule(0, {"NotStatement": {"Statement": GEO}}, "Allow"),
        rule(5, ours(waf)),
    ],
}
VOID: dict[str, Rules] = {
    "the set counted": lambda waf: [rule(5, ours(waf), "Count")],
    "the set allowed": lambda waf: [rule(0, ours(waf), "Allow"), rule(5, ours(waf))],
    "the attacker allowed first": lambda waf: [
        rule(0, another_set(waf, "198.51.100.0/24"), "Allow"),
        rule(5, ours(waf)),
    ],
    "overridden to count": lambda waf: [rule(5, group(waf, rule(0, ours(waf)), **counting("rule-0")), None)],
    "excluded": lambda waf: [rule(5, group(waf, rule(0, ours(waf)), ExcludedRules=[{"Name": "rule-0"}]), None)],
    "a group that counts": lambda waf: [rule(5, group(waf, rule(0, ours(waf))), None, OverrideAction={"Count": {}})],
    "compared with a header": lambda waf: [rule(5, ours(waf, IPSetForwardedIPConfig=FORWARDED))],
    "from one country alone": lambda waf: [rule(5, {"AndStatement": {"Statements": [GEO, ours(waf)]}})],
    "nowhere": lambda _: [rule(5, GEO)],
}


def planned(rules: Rules) -> tuple[ChangeWorld, Waf, Callable[[], Plan]]:
    world = block(ATTACKER_V4)
    waf = Waf.__new__(Waf)
    waf.client = world.clients.inner.client("wafv2")
    waf.sets = {one["Name"]: one for one in waf.client.list_ip_sets(Scope="REGIONAL")["IPSets"]}
    waf.acl = waf.client.list_web_acls(Scope="REGIONAL")["WebACLs"][0]
    waf.write(Rules=rules(waf))
    return world, waf, lambda: BlockAddresses(world.clients).plan(world.scope, BlockParams.model_validate(world.params))


def answers(waf: Waf) -> set[str]:
    """What AWS WAF does with each of the attacker's requests, once the set holds the address."""
    waf.put(SET_V4, [ATTACKER_V4])
    return {answer(waf.client, waf.read()["WebACL"], one) for one in REQUESTS}


@pytest.mark.parametrize("rules", BLOCKED.values(), ids=BLOCKED)
def test_what_is_told_as_blocked_is_blocked(rules: Rules) -> None:
    """Every request from there, and the plan and the verification say so without reserve."""
    world, waf, plan = planned(rules)
    made = plan()
    assert made.after["in_force"] is True
    world.change.act(world.scope, made)
    assert world.change.verify(world.scope, made).message.endswith("what is in it is blocked")
    assert answers(waf) == {"Block"}


@pytest.mark.parametrize("rules", NOT_TOLD.values(), ids=NOT_TOLD)
def test_where_a_rule_may_come_first_it_is_not_told_as_blocked(rules: Rules) -> None:
    """Some requests pass: who approves reads which rule lets them, and who reads the outcome again."""
    world, waf, plan = planned(rules)
    made = plan()
    assert "That is not certain: unless rule-0" in made.impact
    world.change.act(world.scope, made)
    seen = world.change.verify(world.scope, made)
    assert seen.done
    assert "cannot be told: they are, unless rule-0" in seen.message
    assert answers(waf) == {"Allow", "Block"}


@pytest.mark.parametrize("rules", VOID.values(), ids=VOID)
def test_a_block_that_would_be_void_is_refused(rules: Rules) -> None:
    """Some request passes that no rule decides otherwise: the plan says which rule makes the block void."""
    world, waf, plan = planned(rules)
    with pytest.raises(RuleError, match="would block nothing"):
        plan()
    assert world.clients.writes == []
    assert "Allow" in answers(waf)


def test_rules_that_change_after_the_plan_are_told() -> None:
    """Somebody lets a country through between plan and verification: that is not what was approved."""
    world, waf, plan = planned(BLOCKED["alone"])
    made = plan()
    world.change.act(world.scope, made)
    waf.write(Rules=NOT_TOLD["a country allowed first"](waf))
    seen = world.change.verify(world.scope, made)
    assert (seen.done, seen.failed) == (False, True)
    assert "unless rule-0" in seen.message


ADMIN = BALANCER.replace("axis-alb", "axis-admin")


def named(**balancers: str) -> Any:
    """An environment with these load balancers."""
    portal = where().load_balancers["portal"]
    given = {name: portal.model_copy(update={"arn": arn}) for name, arn in balancers.items()}
    return where(load_balancers=given, **({} if given else {"maintenance": None}))


@pytest.mark.parametrize(
    ("balancers", "told"),
    [
        ({"portal": BALANCER}, None),
        ({"portal": BALANCER, "admin": ADMIN}, "but not at admin, which it does not protect"),
        ({}, "if it protects what is ours: the environment names no load balancer"),
    ],
)
def test_each_load_balancer_must_be_behind_the_web_acl(balancers: dict[str, str], told: str | None) -> None:
    """One of two is half a block, and where none is named nothing was read."""
    world = block(ATTACKER_V4)
    world.scope = scope(environment=named(**balancers))
    plan = world.change.plan(world.scope, BlockParams.model_validate(world.params))
    assert plan.after["in_force"] == (told or True)
    assert (f"That is not certain: {told}" in plan.impact) == bool(told)
    world.change.act(world.scope, plan)
    seen = world.change.verify(world.scope, plan)
    assert seen.done
    assert ("cannot be told" in seen.message) == bool(told)


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        ("GetWebACLForResource", "if it protects what is ours: that may not be read"),
        ("GetRuleGroup", "if its rules say so: they may not all be read"),
    ],
)
def test_a_look_that_is_denied_ends_no_plan(operation: str, told: str) -> None:
    """The block is needed now; that its effect cannot be told is said to who approves it."""
    world, _, plan = planned(BLOCKED["in a group"])
    with WIRE.listening(lambda sent: "AccessDeniedException" if sent.operation == operation else None):
        made = plan()
        assert f"That is not certain: {told}." in made.impact
        world.change.act(world.scope, made)
        assert world.change.verify(world.scope, made).done


@pytest.mark.parametrize("distributions", [1, 0])
def test_a_web_acl_of_cloudfront_is_in_the_home_region(distributions: int) -> None:
    """Web ACL and sets are looked for where CloudFront keeps them; one without a distribution protects nothing."""
    world = at_cloudfront(distributions)
    params = BlockParams.model_validate(world.params)
    if not distributions:
        with pytest.raises(RuleError, match="protects no distribution"):
            world.change.plan(world.scope, params)
        return
    plan = world.change.plan(world.scope, params)
    world.change.act(world.scope, plan)
    assert world.snapshot() == [ATTACKER_V4]
    assert world.change.verify(world.scope, plan).done

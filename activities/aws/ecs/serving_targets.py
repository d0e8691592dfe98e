"""The target groups through which a service gets its traffic at this moment."""

from typing import Any

from activities.action import Clients


def serving_groups(clients: Clients, service: dict[str, Any]) -> list[str]:
    """The ARNs of the target groups that get a service's traffic; empty where no load balancer is before it.

    Under ECS's own blue/green deployments a service has two, and the production rule says which one has the traffic
    (`elasticloadbalancing:DescribeRules`; for a Network Load Balancer it is a listener, `DescribeListeners`). Under
    CodeDeploy's, the task set that is primary "is serving production traffic" (ECS API, TaskSet).
    """
    found: list[str] = []
    primary = next((one for one in service.get("taskSets", []) if one["status"] == "PRIMARY"), service)
    for balancer in primary.get("loadBalancers", []):
        one, advanced = balancer.get("targetGroupArn"), balancer.get("advancedConfiguration", {})
        both = {one, advanced.get("alternateTargetGroupArn")}
        rule = advanced.get("productionListenerRule")
        routed = [group for group in _routed(clients, rule) if group in both] if rule else []
        found += routed or ([one] if one else [])
    return list(dict.fromkeys(found))


def states(clients: Clients, group: str) -> list[str]:
    """The health of each target of a group (`elasticloadbalancing:DescribeTargetHealth`)."""
    answer = clients.client("elbv2").describe_target_health(TargetGroupArn=group)
    return [one["TargetHealth"]["State"] for one in answer["TargetHealthDescriptions"]]


def _routed(clients: Clients, rule: str) -> list[str]:
    """The groups that a rule, or a listener by default, forwards any of its traffic to."""
    elbv2 = clients.client("elbv2")
    if ":listener-rule/" in rule:
        actions = elbv2.describe_rules(RuleArns=[rule])["Rules"][0]["Actions"]
    else:
        actions = elbv2.describe_listeners(ListenerArns=[rule])["Listeners"][0]["DefaultActions"]
    forwards = [action for action in actions if action["Type"] == "forward"]
    weighted = [group for one in forwards for group in one.get("ForwardConfig", {}).get("TargetGroups", [])]
    plain = [one["TargetGroupArn"] for one in forwards if "TargetGroupArn" in one]
    return [group["TargetGroupArn"] for group in weighted if group.get("Weight", 1)] or plain

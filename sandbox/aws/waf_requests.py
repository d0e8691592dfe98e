"""What AWS WAF does with a request: the rule that ends its evaluation decides. moto evaluates none."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

_ENDING = ("Allow", "Block")
"""Actions that end the evaluation; counting goes on (AWS WAF guide, "Using rule actions in AWS WAF")."""


@dataclass(frozen=True)
class WebRequest:
    """Where it comes from; `headers` by name in lower case."""

    address: str
    country: str = "US"
    headers: Mapping[str, str] = field(default_factory=dict)


def answer(wafv2: Any, acl: dict[str, Any], request: WebRequest) -> str:
    """`Allow` or `Block`: of the rule that ends it first, by priority, or else the web ACL's default.

    Rules are evaluated from the lowest priority number on, in whatever order they are listed (AWS WAF guide, "Setting
    rule priority in a web ACL").
    """
    for statement, action in _rules(wafv2, acl["Rules"]):
        if action in _ENDING and _matches(wafv2, statement, request):
            return action
    return str(next(iter(acl["DefaultAction"])))


def _rules(wafv2: Any, rules: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], str]]:
    for rule in sorted(rules, key=lambda one: int(one["Priority"])):
        group = rule["Statement"].get("RuleGroupReferenceStatement")
        if group is None:
            yield rule["Statement"], next(iter(rule.get("Action", {"Count": {}})))
        elif "Count" not in rule.get("OverrideAction", {}):  # the group's result is counted (API OverrideAction)
            yield from _overridden(wafv2, group)


def _overridden(wafv2: Any, group: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """A group's rules; an override replaces a rule's action, an excluded rule counts (API RuleActionOverride)."""
    instead = {one["Name"]: "Count" for one in group.get("ExcludedRules") or []}
    instead |= {one["Name"]: next(iter(one["ActionToUse"])) for one in group.get("RuleActionOverrides") or []}
    found = wafv2.get_rule_group(ARN=group["ARN"])["RuleGroup"]["Rules"]
    for rule in sorted(found, key=lambda one: int(one["Priority"])):
        yield rule["Statement"], instead.get(rule["Name"], next(iter(rule["Action"])))


def _matches(wafv2: Any, statement: dict[str, Any], request: WebRequest) -> bool:
    ((kind, content),) = statement.items()
    match kind:
        case "IPSetReferenceStatement":
            return _held(wafv2, content, request)
        case "GeoMatchStatement":
            return request.country in content["CountryCodes"]
        case "AndStatement":
            return all(_matches(wafv2, one, request) for one in content["Statements"])
        case "OrStatement":
            return any(_matches(wafv2, one, request) for one in content["Statements"])
        case "NotStatement":
            return not _matches(wafv2, content["Statement"], request)
        case _:
            return False  # a managed group that finds nothing


def _held(wafv2: Any, content: dict[str, Any], request: WebRequest) -> bool:
    """Whether the set holds where it comes from; by a header, where the rule says so (API IPSetForwardedIPConfig).

    Where the request has no such header the rule is not applied to it at all.
    """
    forwarded = content.get("IPSetForwardedIPConfig")
    address = request.headers.get(forwarded["HeaderName"].lower()) if forwarded else request.address
    if address is None:
        return False
    *_, name, number = content["ARN"].split("/")
    found = wafv2.get_ip_set(Name=name, Scope="REGIONAL", Id=number)["IPSet"]["Addresses"]
    return any(ip_address(address) in ip_network(one) for one in found)

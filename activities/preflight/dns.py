"""Whether the DNS firewall that an isolation puts before a network is there, is ours and refuses every name."""

from collections.abc import Iterable
from typing import Any

from activities.action import iam
from activities.aws.shared.pages import Pages
from activities.preflight.check import Check, Room, Verdict, first_wrong, named, unknown, wrong
from activities.preflight.places import each

_GOING, _UNDER_WAY = "DELETING", "UPDATING"


def firewall(room: Room, group: str) -> Verdict:
    """A rule group blocks `*`, and lets no name through before (`route53resolver:GetFirewallRuleGroup`, …).

    The rule of the lowest priority that fits decides (Route 53 Resolver API FirewallRule). What another account shares
    is unknown: its lists are not shown to us, and it may change them.
    """
    resolver = room.client("route53resolver")
    found = resolver.get_firewall_rule_group(FirewallRuleGroupId=group)["FirewallRuleGroup"]
    if found.get("ShareStatus") == "SHARED_WITH_ME":
        return unknown(f"account {found.get('OwnerId')} shares it and may change it; make one here, or ask there")
    if found["Status"] == _GOING:
        return wrong("it is being deleted; make another")
    if found["Status"] == _UNDER_WAY:
        return unknown("it is being changed, and what it blocks is not in force yet; run preflight again")
    listed = list(Pages(resolver.list_firewall_rules, FirewallRuleGroupId=group).items("FirewallRules"))
    passing: list[str] = []
    for rule in sorted(listed, key=lambda one: int(one["Priority"])):
        if rule["Action"] != "BLOCK":
            passing.append(str(rule["Name"]))
        elif _is_whole(rule) and "*" in _domains(resolver, rule["FirewallDomainListId"]):
            let = f"{', '.join(passing)} let names through first; give a later priority to those"
            return first_wrong("it blocks every name", let if passing else None)
    return wrong("no rule of it blocks every name; add one that blocks a list with the domain *")


def _is_whole(rule: dict[str, Any]) -> bool:
    """Whether a rule blocks its whole list, for queries of any type."""
    standing = rule.get("Status", "COMPLETE") == "COMPLETE"
    return standing and "FirewallDomainListId" in rule and not rule.get("Qtype")


def _domains(resolver: Any, names: str) -> Iterable[str]:
    pages = Pages(resolver.list_firewall_domains, FirewallDomainListId=names)
    return (str(one).rstrip(".") for one in pages.items("Domains"))


CHECKS: tuple[Check[Any], ...] = (
    named(
        "DNS firewall",
        each(lambda e: {f"networks.{name}.dns_firewall": one.dns_firewall for name, one in e.networks.items()}),
        firewall,
        iam("route53resolver:GetFirewallRuleGroup ListFirewallDomains ListFirewallRules"),
    ),
)

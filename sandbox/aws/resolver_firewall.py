"""Amazon Route 53 Resolver's DNS Firewall, which moto lacks: rule groups associated with VPCs.

A query is refused only by the firewall: network ACLs and security groups do not see what goes to the Resolver (VPC
guide, "Control subnet traffic with network access control lists"). An association filters queries once it is
COMPLETE: it is UPDATING before, and DELETING while it goes (API FirewallRuleGroupAssociation, Status).
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.moto_api._internal import mock_random
from moto.route53resolver.models import Route53ResolverBackend
from moto.route53resolver.responses import Route53ResolverResponse

from sandbox.aws.moto_patch import patch
from sandbox.aws.rollout import PACE, moment

_MOST_GROUPS = 5
"""As many rule groups as a VPC may have (Route 53 quotas, "DNS Firewall rule group associations per VPC")."""


def install() -> None:
    """Patch moto with these operations."""
    patch(
        Route53ResolverResponse,
        associate_firewall_rule_group=associate,
        disassociate_firewall_rule_group=disassociate,
        get_firewall_rule_group=rule_group,
        list_firewall_domains=domains,
        list_firewall_rule_group_associations=listed,
        list_firewall_rules=rules,
        update_firewall_rule_group_association=update,
    )


@dataclass
class Rule:
    """A rule, and the domains of its list."""

    action: str = "BLOCK"
    domains: tuple[str, ...] = ("*",)
    more: dict[str, Any] = field(default_factory=dict)


@dataclass
class Group:
    """A rule group; its rules by priority."""

    rules: list[Rule] = field(default_factory=lambda: [Rule()])
    shared: str = "NOT_SHARED"
    status: str = "COMPLETE"


def rule_groups(backend: Route53ResolverBackend) -> dict[str, Group]:
    """The rule groups that the account has, by id."""
    found: dict[str, Group] = vars(backend).setdefault("firewall_rule_groups", {})
    return found


def rule_group(response: Route53ResolverResponse) -> str:
    """One rule group (API GetFirewallRuleGroup)."""
    name, found = _asked_for(response)
    shown = {"Id": name, "Status": found.status, "ShareStatus": found.shared, "RuleCount": len(found.rules)}
    return json.dumps({"FirewallRuleGroup": shown})


def rules(response: Route53ResolverResponse) -> str:
    """The rules of a group (API ListFirewallRules)."""
    name, found = _asked_for(response)
    shown = [
        {
            "FirewallRuleGroupId": name,
            "Name": f"rule-{number}",
            "Priority": number,
            "Action": rule.action,
            "FirewallDomainListId": f"{name}/{number}",
            **rule.more,
        }
        for number, rule in enumerate(found.rules)
    ]
    return json.dumps({"FirewallRules": shown})


def domains(response: Route53ResolverResponse) -> str:
    """The domains of a rule's list (API ListFirewallDomains), each with the dot that ends a whole name."""
    group, _, number = str(response._get_param("FirewallDomainListId")).rpartition("/")
    found = rule_groups(response.route53resolver_backend)[group].rules[int(number)]
    return json.dumps({"Domains": [f"{one}." for one in found.domains]})


def _asked_for(response: Route53ResolverResponse) -> tuple[str, Group]:
    name = str(response._get_param("FirewallRuleGroupId"))
    if name not in (known := rule_groups(response.route53resolver_backend)):
        raise JsonRESTError("ResourceNotFoundException", "There is no such rule group")
    return name, known[name]


@dataclass
class Association:
    """A rule group's association with a VPC, as AWS shows it but for its status, and since when it comes or goes."""

    shown: dict[str, Any]
    since: datetime = field(default_factory=moment)
    going: bool = False

    @property
    def is_done(self) -> bool:
        return moment() >= self.since + PACE.rollout

    def described(self) -> dict[str, Any]:
        return {**self.shown, "Status": "DELETING" if self.going else "COMPLETE" if self.is_done else "UPDATING"}


def _associations(backend: Route53ResolverBackend) -> dict[str, Association]:
    found: dict[str, Association] = vars(backend).setdefault("firewall_associations", {})
    for name in [name for name, one in found.items() if one.going and one.is_done]:
        del found[name]
    return found


def associate(response: Route53ResolverResponse) -> str:
    """Associate a group with a VPC, once; a priority is taken once too (API AssociateFirewallRuleGroup)."""
    known = _associations(response.route53resolver_backend)
    asked = {name: response._get_param(name) for name in ("FirewallRuleGroupId", "VpcId", "Priority", "Name")}
    there = [one.shown for one in known.values() if one.shown["VpcId"] == asked["VpcId"]]
    if any(one["FirewallRuleGroupId"] == asked["FirewallRuleGroupId"] for one in there):
        raise JsonRESTError("ConflictException", "The rule group is associated with the VPC already")
    if any(one["Priority"] == asked["Priority"] for one in there):
        raise JsonRESTError("ValidationException", "The priority is taken by another rule group of the VPC")
    if len(there) == _MOST_GROUPS:
        raise JsonRESTError("LimitExceededException", "The VPC has as many rule groups as it may")
    made = Association({"Id": f"rslvr-frgassoc-{mock_random.get_random_hex(16)}", **asked})
    known[made.shown["Id"]] = made
    return json.dumps({"FirewallRuleGroupAssociation": made.described()})


def disassociate(response: Route53ResolverResponse) -> str:
    """Remove an association, by its own id (API DisassociateFirewallRuleGroup)."""
    known = _associations(response.route53resolver_backend)
    gone = known.get(response._get_param("FirewallRuleGroupAssociationId"))
    if gone is None:
        raise JsonRESTError("ResourceNotFoundException", "There is no such association")
    gone.since, gone.going = moment(), True
    return json.dumps({"FirewallRuleGroupAssociation": gone.described()})


def update(response: Route53ResolverResponse) -> str:
    """Protect an association from being removed, or lift that (API UpdateFirewallRuleGroupAssociation)."""
    known = _associations(response.route53resolver_backend)
    found = known[response._get_param("FirewallRuleGroupAssociationId")]
    found.shown["MutationProtection"] = response._get_param("MutationProtection")
    return json.dumps({"FirewallRuleGroupAssociation": found.described()})


def listed(response: Route53ResolverResponse) -> str:
    """List associations, of one VPC or one group where asked for."""
    wanted = {name: response._get_param(name) for name in ("VpcId", "FirewallRuleGroupId")}
    shown = [one.described() for one in _associations(response.route53resolver_backend).values()]
    found = [one for one in shown if all(value in (None, one[name]) for name, value in wanted.items())]
    return json.dumps({"FirewallRuleGroupAssociations": found})

"""Take single permissions away from a security group, and deny single addresses at a network ACL."""

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator

from activities.action import NetworkAclName, Params, RuleError, SecurityGroupName, iam
from activities.aws.network.ingress_rules import IngressRule, matching, refuse_no_room
from activities.aws.network.isolation_barriers import AclEntry, room
from activities.aws.shared.addresses import Addresses, listed, normalised, own_addresses, refuse_unblockable
from activities.aws.shared.pieces import CompositeChange, Piece
from activities.aws.shared.protection import refuse_protected
from domain.config.approval import ApprovalClass
from domain.config.environment import Environment
from domain.model.calls import Scope
from domain.model.plan import Plan, State

_NUMBERS = range(10, 90)
"""Entries of a network ACL that deny single addresses for an incident; isolation's own come before them."""
_MOST = 20
_FAMILIES = {4: "CidrBlock", 6: "Ipv6CidrBlock"}


class RestrictParams(Params):
    """What to take away: rules of `security_group`, by `rules` (ids `sgr-…`) or by what they let in.

    `cidr` is a source as the rule names it; a rule that spans `port` is revoked whole. `addresses` are denied at
    `network_acl`, the only one that can: a security group allows and never denies.
    """

    security_group: SecurityGroupName | None = None
    rules: Annotated[tuple[str, ...], BeforeValidator(listed)] = Field(default=(), max_length=_MOST)
    cidr: str | None = None
    port: int | None = Field(default=None, ge=0, le=65535)
    network_acl: NetworkAclName | None = None
    addresses: Addresses = Field(default=(), max_length=_MOST)

    @field_validator("cidr")
    @classmethod
    def _network(cls, value: str | None) -> str | None:
        return normalised((value,))[0] if value else None


class RestrictNetwork(CompositeChange[RestrictParams]):
    """Revokes named ingress rules, and adds entries that deny addresses under numbers 10 to 89 that are free.

    The state has one field a rule, `<group> <protocol> <ports> <source>`, with its description and tags or null, and
    one an entry, `<acl> ingress <number>`. Other rules and entries are no part of it. An undo writes the rules anew,
    under other ids. Security groups let connections that exist live on; a network ACL cuts them.
    """

    name = "ec2.restrict_network"
    permissions = iam(
        "ec2:AuthorizeSecurityGroupIngress CreateNetworkAclEntry CreateTags DeleteNetworkAclEntry",
        "ec2:DescribeAddresses DescribeNetworkAcls DescribeSecurityGroupRules DescribeSecurityGroups",
        "ec2:RevokeSecurityGroupIngress",
        "servicequotas:GetServiceQuota",
    )
    classes = (ApprovalClass.A2,)

    def plan(self, scope: Scope, params: RestrictParams) -> Plan:
        """Find the rules and free numbers; raises `RuleError` for what is ours, and where nothing is named."""
        environment = scope.environment
        group = environment.security_groups[params.security_group] if params.security_group else None
        acl = environment.network_acls[params.network_acl] if params.network_acl else None
        rules, denied = self._rules(environment, params, group), self._entries(scope, params, acl)
        before: State = rules | {name: standing for name, (standing, _) in denied.items()}
        after: State = dict.fromkeys(rules) | {name: entry for name, (_, entry) in denied.items()}
        if not before:
            raise RuleError("name rules, cidr or port of a security group, or addresses for a network ACL")
        touched = ([f"security-group/{group}"] if rules else []) + ([f"network-acl/{acl}"] if denied else [])
        arns = [environment.arn("ec2", name) for name in touched]
        return self.proposed(
            target=arns[0],
            summary=f"Revoke {len(rules)} ingress rules, deny {len(denied)} addresses",
            before=before,
            after=after,
            impact=_impact(params, list(rules)),
            locks=arns,
            context={"group": group, "acl": acl},
        )

    def refuse_undo(self, scope: Scope, plan: Plan) -> None:
        """Others may have filled the security group meanwhile, or removed it."""
        rules = [plan.after[name]["permission"] for name in plan.changing if not self._is_entry(name, plan.context)]
        if rules:
            refuse_no_room(self.clients, plan.context["group"], rules)

    def pieces(self, scope: Scope, wanted: State, context: State) -> Iterator[tuple[str, Piece]]:
        """Each rule and entry (`ec2:DescribeSecurityGroupRules`, `ec2:DescribeNetworkAcls`)."""
        for name in sorted(wanted):
            if self._is_entry(name, context):
                yield name, AclEntry(self.clients, name)
            else:
                yield name, IngressRule(self.clients, context["group"], name)

    @staticmethod
    def _is_entry(name: str, context: State) -> bool:
        return bool(context["acl"]) and name.startswith(f"{context['acl']} ")

    def _rules(self, environment: Environment, params: RestrictParams, group: str | None) -> State:
        if not (params.rules or params.cidr or params.port is not None):
            return {}
        if group is None:
            raise RuleError("rules, cidr and port belong to a security group: name security_group too")
        refuse_protected(environment, (group,))
        found = matching(self.clients.client("ec2"), group, params.rules, params.cidr, params.port)
        if missing := set(params.rules) - {one["SecurityGroupRuleId"] for one in found.values()}:
            raise RuleError(f"{group} has no such ingress rule: {', '.join(sorted(missing))}")
        if not found:
            raise RuleError(f"no ingress rule of {group} lets in what is named: look at its rules")
        if len(found) > _MOST:
            raise RuleError(f"{len(found)} rules of {group} match, {_MOST} at most at once: name them by rules")
        return {name: IngressRule.value(rule) for name, rule in found.items()}

    def _entries(self, scope: Scope, params: RestrictParams, acl: str | None) -> dict[str, tuple[Any, Any]]:
        """Each entry as it stands and as it shall; an address that is denied in our numbers already keeps its own."""
        if not params.addresses:
            return {}
        if acl is None:
            raise RuleError("addresses are denied at a network ACL: name network_acl too")
        refuse_protected(scope.environment, (acl,))
        ec2 = self.clients.client("ec2")
        refuse_unblockable(params.addresses, scope.environment.shielded.addresses, own_addresses(self.clients))
        described = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]
        standing = {one["RuleNumber"]: one for one in described["Entries"] if not one["Egress"]}
        free = [number for number in _NUMBERS if number not in standing]
        found: dict[str, tuple[Any, Any]] = {}
        for address in params.addresses:
            entry = {"Protocol": "-1", "RuleAction": "deny", _FAMILIES[ip_network(address).version]: address}
            known = [number for number in _NUMBERS if number in standing and entry.items() <= standing[number].items()]
            if not known and not free:
                raise RuleError(f"{acl} has no free entry from {_NUMBERS[0]} to {_NUMBERS[-1]}: remove some first")
            found[f"{acl} ingress {known[0] if known else free.pop(0)}"] = (entry if known else None, entry)
        for version, family in _FAMILIES.items():
            needed = sum(before is None and family in entry for before, entry in found.values())
            count, most = room(self.clients, described, family, egress=False)
            if needed and most is not None and needed > most - count:
                raise RuleError(
                    f"{acl} has {count} of {most} ingress entries of IPv{version}, {needed} more are needed: "
                    "remove some first"
                )
        return found


def _impact(params: RestrictParams, revoked: list[str]) -> str:
    rules = (
        f"Whatever relies on these ingress rules is cut off from new connections, every task of the group alike: "
        f"{'; '.join(revoked)}. Connections that exist live on. An undo writes the rules anew, under other ids. "
        if revoked
        else ""
    )
    entries = (
        f"Packets from {len(params.addresses)} addresses are dropped in every subnet of the network ACL, existing "
        "connections included. Behind a load balancer clients do not show there: block them at the web ACL too."
        if params.addresses
        else ""
    )
    return (rules + entries).strip()

"""Take single permissions away from a security group, and deny single addresses at a network ACL."""

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator

from activities.action import ChangeAction, NetworkAclName, Params, RuleError, SecurityGroupName, iam
from activities.aws.network.ingress_rules import IngressRule, matching
from activities.aws.network.isolation_barriers import AclEntry
from activities.aws.shared.addresses import listed, normalised, refuse_unblockable
from activities.aws.shared.pieces import Piece, as_planned, set_all
from activities.aws.shared.protection import refuse_protected
from domain.config.approval import ApprovalClass
from domain.config.environment import Environment
from domain.model.activity_io import Scope
from domain.model.plan import Plan, State, Verification

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
    addresses: Annotated[tuple[str, ...], BeforeValidator(listed)] = Field(default=(), max_length=_MOST)

    @field_validator("addresses")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return normalised(value)

    @field_validator("cidr")
    @classmethod
    def _network(cls, value: str | None) -> str | None:
        return normalised((value,))[0] if value else None


class RestrictNetwork(ChangeAction[RestrictParams]):
    """Revokes named ingress rules, and adds entries that deny addresses under numbers 10 to 89 that are free.

    The state has one field a rule, `<group> <protocol> <ports> <source>`, with its description and tags or null, and
    one an entry, `<acl> ingress <number>`. Other rules and entries are no part of it. An undo writes the rules anew,
    under other ids. Security groups let connections that exist live on; a network ACL cuts them.
    """

    name = "ec2.restrict_network"
    permissions = iam(
        "ec2:AuthorizeSecurityGroupIngress CreateNetworkAclEntry CreateTags DeleteNetworkAclEntry",
        "ec2:DescribeAddresses DescribeNetworkAcls DescribeSecurityGroupRules RevokeSecurityGroupIngress",
    )
    classes = (ApprovalClass.A2,)

    def plan(self, scope: Scope, params: RestrictParams) -> Plan:
        """Find the rules and free numbers; raises `RuleError` for what is ours, and where nothing is named."""
        environment = scope.environment
        group = environment.security_groups[params.security_group] if params.security_group else None
        acl = environment.network_acls[params.network_acl] if params.network_acl else None
        before, revoked = self._rules(environment, params, group)
        after: State = dict.fromkeys(before)
        before, after = before | (denied := self._entries(scope, params, acl))[0], after | denied[1]
        if not before:
            raise RuleError("name rules, cidr or port of a security group, or addresses for a network ACL")
        touched = (("security-group", group if revoked else None), ("network-acl", acl if denied[1] else None))
        arns = [_arn(environment, kind, name) for kind, name in touched if name]
        return self.proposed(
            target=arns[0],
            summary=f"Revoke {len(revoked)} ingress rules, deny {len(denied[1])} addresses",
            before=before,
            after=after,
            impact=_impact(params, revoked),
            locks=arns,
            context={"group": group, "acl": acl},
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        """Read each rule and entry (`ec2:DescribeSecurityGroupRules`, `ec2:DescribeNetworkAcls`)."""
        return {name: piece.read() for name, piece in self._pieces(plan)}

    def act(self, scope: Scope, plan: Plan) -> None:
        """Set each rule and entry that is not yet as planned; a second time writes nothing."""
        set_all(self._pieces(plan), plan.after)

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether every rule and entry is as planned."""
        return as_planned(self.read(scope, plan), plan.after, "rules")

    def _pieces(self, plan: Plan) -> Iterator[tuple[str, Piece]]:
        for name in sorted(plan.after):
            if plan.context["acl"] and name.startswith(f"{plan.context['acl']} "):
                yield name, AclEntry(self.clients, plan.context["acl"], int(name.split()[-1]), egress=False)
            else:
                yield name, IngressRule(self.clients, plan.context["group"], name)

    def _rules(self, environment: Environment, params: RestrictParams, group: str | None) -> tuple[State, list[str]]:
        if not (params.rules or params.cidr or params.port is not None):
            return {}, []
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
        return {name: IngressRule.value(rule) for name, rule in found.items()}, list(found)

    def _entries(self, scope: Scope, params: RestrictParams, acl: str | None) -> tuple[State, State]:
        """The entries that deny the addresses; one that is denied in our numbers already keeps its own."""
        if not params.addresses:
            return {}, {}
        if acl is None:
            raise RuleError("addresses are denied at a network ACL: name network_acl too")
        refuse_protected(scope.environment, (acl,))
        ec2 = self.clients.client("ec2")
        own = [one["PublicIp"] for one in ec2.describe_addresses()["Addresses"] if one.get("PublicIp")]
        refuse_unblockable(params.addresses, scope.environment.protected.addresses, own)
        entries = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]["Entries"]
        standing = {one["RuleNumber"]: one for one in entries if not one["Egress"]}
        free = [number for number in _NUMBERS if number not in standing]
        before: State = {}
        after: State = {}
        for address in params.addresses:
            entry = {"Protocol": "-1", "RuleAction": "deny", _FAMILIES[ip_network(address).version]: address}
            known = [number for number in _NUMBERS if number in standing and entry.items() <= standing[number].items()]
            if not known and not free:
                raise RuleError(f"{acl} has no free entry from {_NUMBERS[0]} to {_NUMBERS[-1]}: remove some first")
            name = f"{acl} ingress {known[0] if known else free.pop(0)}"
            before[name], after[name] = (entry if known else None), entry
        return before, after


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


def _arn(environment: Environment, kind: str, name: str) -> str:
    return environment.arn("ec2", f"{kind}/{name}")

"""Cut the application off from the network, so that nothing more leaves it."""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BeforeValidator

from activities.action import NetworkAclName, Params, RuleError, SecurityGroupName, WebAclName, iam
from activities.aws.network.dns_firewall import DnsFirewall
from activities.aws.network.isolation_barriers import (
    FAMILIES,
    FIRST_RULE,
    AclEntry,
    DefaultAction,
    Ingress,
    deny_everything,
    room,
)
from activities.aws.network.wafv2_acls import Waf
from activities.aws.network.wafv2_rules import in_order
from activities.aws.shared.addresses import listed
from activities.aws.shared.error_codes import unless_denied
from activities.aws.shared.pages import Pages
from activities.aws.shared.pieces import CompositeChange, Piece
from activities.aws.shared.protection import refuse_orchestrators, refuse_protected
from domain.config.approval import ApprovalClass
from domain.model.calls import Scope
from domain.model.plan import Plan, State, Verification

_WEB_ACL, _DNS = "default_action", "dns_firewall"
_DIRECTIONS = {"ingress": False, "egress": True}
_BLOCK: dict[str, Any] = {"Block": {}}
_IN_USE = {"associating", "associated", "disassociating"}
"""States of a VPC's block of addresses in which traffic may pass by it, or soon will (EC2 API VpcCidrBlockState)."""
_SPOKEN = {"CidrBlock": "IPv4", "Ipv6CidrBlock": "IPv6"}


class IsolateParams(Params):
    """What to cut: requests at `web_acl`, what `security_groups` let in, and both ways at `network_acl`."""

    web_acl: WebAclName
    security_groups: Annotated[tuple[SecurityGroupName, ...], BeforeValidator(listed)] = ()
    network_acl: NetworkAclName | None = None


class IsolateNetwork(CompositeChange[IsolateParams]):
    """Lets the web ACL block by default, denies everything at the network ACL, empties the security groups' ingress.

    In that order: new requests end first, then the network ACL cuts connections that exist, which security groups
    would let live on; the DNS firewall, where the network has one, stops what a network ACL does not. An undo goes the
    other way and puts back exactly what stood there. The state has one field a piece: `default_action`,
    `<acl id> <direction> <rule number>`, `dns_firewall` and the id of each security group.
    """

    name = "network.isolate"
    permissions = iam(
        "ec2:AuthorizeSecurityGroupIngress CreateNetworkAclEntry DeleteNetworkAclEntry DescribeNetworkAcls",
        "ec2:DescribeNetworkInterfaces DescribeSecurityGroups DescribeVpcs",
        "ec2:RevokeSecurityGroupIngress",
        "route53resolver:AssociateFirewallRuleGroup DisassociateFirewallRuleGroup ListFirewallRuleGroupAssociations",
        "servicequotas:GetServiceQuota",
        "wafv2:GetRuleGroup GetWebACL ListWebACLs UpdateWebACL",
    )
    classes = (ApprovalClass.A2,)

    def plan(self, scope: Scope, params: IsolateParams) -> Plan:
        """Read every piece; raises `RuleError` for what is ours, or where our rule numbers are taken."""
        environment = scope.environment
        waf = Waf(self.clients, environment, params.web_acl)
        acl = waf.acl()
        groups = [environment.security_groups[name] for name in dict.fromkeys(params.security_groups)]
        network = environment.network_acls[params.network_acl] if params.network_acl else None
        refuse_protected(environment, (acl["ARN"], acl["Name"], *groups, *([network] if network else [])))
        after: State = {_WEB_ACL: _BLOCK}
        left_open: list[str] = []
        dns: State | None = None
        denied, why_dns = "everything", ""
        if network:
            found = self._described(network)
            self._refuse_ours_in(scope, found)
            entries, full, denied = self._entries(found)
            after |= entries
            left_open += full
            group = next(
                (one.dns_firewall for one in environment.networks.values() if one.vpc_id == found["VpcId"]), None
            )
            dns = {"group": group, "vpc": found["VpcId"]} if group else None
            why_dns = "" if group else ": the environment's network names no dns_firewall"
        if dns and (ours := self._loses_dns(scope, dns["vpc"])):
            dns, why_dns = None, ""
            left_open.append(f"DNS, which all of {found['VpcId']} would lose: {ours}")
        if dns:
            firewall = DnsFirewall(self.clients, **dns)
            if (planned := unless_denied(firewall.planned)) is None:
                dns = None
                left_open.append("DNS: what the DNS firewall holds may not be read")
            else:
                after |= {_DNS: planned[0]}
                left_open += [planned[1]] if planned[1] else []
        after |= {group: [] for group in groups}
        self._refuse_ours(scope, "group-id", groups)
        context: State = {
            "waf": waf.service,
            "web_acl": waf.place(acl),
            "network_acl": network,
            "security_groups": groups,
            "dns": dns,
        }
        before = self.values(scope, after, context)
        if taken := [name for name, value in before.items() if " " in name and value not in (None, after[name])]:
            raise RuleError(f"{taken[0]} is taken by another rule: free it, or isolate without the network ACL")
        named = [f"security-group/{group}" for group in groups] + ([f"network-acl/{network}"] if network else [])
        return self.proposed(
            target=acl["ARN"],
            summary=f"Isolate {params.web_acl}: {_pieces(groups, network and denied)}",
            before=before,
            after=after,
            impact=self._impact(
                context, before, _of_the_network(network, denied, dns if after.get(_DNS) else None, why_dns), left_open
            ),
            locks=[acl["ARN"], *(environment.arn("ec2", name) for name in named)],
            context=context,
        )

    def refuse_late(self, scope: Scope, plan: Plan) -> None:
        """What is ours may stand there since, such as a task that started anew; an undo cuts nothing off."""
        cut = [name for name in plan.changing if plan.after[name] in ([], *map(deny_everything, FAMILIES))]
        if (acl := plan.context["network_acl"]) and any(name.startswith(f"{acl} ") for name in cut):
            self._refuse_ours_in(scope, self._described(acl))
        self._refuse_ours(scope, "group-id", [name for name in plan.context["security_groups"] if name in cut])
        if _DNS in plan.changing and plan.after[_DNS] is not None:
            self._refuse_ours(scope, "vpc-id", [plan.context["dns"]["vpc"]])

    def refuse_undo(self, scope: Scope, plan: Plan) -> None:
        """The DNS firewall may be protected by now, where the undo is to take it off."""
        if _DNS in plan.changing and plan.after[_DNS] is None:
            DnsFirewall(self.clients, **plan.context["dns"]).refuse_protected()

    def pieces(self, scope: Scope, wanted: State, context: State) -> Iterable[tuple[str, Piece]]:
        """The barriers in the order in which they are put up, or the other way round to take them down."""
        found: list[tuple[str, Piece]] = [(_WEB_ACL, DefaultAction(self.clients, context["waf"], context["web_acl"]))]
        acl = context["network_acl"]
        found += [(name, AclEntry(self.clients, name)) for name in sorted(wanted) if acl and name.startswith(f"{acl} ")]
        if context["dns"]:
            found.append((_DNS, DnsFirewall(self.clients, **context["dns"])))
        found += [(group, Ingress(self.clients, group)) for group in context["security_groups"]]
        return found if wanted.get(_WEB_ACL, _BLOCK) == _BLOCK else reversed(found)

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether every piece is as planned, and the DNS firewall done with what it was asked."""
        seen, dns = super().verify(scope, plan), plan.context["dns"]
        if seen.done and _DNS in plan.after and dns and (status := DnsFirewall(self.clients, **dns).under_way()):
            return Verification(done=False, message=f"{seen.message}, but the DNS firewall is {status}")
        return seen

    def _entries(self, acl: dict[str, Any]) -> tuple[State, list[str], str]:
        """The entries that deny everything, both ways, for IPv6 too where the VPC has it (`ec2:DescribeVpcs`).

        As many as the network ACL has room for (`servicequotas:GetServiceQuota`), what is to be said of the others, and
        what those that it has room for deny.
        """
        vpc = self.clients.client("ec2").describe_vpcs(VpcIds=[acl["VpcId"]])["Vpcs"][0]
        states = {one["Ipv6CidrBlockState"]["State"] for one in vpc.get("Ipv6CidrBlockAssociationSet", [])}
        families = ["CidrBlock", *(["Ipv6CidrBlock"] if states & _IN_USE else [])]
        entries: State = {}
        full: list[str] = []
        for direction, egress in _DIRECTIONS.items():
            standing = {one["RuleNumber"] for one in acl["Entries"] if one["Egress"] == egress}
            for number, family in enumerate(families, FIRST_RULE):
                count, most = room(self.clients, acl, family, egress=egress)
                where = f"network ACL {acl['NetworkAclId']}"
                if number in standing or most is None or count < most:
                    entries[f"{acl['NetworkAclId']} {direction} {number}"] = deny_everything(family)
                else:
                    full.append(f"{where} has {count} of {most} {direction} entries of {_SPOKEN[family]}: it is full")
                if most is None and number not in standing:
                    full.append(f"{where}, if it has no room for {direction} entries: its quota may not be read")
        all_of_it = len(entries) == len(_DIRECTIONS) * len(families)
        return (
            entries,
            full,
            "everything" if all_of_it else "a part" if entries else "nothing more",
        )

    def _described(self, acl: str) -> dict[str, Any]:
        return dict(self.clients.client("ec2").describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0])

    def _refuse_ours_in(self, scope: Scope, acl: dict[str, Any]) -> None:
        subnets = [one["SubnetId"] for one in acl["Associations"]]
        refuse_protected(scope.environment, (acl["VpcId"], *subnets))
        self._refuse_ours(scope, "subnet-id", subnets)

    def _loses_dns(self, scope: Scope, vpc: str) -> str | None:
        """What of ours is in the VPC, whichever subnet it is in: a DNS firewall is before all of it."""
        try:
            self._refuse_ours(scope, "vpc-id", [vpc])
        except RuleError as error:
            return str(error)
        return None

    def _refuse_ours(self, scope: Scope, kind: str, ids: list[str]) -> None:
        """Refuse when something of ours has its network interface in there (`ec2:DescribeNetworkInterfaces`)."""
        environment = scope.environment
        if not ids or not (environment.shielded.resources or environment.orchestrator.addresses):
            return
        found = Pages(self.clients.client("ec2").describe_network_interfaces, Filters=[{"Name": kind, "Values": ids}])
        for one in found.items("NetworkInterfaces"):
            attached = one.get("Attachment", {}).get("InstanceId")
            inside = [one["NetworkInterfaceId"], *(group["GroupId"] for group in one["Groups"])]
            refuse_protected(environment, [*inside, *([attached] if attached else [])])
            refuse_orchestrators(environment, one)

    def _impact(self, context: State, before: State, network: str, left_open: list[str]) -> str:
        wafv2 = self.clients.client(context["waf"])
        acl = wafv2.get_web_acl(**context["web_acl"])["WebACL"]
        rules_in_order = unless_denied(lambda: in_order(wafv2, acl))
        open_rules = [rule.name for rule in rules_in_order or [] if rule.action == "Allow"]
        still = f" Rules that allow still do: {', '.join(open_rules)}." if open_rules else ""
        if rules_in_order is None:
            still = " Which rules of the web ACL allow may not be read: they still do."
        stays = f" Stays open: {'; '.join(left_open)}." if left_open else ""
        rules = sum(len(before[group]) for group in context["security_groups"])
        return (
            f"The portal is down for everybody, clinical users included, until this is undone. The web ACL blocks every"
            f" request that no rule allows.{still}{network} {rules} ingress rules of "
            f"{len(context['security_groups'])} security groups are revoked; an undo writes them anew, under other "
            f"rule ids and without tags of their own.{stays}"
        )


def _of_the_network(network: str | None, denied: str, dns: State | None, why_not: str) -> str:
    """What the network ACL cuts, and what no network ACL does (VPC guide, "Network ACL basics")."""
    if not network:
        return " Connections that exist go on: only a network ACL cuts them."
    names = f" The DNS firewall refuses every name in all of {dns['vpc']}." if dns else ""
    return (
        f" Network ACL {network} denies {denied}, into and out of its subnets, connections that exist, "
        "health checks and the database among them; not what goes to the VPC's resolver, metadata and clocks, nor "
        f"between addresses of one subnet.{names or f' DNS goes on, by which data can leave{why_not}.'}"
    )


def _pieces(groups: list[str], denied: str | None) -> str:
    parts = ["the web ACL blocks by default"]
    if denied:
        parts.append(f"its network ACL denies {denied}")
    if groups:
        parts.append(f"{len(groups)} security groups let nothing in")
    return ", ".join(parts)

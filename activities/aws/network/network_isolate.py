"""Cut the application off from the network, so that nothing more leaves it."""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BeforeValidator

from activities.action import NetworkAclName, Params, RuleError, SecurityGroupName, WebAclName, iam
from activities.aws.network.isolation_barriers import FIRST_RULE, AclEntry, DefaultAction, Ingress, deny_everything
from activities.aws.network.wafv2_acls import Waf
from activities.aws.shared.addresses import listed
from activities.aws.shared.pages import Pages
from activities.aws.shared.pieces import CompositeChange, Piece
from activities.aws.shared.protection import refuse_protected
from domain.config.approval import ApprovalClass
from domain.model.activity_io import Scope
from domain.model.plan import Plan, State

_WEB_ACL = "default_action"
_DIRECTIONS = {"ingress": False, "egress": True}
_BLOCK: dict[str, Any] = {"Block": {}}


class IsolateParams(Params):
    """What to cut: requests at `web_acl`, what `security_groups` let in, and both ways at `network_acl`."""

    web_acl: WebAclName
    security_groups: Annotated[tuple[SecurityGroupName, ...], BeforeValidator(listed)] = ()
    network_acl: NetworkAclName | None = None


class IsolateNetwork(CompositeChange[IsolateParams]):
    """Lets the web ACL block by default, denies everything at the network ACL, empties the security groups' ingress.

    In that order: new requests end first, then the network ACL cuts connections that exist, which security groups
    would let live on. An undo goes the other way and puts back exactly what stood there. The state has one field a
    piece: `default_action`, `<acl id> <direction> <rule number>` and the id of each security group.
    """

    name = "network.isolate"
    permissions = iam(
        "ec2:AuthorizeSecurityGroupIngress CreateNetworkAclEntry DeleteNetworkAclEntry DescribeNetworkAcls",
        "ec2:DescribeNetworkInterfaces DescribeSecurityGroups DescribeVpcs",
        "ec2:RevokeSecurityGroupIngress",
        "wafv2:GetWebACL ListWebACLs UpdateWebACL",
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
        if network:
            after |= self._entries(scope, network)
        after |= {group: [] for group in groups}
        self._refuse_ours(scope, "group-id", groups)
        context: State = {
            "waf": waf.service,
            "web_acl": waf.place(acl),
            "network_acl": network,
            "security_groups": groups,
        }
        before = self.values(scope, after, context)
        if taken := [name for name, value in before.items() if " " in name and value not in (None, after[name])]:
            raise RuleError(f"{taken[0]} is taken by another rule: free it, or isolate without the network ACL")
        named = [f"security-group/{group}" for group in groups] + ([f"network-acl/{network}"] if network else [])
        return self.proposed(
            target=acl["ARN"],
            summary=f"Isolate {params.web_acl}: {_pieces(groups, network)}",
            before=before,
            after=after,
            impact=self._impact(context, before),
            locks=[acl["ARN"], *(environment.arn("ec2", name) for name in named)],
            context=context,
        )

    def pieces(self, scope: Scope, wanted: State, context: State) -> Iterable[tuple[str, Piece]]:
        """The barriers in the order in which they are put up, or the other way round to take them down."""
        found: list[tuple[str, Piece]] = [(_WEB_ACL, DefaultAction(self.clients, context["waf"], context["web_acl"]))]
        acl = context["network_acl"]
        for name in sorted(name for name in wanted if acl and name.startswith(f"{acl} ")):
            _, direction, number = name.split()
            found.append((name, AclEntry(self.clients, acl, int(number), egress=_DIRECTIONS[direction])))
        found += [(group, Ingress(self.clients, group)) for group in context["security_groups"]]
        return found if wanted.get(_WEB_ACL, _BLOCK) == _BLOCK else reversed(found)

    def _entries(self, scope: Scope, network: str) -> State:
        """The entries that deny everything, both ways, for IPv6 too where the VPC has it (`ec2:DescribeVpcs`)."""
        ec2 = self.clients.client("ec2")
        found = ec2.describe_network_acls(NetworkAclIds=[network])["NetworkAcls"][0]
        subnets = [one["SubnetId"] for one in found["Associations"]]
        refuse_protected(scope.environment, (found["VpcId"], *subnets))
        self._refuse_ours(scope, "subnet-id", subnets)
        vpc = ec2.describe_vpcs(VpcIds=[found["VpcId"]])["Vpcs"][0]
        states = {one["Ipv6CidrBlockState"]["State"] for one in vpc.get("Ipv6CidrBlockAssociationSet", [])}
        families = ["CidrBlock", *(["Ipv6CidrBlock"] if "associated" in states else [])]
        return {
            f"{network} {direction} {FIRST_RULE + number}": deny_everything(family)
            for direction in _DIRECTIONS
            for number, family in enumerate(families)
        }

    def _refuse_ours(self, scope: Scope, kind: str, ids: list[str]) -> None:
        """Refuse when something protected has its network interface in there (`ec2:DescribeNetworkInterfaces`)."""
        if not ids or not scope.environment.protected.resources:
            return
        found = Pages(self.clients.client("ec2").describe_network_interfaces, Filters=[{"Name": kind, "Values": ids}])
        for one in found.items("NetworkInterfaces"):
            attached = one.get("Attachment", {}).get("InstanceId")
            inside = [one["NetworkInterfaceId"], *(group["GroupId"] for group in one["Groups"])]
            refuse_protected(scope.environment, [*inside, *([attached] if attached else [])])

    def _impact(self, context: State, before: State) -> str:
        acl = self.clients.client(context["waf"]).get_web_acl(**context["web_acl"])["WebACL"]
        open_rules = [rule["Name"] for rule in acl["Rules"] if "Allow" in rule.get("Action", {})]
        still = f" Rules that allow still do: {', '.join(open_rules)}." if open_rules else ""
        rules = sum(len(before[group]) for group in context["security_groups"])
        network = (
            f" Network ACL {context['network_acl']} denies everything into and out of its subnets, connections that "
            "exist, health checks and the database among them."
            if context["network_acl"]
            else " Connections that exist go on: only a network ACL cuts them."
        )
        return (
            f"The portal is down for everybody, clinical users included, until this is undone. The web ACL blocks every"
            f" request that no rule allows.{still}{network} {rules} ingress rules of {len(context['security_groups'])} "
            "security groups are revoked; an undo writes them anew, under other rule ids and without tags of their own."
        )


def _pieces(groups: list[str], network: str | None) -> str:
    parts = ["the web ACL blocks by default"]
    if network:
        parts.append("its network ACL denies everything")
    if groups:
        parts.append(f"{len(groups)} security groups let nothing in")
    return ", ".join(parts)

"""Cut the application off from the network, so that nothing more leaves it."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator

from activities.action import ChangeAction, NetworkAclName, Params, RuleError, SecurityGroupName, WebAclName, iam
from activities.aws.network.isolation_barriers import FIRST_RULE, AclEntry, DefaultAction, Ingress, deny_everything
from activities.aws.network.wafv2_acls import place, summary
from activities.aws.shared.addresses import listed
from activities.aws.shared.pieces import Piece, as_planned, set_all
from activities.aws.shared.protection import refuse_protected
from domain.config.approval import ApprovalClass
from domain.model.activity_io import Scope
from domain.model.plan import Plan, State, Verification

_WEB_ACL = "default_action"
_DIRECTIONS = {"ingress": False, "egress": True}
_BLOCK: dict[str, Any] = {"Block": {}}


class IsolateParams(Params):
    """What to cut: requests at `web_acl`, what `security_groups` let in, and both ways at `network_acl`."""

    web_acl: WebAclName
    security_groups: Annotated[tuple[SecurityGroupName, ...], BeforeValidator(listed)] = ()
    network_acl: NetworkAclName | None = None


class IsolateNetwork(ChangeAction[IsolateParams]):
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
        acl = summary(self.clients.client("wafv2"), "web_acls", environment.web_acls[params.web_acl].name)
        groups = [environment.security_groups[name] for name in dict.fromkeys(params.security_groups)]
        network = environment.network_acls[params.network_acl] if params.network_acl else None
        refuse_protected(environment, (acl["ARN"], acl["Name"], *groups, *([network] if network else [])))
        after: State = {_WEB_ACL: _BLOCK}
        if network:
            after |= self._entries(scope, network)
        after |= {group: [] for group in groups}
        self._refuse_ours(scope, groups)
        context: State = {"web_acl": place(acl), "network_acl": network, "security_groups": groups}
        before = self._state(after, context)
        _refuse_taken(before, after)
        arns = {acl["ARN"], *(_arn(scope, "security-group", group) for group in groups)}
        return self.proposed(
            target=acl["ARN"],
            summary=f"Isolate {params.web_acl}: {_pieces(groups, network)}",
            before=before,
            after=after,
            impact=self._impact(context, before),
            locks=arns | ({_arn(scope, "network-acl", network)} if network else set()),
            context=context,
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        """Read every piece of the plan."""
        return self._state(plan.before, plan.context)

    def act(self, scope: Scope, plan: Plan) -> None:
        """Set every piece that is not yet as planned; a second time writes nothing."""
        pieces = list(self._named(plan.before, plan.context))
        set_all(pieces if plan.after[_WEB_ACL] == _BLOCK else reversed(pieces), plan.after)

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether every piece is as planned; AWS WAF takes up to minutes to spread a change."""
        return as_planned(self.read(scope, plan), plan.after, "barriers")

    def _named(self, state: State, context: State) -> Iterator[tuple[str, Piece]]:
        """The pieces in the order in which they are put up."""
        yield _WEB_ACL, DefaultAction(self.clients, context["web_acl"])
        acl = context["network_acl"]
        for name in sorted(name for name in state if acl and name.startswith(f"{acl} ")):
            _, direction, number = name.split()
            yield name, AclEntry(self.clients, acl, int(number), egress=_DIRECTIONS[direction])
        for group in context["security_groups"]:
            yield group, Ingress(self.clients, group)

    def _state(self, state: State, context: State) -> State:
        return {name: piece.read() for name, piece in self._named(state, context)}

    def _entries(self, scope: Scope, network: str) -> State:
        """The entries that deny everything, both ways, for IPv6 too where the VPC has it (`ec2:DescribeVpcs`)."""
        ec2 = self.clients.client("ec2")
        found = ec2.describe_network_acls(NetworkAclIds=[network])["NetworkAcls"][0]
        subnets = [one["SubnetId"] for one in found["Associations"]]
        refuse_protected(scope.environment, (found["VpcId"], *subnets))
        self._refuse_ours(scope, [], subnets)
        vpc = ec2.describe_vpcs(VpcIds=[found["VpcId"]])["Vpcs"][0]
        states = {one["Ipv6CidrBlockState"]["State"] for one in vpc.get("Ipv6CidrBlockAssociationSet", [])}
        families = ["CidrBlock", *(["Ipv6CidrBlock"] if "associated" in states else [])]
        return {
            f"{network} {direction} {FIRST_RULE + number}": deny_everything(family)
            for direction in _DIRECTIONS
            for number, family in enumerate(families)
        }

    def _refuse_ours(self, scope: Scope, groups: list[str], subnets: list[str] | None = None) -> None:
        """Refuse when something protected has its network interface in there (`ec2:DescribeNetworkInterfaces`)."""
        wanted = {"group-id": groups, "subnet-id": subnets or []}
        for name, values in wanted.items():
            if not values or not scope.environment.protected.resources:
                continue
            pages = self.clients.client("ec2").get_paginator("describe_network_interfaces")
            for page in pages.paginate(Filters=[{"Name": name, "Values": values}]):
                for one in page["NetworkInterfaces"]:
                    attached = one.get("Attachment", {}).get("InstanceId")
                    inside = [one["NetworkInterfaceId"], *(group["GroupId"] for group in one["Groups"])]
                    refuse_protected(scope.environment, [*inside, *([attached] if attached else [])])

    def _impact(self, context: State, before: State) -> str:
        acl = self.clients.client("wafv2").get_web_acl(**context["web_acl"])["WebACL"]
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


def _refuse_taken(before: State, after: State) -> None:
    for name, value in before.items():
        if " " in name and value not in (None, after[name]):
            raise RuleError(f"{name} is taken by another rule: free that number, or isolate without the network ACL")


def _arn(scope: Scope, kind: str, name: str) -> str:
    return scope.environment.arn("ec2", f"{kind}/{name}")


def _pieces(groups: list[str], network: str | None) -> str:
    parts = ["the web ACL blocks by default"]
    if network:
        parts.append("its network ACL denies everything")
    if groups:
        parts.append(f"{len(groups)} security groups let nothing in")
    return ", ".join(parts)

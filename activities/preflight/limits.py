"""What runs out: the clock's second, and the quotas that an incident's own changes need something of."""

from collections.abc import Callable
from datetime import timedelta
from operator import itemgetter
from typing import Any

from activities.action import iam
from activities.aws.database.rds_snapshots import Snapshots
from activities.aws.network.dns_firewall import DnsFirewall
from activities.aws.network.ec2_flow_logs import is_active, listed
from activities.aws.network.ingress_rules import room as room_in_group
from activities.aws.network.isolation_barriers import FAMILIES
from activities.aws.network.isolation_barriers import room as room_in_acl
from activities.aws.observability.logging_extend import FLOW_LOGS
from activities.aws.shared.date_header import date_of, off, told
from activities.preflight.check import Check, Room, Verdict, named, ok, unknown, wrong
from activities.preflight.places import each, left, under
from domain.config.environment import Network

_OFF = timedelta(seconds=1)
_UNREAD = "its quota may not be read; allow whoever runs preflight servicequotas:GetServiceQuota"


def clock(room: Room, _: str) -> Verdict:
    """This machine's clock and AWS's differ by a second at most (`sts:GetCallerIdentity`, its Date header).

    Signatures of requests are refused from five minutes on; deadlines and the record go wrong long before.
    """
    before = room.now()
    theirs = date_of(room.client("sts").get_caller_identity())
    if theirs is None:
        return unknown("AWS's answer does not say what time it is there")
    found = off(theirs, before, room.now())
    if abs(found) > _OFF:
        return wrong(f"{told(found)} AWS's clock; let NTP set it")
    return ok("within a second of AWS's")


def acl_entries(room: Room, acl: str) -> Verdict:
    """A network ACL has room for an isolation's entries in either direction, counted as its plan counts them.

    `ec2:DescribeNetworkAcls`, `servicequotas:GetServiceQuota`.
    """
    found = room.client("ec2").describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]
    counted = [
        room_in_acl(room.clients, found, family, egress=egress) for family in FAMILIES for egress in (False, True)
    ]
    used, most = max(counted, key=itemgetter(0))
    if most is None:
        return unknown(_UNREAD)
    return left(used, most, 3, "entries a direction")


def group_rules(room: Room, group: str) -> Verdict:
    """A security group has room for a rule that comes back, or lets a responder in.

    `ec2:DescribeSecurityGroups`, `DescribeSecurityGroupRules`, `servicequotas:GetServiceQuota`.
    """
    room.client("ec2").describe_security_groups(GroupIds=[group])  # one that is not there has no rules either
    counts, most = room_in_group(room.clients, group)
    return unknown(_UNREAD) if most is None else left(max(counts.values()), most, 1, "ingress rules")


def flow_logs(room: Room, vpc: str) -> Verdict:
    """A VPC has room for a flow log, unless one that it has delivers (`ec2:DescribeFlowLogs`)."""
    found = list(listed(room.client("ec2"), vpc))
    return left(len(found), FLOW_LOGS, 0 if any(map(is_active, found)) else 1, "flow logs")


def snapshots(room: Room, kind: str) -> Verdict:
    """There is room for an incident's manual snapshots and their copies (`rds:DescribeAccountAttributes`)."""
    found = Snapshots(room.clients, cluster=kind == "clusters").room()
    if found is None:
        return unknown("RDS does not tell how many there may be; look at its quotas by hand")
    return left(*found, 5, f"manual snapshots of {kind}")


def resolver_groups(room: Room, one: Network) -> Verdict:
    """A VPC has room for the DNS firewall's rule group (`route53resolver:ListFirewallRuleGroupAssociations`)."""
    value, said = DnsFirewall(room.clients, str(one.dns_firewall), one.vpc_id).planned()
    if value is None:
        return wrong(f"{said}; take one away")
    return unknown(f"{said}; look whether they let names through") if said else ok("there is room for it")


def _kinds(room: Room) -> dict[str, str]:
    kinds = sorted({one.cluster for one in room.environment.databases.values()})
    return {name: name for name in ("clusters" if cluster else "instances" for cluster in kinds)}


_FIREWALLED: Callable[[Room], dict[str, Network]] = each(
    lambda e: {f"networks.{name}.dns_firewall": one if one.dns_firewall else None for name, one in e.networks.items()}
)

CHECKS: tuple[Check[Any], ...] = (
    Check("clock", lambda _: {"this machine": ""}, clock, ()),
    Check(
        "ACL entries",
        under("network_acls"),
        acl_entries,
        iam("ec2:DescribeNetworkAcls", "servicequotas:GetServiceQuota"),
    ),
    named(
        "group rules",
        under("security_groups"),
        group_rules,
        iam("ec2:DescribeSecurityGroupRules DescribeSecurityGroups", "servicequotas:GetServiceQuota"),
    ),
    Check("flow logs", under("networks", "vpc_id"), flow_logs, iam("ec2:DescribeFlowLogs")),
    Check("snapshots", _kinds, snapshots, iam("rds:DescribeAccountAttributes")),
    Check("rule groups", _FIREWALLED, resolver_groups, iam("route53resolver:ListFirewallRuleGroupAssociations")),
)

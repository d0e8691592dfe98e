"""What runs out: the clock's second, and the quotas that an incident's own changes need something of."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from activities.action import iam
from activities.preflight.check import Check, Room, Verdict, ok, wrong
from activities.preflight.places import each, left, under

_OFF = timedelta(seconds=1)
_GRAIN = timedelta(seconds=1)
"""The Date header is cut to the second (RFC 9110, "Date")."""


def clock(room: Room, _: str) -> Verdict:
    """This machine's clock and AWS's differ by a second at most (`sts:GetCallerIdentity`, its Date header).

    Signatures of requests are refused from five minutes on; deadlines and the record go wrong long before.
    """
    before = room.now()
    headers = room.client("sts").get_caller_identity()["ResponseMetadata"]["HTTPHeaders"]
    after, theirs = room.now(), parsedate_to_datetime(headers["date"])
    ahead, behind = before - (theirs + _GRAIN), theirs - after
    off = max(ahead, behind, timedelta())
    if off > _OFF:
        which = "ahead of" if ahead > behind else "behind"
        return wrong(f"{off.total_seconds():.0f} s {which} AWS's clock; let NTP set it")
    return ok("within a second of AWS's")


def _quota(room: Room, service: str, code: str) -> int:
    """What the account may have; one that was never raised has AWS's default (`servicequotas:GetServiceQuota`)."""
    found = room.client("service-quotas").get_service_quota(ServiceCode=service, QuotaCode=code)
    return int(found["Quota"]["Value"])


def acl_entries(room: Room, acl: str) -> Verdict:
    """A network ACL has room for an isolation's entries in either direction (`ec2:DescribeNetworkAcls`).

    The quota counts each direction and each of IPv4 and IPv6, with the last entry, which AWS adds (VPC guide, "Amazon
    VPC quotas").
    """
    entries = room.client("ec2").describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]["Entries"]
    counts = Counter((one["Egress"], "Ipv6CidrBlock" in one) for one in entries)
    return left(max(counts.values()), _quota(room, "vpc", "L-2AEEBF1A"), 3, "entries a direction")


def snapshots(room: Room, _: str) -> Verdict:
    """There is room for an incident's manual snapshots (`rds:DescribeDBSnapshots`)."""
    pages = room.client("rds").get_paginator("describe_db_snapshots").paginate(SnapshotType="manual")
    used = sum(len(page["DBSnapshots"]) for page in pages)
    return left(used, _quota(room, "rds", "L-272F1212"), 5, "manual snapshots")


_REGION: Callable[[Room], dict[str, str]] = each(lambda e: {"region": e.region if e.databases else None})

CHECKS: tuple[Check[Any], ...] = (
    Check("clock", lambda _: {"this machine": ""}, clock, ()),
    Check(
        "ACL entries",
        under("network_acls"),
        acl_entries,
        iam("ec2:DescribeNetworkAcls", "servicequotas:GetServiceQuota"),
    ),
    Check("snapshots", _REGION, snapshots, iam("rds:DescribeDBSnapshots", "servicequotas:GetServiceQuota")),
)

"""Amazon EC2: VPCs, security groups and network ACLs under the ids that an environment file names.

moto generates random ids. Not thread-safe: it swaps moto's id generator for the duration of a call.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend, ec2_backends, network_acls, security_groups, vpcs
from moto.ec2.models.vpcs import VPC

from sandbox.aws.moto_patch import patch

_MOST_ENTRIES = 20
"""Entries of a network ACL in one direction, of IPv4 and of IPv6 each, with the last one, which cannot be removed.

It can be raised to 40 (VPC guide, "Amazon VPC quotas": rules per network ACL; Service Quotas L-2AEEBF1A).
"""
_create_network_acl_entry = network_acls.NetworkAclBackend.create_network_acl_entry


def install() -> None:
    """Patch moto with these operations."""
    patch(network_acls.NetworkAclBackend, create_network_acl_entry=create_network_acl_entry)
    # moto tells a rule's description only where a network is let in (EC2 API SecurityGroupRule: of every rule)
    described = property(lambda rule: (rule.ip_range or rule.source_group).get("Description"))
    patch(security_groups.SecurityGroupRule, description=described)


def create_network_acl_entry(
    ec2: EC2Backend, network_acl_id: str, rule_number: int, *more: Any, **named: Any
) -> network_acls.NetworkAclEntry:
    """Refuse an entry more than the quota; one under a number that is taken is refused as moto does."""
    given = dict(zip(("protocol", "rule_action", "egress", "cidr_block"), more, strict=False)) | named
    of_ipv4 = bool(given.get("cidr_block"))
    entries = [
        one
        for one in ec2.get_network_acl(network_acl_id).network_acl_entries
        if one.egress == given["egress"] and bool(one.cidr_block) == of_ipv4
    ]
    if len(entries) >= _MOST_ENTRIES and int(rule_number) not in {int(one.rule_number) for one in entries}:
        raise EC2ClientError("NetworkAclEntryLimitExceeded", "The network ACL has as many entries as it may")
    return _create_network_acl_entry(ec2, network_acl_id, rule_number, *more, **named)


def named_vpc(account: str, region: str, vpc_id: str | None, cidr: str) -> VPC:
    """Create a VPC under this id, or under a random one."""
    ec2 = ec2_backends[account][region]  # before the swap: creating the backend creates the default VPC
    with _named(vpcs, "random_vpc_id", vpc_id):
        made: VPC = ec2.create_vpc(cidr)
    return made


def named_security_group(account: str, region: str, group_id: str, name: str, vpc_id: str) -> None:
    """Create a security group under this id, without any ingress rule."""
    ec2 = ec2_backends[account][region]
    with _named(security_groups, "random_security_group_id", group_id):
        ec2.create_security_group(name, f"The portal's {name}", vpc_id)


def named_network_acl(account: str, region: str, acl_id: str, vpc_id: str, subnets: list[str]) -> None:
    """Create a network ACL under this id that allows everything, and associate subnets with it."""
    ec2 = ec2_backends[account][region]
    with _named(network_acls, "random_network_acl_id", acl_id):
        ec2.create_network_acl(vpc_id)
    ec2.add_default_entries(acl_id)
    for subnet in subnets:
        for acl in list(ec2.network_acls.values()):
            for association in [key for key, one in acl._associations.items() if one.subnet_id == subnet]:
                ec2.replace_network_acl_association(association, acl_id)


@contextmanager
def _named(module: ModuleType, made_up: str, wanted: str | None) -> Iterator[None]:
    """Make moto give this id, if any, to what it creates within the block."""
    before = getattr(module, made_up)
    if wanted:
        patch(module, **{made_up: lambda: wanted})
    try:
        yield
    finally:
        patch(module, **{made_up: before})

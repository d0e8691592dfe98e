"""The three kinds of barrier that isolation puts up, each read and set by itself: web ACL, network ACL, security group.

Every piece has one field in the state. Its value is all that is needed to put the piece back as it was.
"""

import json
from typing import Any

from activities.action import Clients
from activities.aws.network.wafv2_acls import write_locked
from activities.aws.shared.error_codes import kind_of_refusal, unless_denied
from domain.values.errors import ErrorKind

FIRST_RULE = 1
"""Isolation's number in a network ACL (FIRST_RULE + 1 for IPv6): lower ones do not exist, so nothing precedes it.

Rules 1 to 89 are reserved for incidents; 10 to 89 deny single addresses.
"""

_QUOTA = "L-2AEEBF1A"  # rules per network ACL and direction
_EVERYWHERE = {"CidrBlock": "0.0.0.0/0", "Ipv6CidrBlock": "::/0"}
FAMILIES = tuple(_EVERYWHERE)
_SOURCES = (
    ("IpRanges", ("CidrIp", "Description")),
    ("Ipv6Ranges", ("CidrIpv6", "Description")),
    ("PrefixListIds", ("PrefixListId", "Description")),
    ("UserIdGroupPairs", ("GroupId", "UserId", "VpcPeeringConnectionId", "Description")),
)


def deny_everything(family: str) -> dict[str, str]:
    """The entry of a network ACL that denies all; `family` is `CidrBlock` or `Ipv6CidrBlock`."""
    return {"Protocol": "-1", "RuleAction": "deny", family: _EVERYWHERE[family]}


class DefaultAction:
    """What a web ACL does with requests that no rule decides."""

    def __init__(self, clients: Clients, service: str, where: dict[str, str]) -> None:
        self._wafv2, self._once = clients.client(service), clients.once(service)
        self._where = where

    def read(self) -> Any:
        """`wafv2:GetWebACL`."""
        return self._wafv2.get_web_acl(**self._where)["WebACL"]["DefaultAction"]

    def set(self, value: Any) -> None:
        """Write the web ACL as it stands with another default action, under its lock token (`wafv2:UpdateWebACL`).

        AWS forgets whatever is left out of this write.
        """
        wafv2 = self._wafv2
        known = wafv2.meta.service_model.operation_model("UpdateWebACL").input_shape.members

        def write() -> None:
            answer = wafv2.get_web_acl(**self._where)
            kept = {name: one for name, one in answer["WebACL"].items() if name in known and one not in ("", None, {})}
            whole = {**kept, **self._where, "Rules": answer["WebACL"]["Rules"], "DefaultAction": value}
            self._once.update_web_acl(**whole, LockToken=answer["LockToken"])

        write_locked(wafv2, write)


def room(clients: Clients, acl: dict[str, Any], family: str, *, egress: bool) -> tuple[int, int | None]:
    """How many entries of a direction and family stand in a network ACL, and how many may; None if it cannot be read.

    `family` is `CidrBlock` or `Ipv6CidrBlock`: the quota holds for each, and the last entry, which denies by default
    and cannot be removed, counts (`servicequotas:GetServiceQuota`; VPC guide, "Amazon VPC quotas").
    """
    standing = [one for one in acl["Entries"] if one["Egress"] == egress and family in one]
    quotas = clients.client("service-quotas")
    found = unless_denied(lambda: quotas.get_service_quota(ServiceCode="vpc", QuotaCode=_QUOTA))
    return len(standing), int(found["Quota"]["Value"]) if found else None


class AclEntry:
    """The entry of a name such as `acl-7f3k ingress 10`; its value is null while there is none."""

    def __init__(self, clients: Clients, name: str) -> None:
        self._clients = clients
        self._acl, direction, number = name.split()
        self._place = {"NetworkAclId": self._acl, "RuleNumber": int(number), "Egress": direction == "egress"}

    def read(self) -> Any:
        """`ec2:DescribeNetworkAcls`."""
        found = self._clients.client("ec2").describe_network_acls(NetworkAclIds=[self._acl])["NetworkAcls"][0]
        for entry in found["Entries"]:
            if (entry["RuleNumber"], entry["Egress"]) == (self._place["RuleNumber"], self._place["Egress"]):
                return {name: value for name, value in entry.items() if name not in self._place}
        return None

    def set(self, value: Any) -> None:
        """Make or remove the entry (`ec2:CreateNetworkAclEntry`, `ec2:DeleteNetworkAclEntry`)."""
        ec2 = self._clients.once("ec2")
        if value is None:
            ec2.delete_network_acl_entry(**self._place)
        else:
            ec2.create_network_acl_entry(**self._place, **value)


class Ingress:
    """Everything that a security group lets in."""

    def __init__(self, clients: Clients, group: str) -> None:
        self._clients = clients
        self._group = group

    def read(self) -> Any:
        """`ec2:DescribeSecurityGroups`; the same permissions always read the same."""
        found = self._clients.client("ec2").describe_security_groups(GroupIds=[self._group])["SecurityGroups"][0]
        return permissions(found["IpPermissions"])

    def set(self, value: Any) -> None:
        """Let in this and nothing else (`ec2:RevokeSecurityGroupIngress`, `ec2:AuthorizeSecurityGroupIngress`)."""
        ec2, now = self._clients.once("ec2"), self.read()
        if surplus := [one for one in now if one not in value]:
            ec2.revoke_security_group_ingress(GroupId=self._group, IpPermissions=surplus)
        if missing := [one for one in value if one not in now]:
            self._let_in(ec2, missing)

    def _let_in(self, ec2: Any, missing: list[dict[str, Any]]) -> None:
        """Let all of it in; where EC2 refuses one, as its source is gone by now, the others alone, and raise that."""
        try:
            ec2.authorize_security_group_ingress(GroupId=self._group, IpPermissions=missing)
        except ec2.exceptions.ClientError as error:
            if len(missing) == 1 or kind_of_refusal(error) is not ErrorKind.NOT_FOUND:
                raise
            refused = []
            for one in missing:
                try:
                    self._let_in(ec2, [one])
                except ec2.exceptions.ClientError as again:
                    refused.append(again)
            if refused:
                raise refused[0] from error


def permissions(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Write permissions one source each, in an order of their own, with what AWS takes back and no more."""
    single: list[dict[str, Any]] = []
    for one in found:
        ports: dict[str, Any] = {name: one[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in one}
        for kind, names in _SOURCES:
            for source in one.get(kind, []):
                kept = {name: source[name] for name in names if source.get(name)}
                single.append({**ports, kind: [kept]})
    return sorted(single, key=lambda one: json.dumps(one, sort_keys=True))

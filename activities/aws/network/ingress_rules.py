"""Single ingress rules of a security group, named by what they let in: their ids do not outlive a revocation."""

from collections.abc import Iterator
from typing import Any

from activities.action import Clients, RuleError
from activities.aws.shared.error_codes import code_of, is_already, unless_denied
from activities.aws.shared.pages import Pages

_QUOTA = "L-0EA8095F"  # rules per security group and direction
_OTHER_THAN = {"IPv4": ("CidrIpv6", "Ipv6Ranges"), "IPv6": ("CidrIpv4", "IpRanges")}
"""By family how a rule of the other one shows, in a rule that is described and in a permission."""


class IngressRule:
    """One rule; its value is null while there is none, else its permission and its tags."""

    def __init__(self, clients: Clients, group: str, name: str) -> None:
        self._clients = clients
        self._group = group
        self._name = name

    @staticmethod
    def value(rule: dict[str, Any]) -> Any:
        """Everything of a rule that can be written again: `aws:` tags are AWS's own, and nobody else may set them."""
        tags = {tag["Key"]: tag["Value"] for tag in rule.get("Tags", []) if not tag["Key"].startswith("aws:")}
        return {"permission": _permission(rule), "tags": tags}

    def read(self) -> Any:
        """`ec2:DescribeSecurityGroupRules`."""
        found = self._found()
        return self.value(found) if found else None

    def set(self, value: Any) -> None:
        """Revoke the rule, or write it anew; one that is gone or there by then is looked at again.

        Raises the conflict, retryable, where what stands there is not what was to be set.
        """
        ec2, found = self._clients.once("ec2"), self._found()
        try:
            if value is None and found:
                ec2.revoke_security_group_ingress(
                    GroupId=self._group, SecurityGroupRuleIds=[found["SecurityGroupRuleId"]]
                )
            elif value is not None and not found:
                ec2.authorize_security_group_ingress(
                    GroupId=self._group, IpPermissions=[value["permission"]], **_tagged(value["tags"])
                )
        except ec2.exceptions.ClientError as error:
            if not is_already(error) or self.read() != value:
                raise

    def _found(self) -> dict[str, Any] | None:
        rules = _listed(self._clients.client("ec2"), self._group)
        return next((rule for rule in rules if _name(rule) == self._name), None)


def matching(
    ec2: Any, group: str, ids: tuple[str, ...], cidr: str | None, port: int | None
) -> dict[str, dict[str, Any]]:
    """Find rules by name: those of `ids`, and those that let in `cidr`, at `port`, or both."""
    return {
        _name(rule): rule
        for rule in _listed(ec2, group)
        if rule["SecurityGroupRuleId"] in ids
        or ((cidr or port is not None) and cidr in (None, _source(rule)) and (port is None or _spans(rule, port)))
    }


def refuse_no_room(clients: Clients, group: str, permissions: list[dict[str, Any]]) -> None:
    """Refuse where a security group is gone, or has no room for these permissions (`ec2:DescribeSecurityGroups`).

    Where the quota may not be read nothing is refused here.
    """
    ec2 = clients.client("ec2")
    try:
        ec2.describe_security_groups(GroupIds=[group])
    except ec2.exceptions.ClientError as error:
        if code_of(error) != "InvalidGroup.NotFound":
            raise
        raise RuleError(f"there is no security group {group} any more: its rules cannot come back") from error
    counts, most = room(clients, group)
    for family, (_, kind) in _OTHER_THAN.items():
        needed = sum(kind not in one for one in permissions)
        if most is not None and needed and counts[family] + needed > most:
            raise RuleError(
                f"{group} has {counts[family]} of {most} ingress rules for {family}, and {needed} more are to come "
                "back: remove some first"
            )


def room(clients: Clients, group: str) -> tuple[dict[str, int], int | None]:
    """How many ingress rules a security group has by family, and how many of each it may; None if it cannot be read.

    A rule for a group or a prefix list counts for both, once at least (`ec2:DescribeSecurityGroupRules`,
    `servicequotas:GetServiceQuota`; VPC guide, "Amazon VPC quotas").
    """
    quotas, standing = clients.client("service-quotas"), list(_listed(clients.client("ec2"), group))
    found = unless_denied(lambda: quotas.get_service_quota(ServiceCode="vpc", QuotaCode=_QUOTA))
    counts = {family: sum(shown not in one for one in standing) for family, (shown, _) in _OTHER_THAN.items()}
    return counts, int(found["Quota"]["Value"]) if found else None


def group_of(name: str) -> str:
    """The security group of a rule, by the rule's name."""
    return name.split(" ", 1)[0]


def _listed(ec2: Any, group: str) -> Iterator[dict[str, Any]]:
    rules = Pages(ec2.describe_security_group_rules, Filters=[{"Name": "group-id", "Values": [group]}])
    return (rule for rule in rules.items("SecurityGroupRules") if not rule["IsEgress"])


def _name(rule: dict[str, Any]) -> str:
    protocol, first, last = rule["IpProtocol"], rule.get("FromPort", -1), rule.get("ToPort", -1)
    ports = "all" if protocol == "-1" else f"{first}-{last}"
    return f"{rule['GroupId']} {'any' if protocol == '-1' else protocol} {ports} {_source(rule)}"


def _source(rule: dict[str, Any]) -> str:
    found = rule.get("CidrIpv4") or rule.get("CidrIpv6") or rule.get("PrefixListId")
    return str(found or rule.get("ReferencedGroupInfo", {}).get("GroupId"))


def _spans(rule: dict[str, Any], port: int) -> bool:
    return rule["IpProtocol"] == "-1" or (
        rule["IpProtocol"] in ("tcp", "udp") and int(rule["FromPort"]) <= port <= int(rule["ToPort"])
    )


def _permission(rule: dict[str, Any]) -> dict[str, Any]:
    described = {"Description": rule["Description"]} if rule.get("Description") else {}
    ports = {} if rule["IpProtocol"] == "-1" else {"FromPort": rule["FromPort"], "ToPort": rule["ToPort"]}
    if "CidrIpv4" in rule:
        source = {"IpRanges": [{"CidrIp": rule["CidrIpv4"], **described}]}
    elif "CidrIpv6" in rule:
        source = {"Ipv6Ranges": [{"CidrIpv6": rule["CidrIpv6"], **described}]}
    elif "PrefixListId" in rule:
        source = {"PrefixListIds": [{"PrefixListId": rule["PrefixListId"], **described}]}
    else:
        group = rule["ReferencedGroupInfo"]
        kept = {name: group[name] for name in ("GroupId", "UserId", "VpcPeeringConnectionId") if group.get(name)}
        source = {"UserIdGroupPairs": [{**kept, **described}]}
    return {"IpProtocol": rule["IpProtocol"], **ports, **source}


def _tagged(tags: dict[str, str]) -> dict[str, Any]:
    if not tags:
        return {}
    listed = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
    return {"TagSpecifications": [{"ResourceType": "security-group-rule", "Tags": listed}]}

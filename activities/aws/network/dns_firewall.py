"""Route 53 Resolver's DNS Firewall: what stops the names that network ACLs and security groups let through."""

from typing import Any
from uuid import uuid4

from activities.action import Clients, RuleError
from activities.aws.shared.pages import Pages

_PRIORITIES = range(101, 9901)
"""As `AssociateFirewallRuleGroup` takes them; the lowest is evaluated first."""
_MOST = 5
"""Rule groups that a VPC may have (Route 53 quotas, DNS Firewall)."""
_GOING, _IN_FORCE = "DELETING", "COMPLETE"


class DnsFirewall:
    """The association of a rule group with a VPC; its value is the priority, null while there is none.

    One that is being made has its value already, one that is being deleted has none any more: `under_way` tells them.
    """

    def __init__(self, clients: Clients, group: str, vpc: str) -> None:
        self._clients = clients
        self._group = group
        self._vpc = vpc

    def read(self) -> Any:
        """`route53resolver:ListFirewallRuleGroupAssociations`."""
        found = self._ours()
        return {"Priority": found["Priority"]} if found and found.get("Status") != _GOING else None

    def under_way(self) -> str | None:
        """The status in which it does not filter yet, or still does (Resolver API FirewallRuleGroupAssociation)."""
        found = self._ours()
        return str(found.get("Status")) if found and found.get("Status") != _IN_FORCE else None

    def set(self, value: Any) -> None:
        """Associate or disassociate it (`route53resolver:AssociateFirewallRuleGroup`, `DisassociateFirewallRuleGroup`).

        The token is new each time: whoever calls has looked, and the same group is never associated twice.
        """
        resolver, found = self._clients.once("route53resolver"), self._ours()
        if value is not None:
            resolver.associate_firewall_rule_group(
                CreatorRequestId=uuid4().hex,
                FirewallRuleGroupId=self._group,
                VpcId=self._vpc,
                Priority=value["Priority"],
                Name="incident-isolation",
            )
        elif found and found.get("Status") != _GOING:
            resolver.disassociate_firewall_rule_group(FirewallRuleGroupAssociationId=found["Id"])

    def refuse_protected(self) -> None:
        """Refuse where somebody protected our association from being removed (API FirewallRuleGroupAssociation)."""
        if (self._ours() or {}).get("MutationProtection") == "ENABLED":
            raise RuleError(f"{self._group} is protected from being removed from {self._vpc}: lift that first")

    def planned(self) -> tuple[Any, str]:
        """The value that it shall have, null where the VPC has no room for it; and what is to be said of it."""
        if (standing := self.read()) is not None:
            return standing, ""
        listed = self._associations()
        others = [one for one in listed if one.get("Status") != _GOING]
        if len(others) >= _MOST:
            return (
                None,
                f"the DNS firewall is left as it is: {self._vpc} has {len(others)} rule groups, AWS allows {_MOST}",
            )
        taken = {one["Priority"] for one in listed}
        priority = next(number for number in _PRIORITIES if number not in taken)
        before = [one["FirewallRuleGroupId"] for one in others if one["Priority"] < priority]
        said = f"rule groups of the DNS firewall that decide first: {', '.join(before)}" if before else ""
        return {"Priority": priority}, said

    def _ours(self) -> dict[str, Any] | None:
        return next((one for one in self._associations() if one["FirewallRuleGroupId"] == self._group), None)

    def _associations(self) -> list[dict[str, Any]]:
        resolver = self._clients.client("route53resolver")
        found = Pages(resolver.list_firewall_rule_group_associations, VpcId=self._vpc)
        return list(found.items("FirewallRuleGroupAssociations"))

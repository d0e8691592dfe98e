"""What is ours: resources that no change may isolate or stop."""

from collections.abc import Iterable, Mapping
from typing import Any

from activities.action import RuleError
from activities.aws.shared.addresses import Networks
from domain.config.environment import Environment


def refuse_protected(environment: Environment, resources: Iterable[str]) -> None:
    """Raise `RuleError` when one of the resources (ids, names or ARNs) is protected, or the orchestrator runs on it.

    An id in the one and its ARN in the other are the same resource.
    """
    for resource in resources:
        for shielded in environment.shielded.resources:
            if _names(resource) & _names(shielded):
                raise RuleError(f"{resource} is protected: environment {environment.name} names it as ours")


def refuse_orchestrators(environment: Environment, interface: Mapping[str, Any]) -> None:
    """Raise `RuleError` for a network interface with an address of the orchestrator's (EC2 API NetworkInterface)."""
    known = Networks(environment.orchestrator.addresses)
    private = interface.get("PrivateIpAddresses", [])
    found = [one["PrivateIpAddress"] for one in private]
    found += [one["Association"]["PublicIp"] for one in private if one.get("Association", {}).get("PublicIp")]
    found += [one["Ipv6Address"] for one in interface.get("Ipv6Addresses", [])]
    if ours := next((address for address in found if address in known), None):
        raise RuleError(f"{interface['NetworkInterfaceId']} has {ours}, the orchestrator's own address")


def _names(resource: str) -> set[str]:
    """An ARN as it is and by the id at its end; anything else as it is."""
    parts = resource.split(":", 5)
    if parts[0] != "arn" or len(parts) < 6:
        return {resource}
    return {resource, parts[5].split("/", 1)[-1]}

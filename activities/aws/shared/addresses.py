"""Internet addresses that may be blocked, and those that must not."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from activities.action import Clients, RuleError

Network = IPv4Network | IPv6Network

_NEVER_A_CLIENT = tuple(
    ip_network(one)
    for one in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4"),
        *("::/8", "100::/64", "fc00::/7", "fe80::/10", "ff00::/8"),
    )
)
"""Private, loopback, link-local, shared, multicast and reserved space (IANA special-purpose address registries)."""

_NARROWEST = {4: 8, 6: 16}
_WIDE = {4: 24, 6: 48}
_MANY = 20


class Networks:
    """Address blocks, such as those that an environment names as its own."""

    def __init__(self, blocks: Iterable[str]) -> None:
        self._blocks = [ip_network(block, strict=False) for block in blocks]

    def __contains__(self, address: str) -> bool:
        """Tell whether an address lies in one of them; what is no address does not."""
        try:
            found = ip_address(address)
        except ValueError:
            return False
        return any(found in block for block in self._blocks)


def listed(value: Any) -> Any:
    """Take a list as people write it: `198.51.100.7, 2001:db8::7/64`. For a validator before pydantic's own."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def normalised(addresses: tuple[str, ...]) -> tuple[str, ...]:
    """Write each address as the network it stands for, sorted, each once. Raises `ValueError` for what is none."""
    found: set[Network] = set()
    for address in addresses:
        try:
            found.add(ip_network(address.strip(), strict=False))
        except ValueError:
            raise ValueError(
                f"{address!r} is no address and no network: write 198.51.100.7 or 198.51.100.0/24"
            ) from None
    return tuple(str(one) for one in sorted(found, key=lambda one: (one.version, int(one.network_address), str(one))))


class Blocked:
    """Marks a parameter that is addresses to be blocked: those of the orchestrator are refused, whatever the action."""


BLOCKED = Blocked()
Addresses = Annotated[tuple[str, ...], AfterValidator(normalised), BeforeValidator(listed), BLOCKED]
"""Addresses and networks to be blocked as parameters, each once and normalised."""


def own_addresses(clients: Clients) -> list[str]:
    """The elastic addresses of the account, those of NAT gateways among them (`ec2:DescribeAddresses`)."""
    found = clients.client("ec2").describe_addresses()["Addresses"]
    return [one["PublicIp"] for one in found if one.get("PublicIp")]


def refuse_unblockable(addresses: Iterable[str], protected: Iterable[str], own: Iterable[str]) -> None:
    """Raise `RuleError` for what no attacker can come from, is far too wide, or is ours.

    `protected` is what the environment names, `own` what the account holds.
    """
    shielded = [(ip_network(one, strict=False), "protected: the environment names it as ours") for one in protected]
    shielded += [(ip_network(one, strict=False), "an elastic address of this account") for one in own]
    for network in map(ip_network, addresses):
        if network.prefixlen < _NARROWEST[network.version]:
            raise RuleError(f"{network} is far too wide to block: /{_NARROWEST[network.version]} is the widest")
        for one, why in shielded:
            if overlap(network, one):
                raise RuleError(f"{network} overlaps {one}, which is {why}: name narrower addresses")
        if inner := next((one for one in _NEVER_A_CLIENT if overlap(network, one)), None):
            raise RuleError(f"{network} overlaps {inner}, which is private or reserved: no client comes from there")


def are_many(addresses: Iterable[str]) -> bool:
    """Tell whether blocking them may well hit bystanders: more than 20, or one of /24 (IPv6: /48) or wider."""
    networks = [ip_network(one) for one in addresses]
    return len(networks) > _MANY or any(one.prefixlen <= _WIDE[one.version] for one in networks)


def overlap(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)

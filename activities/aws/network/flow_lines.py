"""Read the lines of a VPC's flow log in CloudWatch Logs, in whichever format it is kept; no line leaves the worker."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from activities.aws.network.ec2_flow_logs import log_group
from activities.aws.shared.log_records import events
from activities.aws.shared.windows import Window

_DEFAULT_FORMAT = (
    "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} "
    "${packets} ${bytes} ${start} ${end} ${action} ${log-status}"
)
_FIELD = re.compile(r"\$\{([a-z0-9-]+)\}")


class Flow(NamedTuple):
    """One flow of one aggregation interval: its addresses as they are written, and the lower of its two ports.

    An answer that is refused comes from the port that was asked for, and goes to one out of the upper range.
    """

    source: str
    target: str
    port: int


class Inside:
    """The addresses of a VPC."""

    def __init__(self, blocks: list[str]) -> None:
        self._blocks = [ipaddress.ip_network(block) for block in blocks]

    @classmethod
    def of(cls, ec2: Any, vpc: str) -> "Inside":
        """Read its address blocks, IPv4 and IPv6 (`ec2:DescribeVpcs`)."""
        found = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]
        blocks = [one["CidrBlock"] for one in found.get("CidrBlockAssociationSet", [])]
        return cls([*blocks, *(one["Ipv6CidrBlock"] for one in found.get("Ipv6CidrBlockAssociationSet", []))])

    def holds(self, address: str) -> bool:
        """Tell whether an address is one of them; `-`, which stands where there was none, is not."""
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in block for block in self._blocks)


class Flows:
    """The flows of one window that met one end, the latest page first, of at most so many pages.

    Once they have been gone through, `truncated` says whether there are more.
    """

    def __init__(self, logs: Any, log: dict[str, Any], action: str, window: Window, most_pages: int) -> None:
        self._events = events(logs, log_group(log), action, window, most_pages)
        self._fields = _FIELD.findall(log.get("LogFormat") or _DEFAULT_FORMAT)
        self._action = action

    def __iter__(self) -> Iterator[Flow]:
        found = (self._flow(event["message"]) for event in self._events.items("events"))
        yield from (flow for flow in found if flow)

    @property
    def truncated(self) -> bool:
        return self._events.truncated

    def _flow(self, line: str) -> Flow | None:
        """Read one line, unless it tells of another end: the filter's word may stand anywhere in it."""
        found = dict(zip(self._fields, line.split(), strict=False))
        if found.get("action") != self._action:
            return None
        ports = [int(found[name]) for name in ("srcport", "dstport") if found.get(name, "").isdecimal()]
        return Flow(found.get("srcaddr", "-"), found.get("dstaddr", "-"), min(ports, default=0))

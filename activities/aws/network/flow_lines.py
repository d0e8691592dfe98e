"""Read the lines of a VPC's flow log in CloudWatch Logs, in whichever format it is kept; no line leaves the worker."""

import re
from collections import Counter
from typing import Any

from activities.aws.network.ec2_flow_logs import log_group
from activities.aws.shared.addresses import Networks
from activities.aws.shared.log_records import events
from activities.aws.shared.windows import Window

_DEFAULT_FORMAT = (
    "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} "
    "${packets} ${bytes} ${start} ${end} ${action} ${log-status}"
)
_FIELD = re.compile(r"\$\{([a-z0-9-]+)\}")


def inside(ec2: Any, vpc: str) -> Networks:
    """The address blocks of a VPC, IPv4 and IPv6 (`ec2:DescribeVpcs`)."""
    found = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]
    blocks = [one["CidrBlock"] for one in found.get("CidrBlockAssociationSet", [])]
    return Networks([*blocks, *(one["Ipv6CidrBlock"] for one in found.get("Ipv6CidrBlockAssociationSet", []))])


class Verdict:
    """The flows of a window that met one end; `source` is the flow log that holds them, if CloudWatch Logs does.

    `ports` counts those between addresses of the network's own, each by the lower of its two ports: an answer that is
    refused comes from the port that was asked for, and goes to one out of the upper range.
    """

    def __init__(self, action: str, logs: list[dict[str, Any]]) -> None:
        self._action = action
        self.source = next((log for log in logs if log.get("TrafficType") in {"ALL", action}), None)
        self.count = 0
        self.ports: Counter[int] = Counter()
        self.truncated = False

    def read(self, logs: Any, own: Networks, window: Window, most_pages: int) -> None:
        """Count its flows, the latest page first (`logs:FilterLogEvents`)."""
        if self.source is None:
            return
        fields = _FIELD.findall(self.source.get("LogFormat") or _DEFAULT_FORMAT)
        found = events(logs, log_group(self.source), self._action, window, most_pages)
        for event in found.items("events"):
            flow = dict(zip(fields, event["message"].split(), strict=False))
            # the filter's word may stand anywhere in a line
            if flow.get("action") == self._action:
                self._take(flow, own)
        self.truncated = found.truncated

    def _take(self, flow: dict[str, str], own: Networks) -> None:
        self.count += 1
        if flow.get("srcaddr", "-") in own and flow.get("dstaddr", "-") in own:
            ports = [int(flow[name]) for name in ("srcport", "dstport") if flow.get(name, "").isdecimal()]
            self.ports[min(ports, default=0)] += 1

    def describe(self, verb: str) -> str:
        if self.source is None:
            return f"none on record that was {verb}"
        return f"{'at least ' if self.truncated else ''}{self.count} {verb}"

"""Read the lines of a VPC's flow log in CloudWatch Logs, in whichever format it is kept; no line leaves the worker."""

import re
from collections import Counter
from datetime import datetime
from typing import Any

from activities.aws.network.ec2_flow_logs import log_group
from activities.aws.shared.addresses import Networks
from activities.aws.shared.log_records import described, events, kept_since
from activities.aws.shared.windows import Window

_DEFAULT_FORMAT = (
    "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} "
    "${packets} ${bytes} ${start} ${end} ${action} ${log-status}"
)
_SKIPPED = "SKIPDATA"
_VERDICTS = frozenset({"ACCEPT", "REJECT"})
_FIELD = re.compile(r"\$\{([a-z0-9-]+)\}")


def inside(ec2: Any, vpc: str) -> Networks:
    """The address blocks of a VPC, IPv4 and IPv6 (`ec2:DescribeVpcs`)."""
    found = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]
    blocks = [one["CidrBlock"] for one in found.get("CidrBlockAssociationSet", [])]
    return Networks([*blocks, *(one["Ipv6CidrBlock"] for one in found.get("Ipv6CidrBlockAssociationSet", []))])


class Format:
    """The fields of a flow log's lines. Its own, or those of packets: what stands in both is the interface's."""

    def __init__(self, log: dict[str, Any]) -> None:
        self._fields = _FIELD.findall(log.get("LogFormat") or _DEFAULT_FORMAT)
        self.source, self.target = (self._either(one, f"pkt-{one}") for one in ("srcaddr", "dstaddr"))

    @property
    def lacks(self) -> list[str]:
        """What it takes to see refusals between addresses, and lines that AWS left out, and is not there."""
        wanted = {"action": "action", "log-status": "log-status", "source": self.source, "target": self.target}
        return [name for name, field in wanted.items() if field is None or field not in self._fields]

    def read(self, line: str) -> dict[str, str] | None:
        """The fields of a line; None for one that has more or fewer."""
        values = line.split()
        return dict(zip(self._fields, values, strict=True)) if len(values) == len(self._fields) else None

    def _either(self, *names: str) -> str | None:
        return next((name for name in names if name in self._fields), None)


class Verdict:
    """The flows of a window that met one end; `source` is the flow log that holds them, if CloudWatch Logs does.

    `ports` counts those between addresses of the network's own, each by the lower of its two ports: an answer that is
    refused comes from the port that was asked for, and goes to one out of the upper range. `unread` are lines that do
    not have the format's fields, or no verdict where that stands.
    """

    def __init__(self, action: str, logs: list[dict[str, Any]]) -> None:
        self._action = action
        kept = [log for log in logs if log.get("TrafficType") in {"ALL", action}]
        self.source = min(kept, key=lambda log: len(Format(log).lacks), default=None)
        self.lacks = Format(self.source).lacks if self.source else []
        self.count = self.unread = 0
        self.ports: Counter[int] = Counter()
        self.truncated = False

    def read(self, logs: Any, own: Networks, window: Window, most_pages: int) -> None:
        """Count its flows, the latest page first (`logs:FilterLogEvents`)."""
        if self.source is None:
            return
        form = Format(self.source)
        found = events(logs, log_group(self.source), self._action, window, most_pages)
        for event in found.items("events"):
            flow = form.read(event["message"])
            if flow is None or flow.get("action", self._action) not in _VERDICTS:
                self.unread += 1
            # the filter's word may stand anywhere in a line
            elif flow.get("action") == self._action:
                self._take(flow, form, own)
        self.truncated = found.truncated

    def since(self, logs: Any, window: Window) -> datetime | None:
        """From when on it is on record, where that is within a window (`logs:DescribeLogGroups`)."""
        if self.source is None:
            return None
        begun = self.source.get("CreationTime", window.start)
        return kept_since(described(logs, log_group(self.source)) or {}, window, begun)

    def _take(self, flow: dict[str, str], form: Format, own: Networks) -> None:
        self.count += 1
        if flow.get(form.source or "", "-") in own and flow.get(form.target or "", "-") in own:
            ports = [int(flow[name]) for name in ("srcport", "dstport") if flow.get(name, "").isdecimal()]
            self.ports[min(ports, default=0)] += 1

    def describe(self, verb: str) -> str:
        if self.source is None:
            return f"none on record that was {verb}"
        return f"{'at least ' if self.truncated else ''}{self.count} {verb}"


def skipped(logs: Any, log: dict[str, Any], window: Window, most_pages: int) -> tuple[int, bool]:
    """How many lines say that AWS left records out, and whether there are pages unread (`logs:FilterLogEvents`).

    The log status SKIPDATA (VPC guide, "Flow log records"): some were skipped in the interval, and stand nowhere.
    """
    found = events(logs, log_group(log), _SKIPPED, window, most_pages)
    return sum(_SKIPPED in event["message"].split() for event in found.items("events")), found.truncated

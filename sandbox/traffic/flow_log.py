"""The flow log of a VPC, line by line as AWS writes its default format (VPC user guide, "Flow log records")."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sandbox.runtime.aws_world import World

_INTERVAL = timedelta(minutes=1)
_TCP = 6  # the IANA protocol number
_STRANGERS = ("192.0.2.77", "198.51.100.140")
"""Scanners, from documentation networks (RFC 5737), so nobody's."""
_SCANNED = (22, 3389, 5432)


@dataclass(frozen=True)
class Flow:
    """One connection in one minute, as a network interface saw it."""

    at: datetime
    source: str
    target: str
    port: int
    action: str = "ACCEPT"
    source_port: int = 49152
    packets: int = 12


def log_group(vpc: str) -> str:
    return f"/aws/vpc/{vpc}"


def usual(world: World, moments: list[datetime]) -> None:
    """Write a minute of normal traffic up to each of these times: between the tiers, and scanners that are rejected."""
    for number, network in enumerate(world.environment.networks.values()):
        write(world, network.vpc_id, [flow for at in moments for flow in _minute(number, at)])


def write(world: World, vpc: str, flows: list[Flow]) -> None:
    """Write flows, oldest first, to a VPC's log group, one stream for each network interface (`PutLogEvents`)."""
    logs = world.client("logs")
    group = {"logGroupName": log_group(vpc)}
    for target in sorted({flow.target for flow in flows}):
        interface = f"eni-{sha256(target.encode()).hexdigest()[:17]}"
        stream = f"{interface}-all"
        if not logs.describe_log_streams(**group, logStreamNamePrefix=stream)["logStreams"]:
            logs.create_log_stream(**group, logStreamName=stream)
        events = [
            {"timestamp": int(flow.at.timestamp() * 1000), "message": _line(world.environment.account, interface, flow)}
            for flow in sorted(flows, key=lambda flow: flow.at)
            if flow.target == target
        ]
        logs.put_log_events(**group, logStreamName=stream, logEvents=events)


def _minute(number: int, at: datetime) -> list[Flow]:
    """The load balancer calls the tasks, the tasks call the database, and a scanner is rejected."""
    balancer, tasks, database = (f"10.{number}.{zone}.{host}" for zone, host in ((1, 5), (1, 20), (2, 40)))
    source_port = 49152 + at.minute
    return [
        Flow(at, balancer, tasks, 8080, source_port=source_port, packets=220),
        Flow(at, tasks, database, 5432, source_port=source_port, packets=340),
        Flow(
            at,
            _STRANGERS[at.minute % len(_STRANGERS)],
            balancer,
            _SCANNED[at.minute % len(_SCANNED)],
            action="REJECT",
            source_port=source_port,
            packets=1,
        ),
    ]


def _line(account: str, interface: str, flow: Flow) -> str:
    end = int(flow.at.timestamp())
    return (
        f"2 {account} {interface} {flow.source} {flow.target} {flow.source_port} {flow.port} {_TCP} "
        f"{flow.packets} {flow.packets * 730} {end - _INTERVAL.seconds} {end} {flow.action} OK"
    )

"""A sign of life for what watches from outside: pages can go out, as far as Temporal and a worker of `notify` go.

Whoever would tell of their failure needs them for it. So CloudWatch counts these signs, and its alarm rings, by e-mail
of SNS, when they stop; the stack of `make iam` makes it.
"""

import asyncio
from datetime import timedelta

import structlog
from temporalio.client import Client

from activities.action import Clients
from activities.permissions.statements import HEARTBEAT
from worker.connect import is_polled

_EVERY = timedelta(minutes=1)
_log = structlog.get_logger(__name__)


async def beat(client: Client, clients: Clients, namespace: str, queue: str, every: timedelta = _EVERY) -> None:
    """Put one data point of 1 into the namespace `every` so often, while Temporal shows us polling `queue`.

    Until it is cancelled. What goes wrong is logged and tried again: that no sign comes is what the alarm tells.
    Temporal: `DescribeTaskQueue`. `cloudwatch:PutMetricData`.
    """
    while True:
        try:
            if await is_polled(client, queue):
                await asyncio.to_thread(sign, clients, namespace)
            else:
                _log.warning("no heartbeat: the server does not show us polling", queue=queue)
        except Exception as error:  # noqa: BLE001 - whatever it is, the alarm outside tells that no sign came
            _log.warning("no heartbeat", error=type(error).__name__)
        await asyncio.sleep(every.total_seconds())


def sign(clients: Clients, namespace: str) -> None:
    """Count one sign of life (`cloudwatch:PutMetricData`)."""
    point = {"MetricName": HEARTBEAT, "Value": 1.0, "Unit": "Count"}
    clients.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[point])

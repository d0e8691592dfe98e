"""Log groups of services in moto, small ones and such as only Logs Insights reads."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from moto.logs.models import LogEvent, logs_backends

from activities.aws.shared.clients import AwsClients
from sandbox.aws import logs_insights
from tests.activities.scopes import ACCOUNT, NOW, REGION
from tests.activities.world import WorldClients

GROUP = "/ecs/axis-backend"
BAD, HOME = "198.51.100.61", "192.0.2.44"
VICTIM = "someone@example.com"
Said = tuple[float, str]


def record(minutes_ago: float, event: str = "AUTHENTICATION", address: str = BAD, **more: Any) -> Said:
    """A line on what somebody did, so long before NOW."""
    words = {"eventType": event, "success": False, "sourceIp": address, "userId": VICTIM, **more}
    return minutes_ago, json.dumps(words)


def guesses(count: int, **more: Any) -> list[Said]:
    return [record(30 - number / 10, **more) for number in range(count)]


def normal() -> list[Said]:
    """Somebody signs in and reads a study, from home."""
    return [record(9, success=True, address=HOME), record(8, "DATA_ACCESS", HOME, success=True, resourceId="s1")]


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def log_of(*lines: Said, busy: bool = False, group: str = GROUP, stream: str = "app/app/1") -> AwsClients:
    """Clients of an account within moto's mock, with a group that has these lines; a `busy` one is read by Insights."""
    logs_insights.install()
    clients = WorldClients().inner
    logs = clients.client("logs")
    logs.create_log_group(logGroupName=group, logGroupClass="INFREQUENT_ACCESS" if busy else "STANDARD")
    logs_backends[ACCOUNT][REGION].groups[group].creation_time = (NOW - timedelta(days=30)).replace(tzinfo=None)
    written(clients, lines, group, stream)
    return clients


def written(clients: AwsClients, lines: Iterable[Said], group: str = GROUP, stream: str = "app/app/1") -> None:
    """Put lines into a stream of their own, each so many minutes before NOW.

    They are put into moto's store: PutLogEvents takes none that is older than two weeks.
    """
    clients.client("logs").create_log_stream(logGroupName=group, logStreamName=stream)
    there = logs_backends[ACCOUNT][REGION].groups[group].streams[stream]
    for ago, text in lines:
        at = milliseconds(NOW - timedelta(minutes=ago))
        there.events.append(LogEvent(at, {"timestamp": at, "message": text}))

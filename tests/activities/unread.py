"""What a probe may be shown that it cannot judge by: the cases that every probe is held to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from activities.action import Clients
from domain.model.calls import Scope
from tests.activities.scopes import NOW, scope


class Case(StrEnum):
    NO_SOURCE = "what it reads does not exist"
    EMPTY = "it exists and holds nothing"
    UNRECOGNISED = "it holds records, and none that the probe recognises"
    OLD = "all that it holds is older than the window"
    ONE_UNREADABLE = "one record among good ones cannot be read"
    CUT_OFF = "there are more pages than are read"
    TROUBLE_BESIDE_UNREADABLE = "there is trouble, and one record that cannot be read"
    PARTIAL_METRIC = "all is well by its metrics, of which CloudWatch gives a part"


@dataclass(frozen=True)
class Look:
    """A probe's clients and what it is asked."""

    clients: Clients
    params: dict[str, Any] = field(default_factory=dict)
    scope: Scope = field(default_factory=scope)
    at: datetime = NOW


class Partial:
    """Clients of which CloudWatch calls every metric partial, whatever it answers (GetMetricData, StatusCode)."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def client(self, service: str) -> Any:
        client = self._clients.client(service)
        return _PartialFigures(client) if service == "cloudwatch" else client

    def once(self, service: str) -> Any:
        return self._clients.once(service)


class _PartialFigures:
    def __init__(self, cloudwatch: Any) -> None:
        self._cloudwatch = cloudwatch

    def get_metric_data(self, **asked: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._cloudwatch.get_metric_data(**asked)
        return answer | {
            "MetricDataResults": [one | {"StatusCode": "PartialData"} for one in answer["MetricDataResults"]]
        }


class Young:
    """Clients of which CloudWatch Logs says that each log group was made a minute ago, as after a deletion."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def client(self, service: str) -> Any:
        client = self._clients.client(service)
        return _YoungGroups(client) if service.partition("@")[0] == "logs" else client

    def once(self, service: str) -> Any:
        return self._clients.once(service)


class _YoungGroups:
    def __init__(self, logs: Any) -> None:
        self._logs = logs

    def __getattr__(self, operation: str) -> Any:
        return getattr(self._logs, operation)

    def describe_log_groups(self, **asked: Any) -> dict[str, Any]:
        made = round((NOW - timedelta(minutes=1)).timestamp() * 1000)
        return {"logGroups": [{"logGroupName": asked["logGroupNamePrefix"], "creationTime": made}]}


ProbeCases = dict[str, Mapping[Case, Callable[[], Look] | str]]
"""By the probe's name: what makes each case, called within moto's mock, or a sentence why it cannot be."""

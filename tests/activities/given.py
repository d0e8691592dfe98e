"""Clients for tests: botocore stubs that answer what AWS would, and moto where it is faithful."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from typing import Any, cast
from unittest.mock import patch

import boto3
from botocore.stub import Stubber
from moto import mock_aws
from moto.cloudwatch.models import Statistics

from activities.aws.shared.clients import AwsClients
from tests.activities.scopes import REGION


class Stubbed:
    """The clients of an action, all of one service, answering what `answer` queued, in that order.

    Botocore checks requests and answers against the service's model; `expected` is the whole request.
    """

    def __init__(self, service: str) -> None:
        self._service = service
        session = boto3.Session("testing", "testing", region_name=REGION)
        self._client: Any = session.client(cast("Any", service))
        self.stubber = Stubber(self._client)
        self.stubber.activate()

    def answer(self, operation: str, response: dict[str, Any], expected: dict[str, Any] | None = None) -> None:
        self.stubber.add_response(operation, response, expected)

    def client(self, service: str) -> Any:
        assert service == self._service
        return self._client

    def once(self, service: str) -> Any:
        raise AssertionError(f"a probe writes nothing, so it needs no single-attempt client of {service}")

    def all_asked(self) -> None:
        """Fail when a queued answer was not asked for."""
        self.stubber.assert_no_pending_responses()


_moto_statistic = Statistics.get_statistics_for_type


def _statistic(self: Statistics, stat: str) -> Any:
    """Give a percentile by nearest rank: moto answers None to one, which it then cannot send."""
    if not stat.startswith("p"):
        return _moto_statistic(self, stat)
    values = sorted(self.metric_single_values_list)
    return values[ceil(float(stat[1:]) / 100 * len(values)) - 1]


@contextmanager
def moto() -> Iterator[AwsClients]:
    """Give clients of an empty simulated account, whose CloudWatch knows percentiles, too."""
    with mock_aws(), patch.object(Statistics, "get_statistics_for_type", _statistic):
        yield AwsClients(boto3.Session("testing", "testing", region_name=REGION), REGION)

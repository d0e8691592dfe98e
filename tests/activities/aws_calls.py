"""What was sent to AWS, and what AWS is to answer: botocore's own hooks, so that nothing of ours is replaced."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import boto3
from moto import mock_aws

from activities.aws.shared.clients import AwsClients
from tests.activities.scopes import REGION


class RecordedAws(AwsClients):
    """Clients that note every call, and answer some of them from a script instead of moto."""

    def __init__(self) -> None:
        super().__init__(boto3.Session(region_name=REGION), REGION)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._hooked: set[int] = set()
        self._answers: dict[str, Callable[[dict[str, Any]], Any]] = {}

    def answer(self, operation: str, answer: Callable[[dict[str, Any]], Any]) -> None:
        """Let `answer` (given the parameters) answer an operation; None lets moto do it; it may raise."""
        self._answers[operation] = answer

    def fail(self, operation: str, code: str, status: int = 400) -> None:
        error = {"Error": {"Code": code, "Message": "as the test wants it"}, "ResponseMetadata": {}}
        self._answers[operation] = lambda _params: (SimpleNamespace(status_code=status), error)

    def sent(self, operation: str) -> list[dict[str, Any]]:
        return [params for name, params in self.calls if name == operation]

    def _cached(self, service: str, attempts: int) -> Any:
        client = super()._cached(service, attempts)
        if id(client) not in self._hooked:
            self._hooked.add(id(client))
            name = service.partition("@")[0]
            client.meta.events.register(f"provide-client-params.{name}", self._note)
            client.meta.events.register(f"before-call.{name}", self._before)
        return client

    def _note(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self.calls.append((model.name, params))

    def _before(self, model: Any, **_: Any) -> Any:
        answer = self._answers.get(model.name)
        given = None if answer is None else answer(self.sent(model.name)[-1])
        return (SimpleNamespace(status_code=200), given) if isinstance(given, dict) else given


def balanced(*groups: str, **fields: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """What DescribeServices answers of a service behind these target groups."""
    balancers = [{"targetGroupArn": group} for group in groups]
    service = {"status": "ACTIVE", "loadBalancers": balancers, **fields}
    return lambda _asked: {"services": [service], "failures": []}


@contextmanager
def recorded_aws() -> Iterator[RecordedAws]:
    with mock_aws():
        yield RecordedAws()

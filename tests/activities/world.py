"""AWS as changes see it in tests: moto's clients, every call on record, with answers that can be lost on the way."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from types import SimpleNamespace
from typing import Any, Literal

import boto3
from botocore import xform_name
from moto import mock_aws

from activities.aws.shared.clients import AwsClients
from tests.activities.scopes import REGION, environment
from tests.activities.wire import AGAIN, Wire

LEDGER = environment().ledger_table
WIRE = Wire()
_READS = ("admin_get_", "describe_", "get_", "head_", "invoke", "list_")  # the one function that we invoke counts


class LostError(ConnectionError):
    """The connection broke: before the request arrived, or before its answer did."""


class WorldClients:
    """Clients that keep a record. Of the world's writes the one numbered `lose` (from 0) breaks `when` told.

    Where moto is not faithful, a fake of the service answers `instead`, behind botocore as well.
    """

    def __init__(self, instead: dict[str, Any] | None = None) -> None:
        session = _session(os.environ.get("AWS_ENDPOINT_URL"))
        self.inner = _aws(session)
        self.instead = instead or {}
        self.calls: list[str] = []
        self.writes: list[str] = []
        self.lose: int | None = None
        self.when: Literal["unsent", "unanswered"] = "unanswered"
        self.before_write: Callable[[], None] = lambda: None
        self._faked = _Faked(session, self.instead)

    def client(self, service: str) -> Any:
        return _Recorded(service, self._source(service).client(service), self)

    def once(self, service: str) -> Any:
        return _Recorded(service, self._source(service).once(service), self)

    def _source(self, service: str) -> AwsClients:
        return self._faked if service in self.instead else self.inner


class _Recorded:
    def __init__(self, service: str, inner: Any, world: WorldClients) -> None:
        self._service = service
        self._inner = inner
        self._world = world

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found) or name in {"exceptions", "get_paginator"}:
            return found

        def call(**kwargs: Any) -> Any:
            world = self._world
            world.calls.append(f"{self._service}.{name}")
            if name.startswith(_READS) or self._service == "dynamodb":
                return found(**kwargs)
            lost = world.lose == len(world.writes)
            with WIRE.deaf():
                world.before_write()
            world.writes.append(f"{self._service}.{name}")
            if lost and world.when == "unsent":
                raise LostError
            answer = found(**kwargs)
            if lost:
                raise LostError
            return answer

        return call


class _Faked(AwsClients):
    """Clients whose calls go to the fakes: by the name of the operation, with the parameters that were asked."""

    def __init__(self, session: boto3.Session, fakes: dict[str, Any]) -> None:
        super().__init__(session, REGION)
        self._fakes = fakes
        self._hooked: list[Any] = []

    def _cached(self, service: str, attempts: int) -> Any:
        client = super()._cached(service, attempts)
        if client not in self._hooked:
            self._hooked.append(client)

            def answer(model: Any, context: dict[str, Any], **_: Any) -> Any:
                method = getattr(self._fakes[service], xform_name(model.name))
                if context.pop(AGAIN, False):
                    method(**context["asked"])
                return SimpleNamespace(status_code=200), method(**context["asked"])

            client.meta.events.register("before-call", answer)
        return client


@cache
def _session(_endpoint: str | None) -> boto3.Session:
    session = boto3.Session("testing", "testing", region_name=REGION)
    WIRE.tap(session.events)
    return session


@cache
def _aws(session: boto3.Session) -> AwsClients:
    """Clients of all worlds: moto begins anew with every test, but clients take long to make."""
    return AwsClients(session, REGION)


def forget_clients() -> None:
    """Let the worlds from here on make new clients: whoever hooks into botocore's sessions begins and ends with it."""
    _session.cache_clear()
    _aws.cache_clear()


@contextmanager
def ledger_clients() -> Iterator[WorldClients]:
    """Clients of an account with nothing in it but the ledger's table."""
    with mock_aws():
        clients = WorldClients()
        create_ledger(clients)
        yield clients


def create_ledger(clients: WorldClients, name: str = LEDGER) -> None:
    """Make the ledger's table, as the worker expects it."""
    create_table(clients.inner.client("dynamodb"), name)


def create_table(dynamodb: Any, name: str = LEDGER) -> None:
    """Make it by a client that is not noted."""
    keys: Any = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    kinds: Any = [{"AttributeName": one, "AttributeType": "S"} for one in ("pk", "sk")]
    dynamodb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=keys, AttributeDefinitions=kinds)

"""AWS as changes see it in tests: moto's clients, every call on record, with answers that can be lost on the way."""

from collections.abc import Callable
from typing import Any, Literal

import boto3

from activities.aws.clients import AwsClients
from tests.activities.scopes import REGION, environment

LEDGER = environment().ledger_table
_WRITES = (
    *("update_", "stop_", "modify_", "register_scalable_target", "put_object", "copy_object", "delete_object"),
    *("authorize_", "revoke_", "create_network_acl_entry", "delete_network_acl_entry"),
    *("put_logging", "delete_logging", "create_flow_logs", "delete_flow_logs", "put_retention", "admin_disable"),
    *("reboot_db_instance", "promote_read_replica", "put_parameter", "create_db_snapshot"),
    *("start_logging", "disable_alarm_actions", "enable_alarm_actions"),
    *("admin_enable", "admin_reset", "admin_user_global", "admin_set_user_mfa", "set_user_pool_mfa"),
)


class LostError(ConnectionError):
    """The connection broke: before the request arrived, or before its answer did."""


class WorldClients:
    """Clients that keep a record. Of the world's writes the one numbered `lose` (from 0) breaks `when` told."""

    def __init__(self, instead: dict[str, Any] | None = None) -> None:
        self.inner = AwsClients(boto3.Session(), REGION)
        self.instead = instead or {}
        self.calls: list[str] = []
        self.writes: list[str] = []
        self.lose: int | None = None
        self.when: Literal["unsent", "unanswered"] = "unanswered"
        self.before_write: Callable[[], None] = lambda: None

    def client(self, service: str) -> Any:
        return _Recorded(service, self.instead.get(service) or self.inner.client(service), self)

    def once(self, service: str) -> Any:
        return _Recorded(service, self.instead.get(service) or self.inner.once(service), self)


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
            if not name.startswith(_WRITES) or self._service == "dynamodb":
                return found(**kwargs)
            lost = world.lose == len(world.writes)
            world.before_write()
            world.writes.append(f"{self._service}.{name}")
            if lost and world.when == "unsent":
                raise LostError
            answer = found(**kwargs)
            if lost:
                raise LostError
            return answer

        return call


def create_ledger(clients: WorldClients) -> None:
    """Make the ledger's table, as the worker expects it."""
    keys: Any = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    kinds: Any = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
    clients.inner.client("dynamodb").create_table(
        TableName=LEDGER, BillingMode="PAY_PER_REQUEST", KeySchema=keys, AttributeDefinitions=kinds
    )

"""Amazon DynamoDB: each write is whole and by itself, as the ledger counts on.

Moto lets two conditional writes at one instant both succeed. Before each part of a transaction it copies the whole
table, and a cancelled one puts that copy back: what others wrote meanwhile is lost.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import RLock
from typing import Any, ClassVar

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from sandbox.aws.moto_patch import teach

_LOCK = RLock()
_ONE_AT_A_TIME = ("get_item", "put_item", "update_item", "delete_item", "query", "scan")
_transact = DynamoDBBackend.transact_write_items
_operations = {name: getattr(DynamoDBBackend, name) for name in _ONE_AT_A_TIME}


def install() -> None:
    """Put these operations into moto."""
    teach(
        DynamoDBBackend,
        transact_write_items=transact_write_items,
        **{name: _alone(operation) for name, operation in _operations.items()},
    )


def transact_write_items(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """`TransactWriteItems`: all or nothing, and nothing but these items."""
    with _LOCK, _put_back(backend, transact_items):
        _transact(_WithoutTables(backend), transact_items)  # type: ignore[arg-type]


class _WithoutTables:
    """A backend to moto's transaction: what it does not find in `tables` it neither copies nor puts back."""

    tables: ClassVar[dict[str, Any]] = {}

    def __init__(self, backend: DynamoDBBackend) -> None:
        self._backend = backend

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)


@contextmanager
def _put_back(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> Iterator[None]:
    """Put the transaction's items back where it fails."""
    before = [_stored(backend, operation) for one in transact_items for operation in one.values()]
    try:
        yield
    except Exception:
        for found in before:
            if found is not None:
                holder, key, item = found
                holder.pop(key, None) if item is None else holder.__setitem__(key, item)
        raise


def _stored(
    backend: DynamoDBBackend, operation: dict[str, Any]
) -> tuple[dict[DynamoType, Any], DynamoType, Item | None] | None:
    """Where the item of a write is kept, under which key, and a copy of it; None for a table that there is not."""
    table = backend.tables.get(operation["TableName"])
    attributes = operation.get("Item") or operation["Key"]
    names = [] if table is None else [name for name in (table.hash_key_attr, table.range_key_attr) if name]
    if table is None or not attributes.keys() >= set(names):
        return None
    key, *more = (DynamoType(attributes[name]) for name in names)
    holder: dict[DynamoType, Any] = table.items[key] if more else table.items
    last = more[0] if more else key
    return holder, last, copy.deepcopy(holder.get(last))


def _alone(operation: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(operation)
    def alone(*arguments: Any, **named: Any) -> Any:
        with _LOCK:
            return operation(*arguments, **named)

    return alone

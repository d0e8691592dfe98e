"""Amazon DynamoDB with atomic, isolated writes, which the ledger depends on.

moto lets two concurrent conditional writes both succeed. It also copies the whole table before each part of a
transaction and restores that copy on cancellation, which discards whatever others wrote meanwhile.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import RLock
from typing import Any, ClassVar

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from sandbox.aws.moto_patch import patch

_LOCK = RLock()
_SERIALISED = ("get_item", "put_item", "update_item", "delete_item", "query", "scan")
_transact = DynamoDBBackend.transact_write_items
_operations = {name: getattr(DynamoDBBackend, name) for name in _SERIALISED}


def install() -> None:
    """Patch moto with these operations."""
    patch(
        DynamoDBBackend,
        transact_write_items=transact_write_items,
        **{name: _serialised(operation) for name, operation in _operations.items()},
    )


def transact_write_items(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """`TransactWriteItems`: all or nothing, and no other item is touched."""
    with _LOCK, _restored_on_failure(backend, transact_items):
        _transact(_WithoutTables(backend), transact_items)  # type: ignore[arg-type]


class _WithoutTables:
    """Passes for a backend in moto's transaction, but with no tables, so moto has none to copy or restore."""

    tables: ClassVar[dict[str, Any]] = {}

    def __init__(self, backend: DynamoDBBackend) -> None:
        self._backend = backend

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)


@contextmanager
def _restored_on_failure(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> Iterator[None]:
    """Restore the transaction's items if it fails."""
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
    """The dict that holds a write's item, its key and a copy of it; None for a missing table or key."""
    table = backend.tables.get(operation["TableName"])
    attributes = operation.get("Item") or operation["Key"]
    names = [] if table is None else [name for name in (table.hash_key_attr, table.range_key_attr) if name]
    if table is None or not attributes.keys() >= set(names):
        return None
    key, *more = (DynamoType(attributes[name]) for name in names)
    holder: dict[DynamoType, Any] = table.items[key] if more else table.items
    last = more[0] if more else key
    return holder, last, copy.deepcopy(holder.get(last))


def _serialised(operation: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(operation)
    def serialised(*arguments: Any, **named: Any) -> Any:
        with _LOCK:
            return operation(*arguments, **named)

    return serialised

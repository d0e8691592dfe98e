"""Who may change a resource meanwhile: locks with leases, in the ledger's table.

pk            sk      what it holds
lock/<arn>    lock    holder, and lease_until in seconds since 1970

A lease is counted by the store's time (`activities.ledger.store_time`), which is never taken for later than it is:
nobody takes a lock before its lease is over, and a lease may be short by a second and the way of an answer.
"""

from datetime import timedelta

from activities.ledger.table import Item, Table, keys, number, text
from domain.values.ids import lock_id


class ResourceBusyError(Exception):
    """Another change holds the lock of `arn`; `holder` is its workflow. Worth waiting for."""

    def __init__(self, arn: str, holder: str) -> None:
        super().__init__(f"{arn} is being changed by {holder}")
        self.arn = arn
        self.holder = holder


class Locks:
    """The locks of one environment.

    Lets botocore's errors through, and raises `ClockError` where the store does not tell the time.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def acquire(self, arns: tuple[str, ...], holder: str, lease: timedelta) -> None:
        """Take the locks of all `arns`, in sorted order, or none; what `holder` has already is renewed.

        Raises `ResourceBusyError` naming the first that somebody else holds under a running lease.
        """
        taken: list[str] = []
        # always in the same order: two changes that want the same two resources cannot each hold one and wait
        for arn in sorted(set(arns)):
            if (other := self._lock(arn, holder, lease)) is not None:
                self.release(tuple(taken), holder)
                raise ResourceBusyError(arn, other)
            taken.append(arn)

    def renew(self, arns: tuple[str, ...], holder: str, lease: timedelta) -> str | None:
        """Prolong the locks, taking back those that ran out; returns who holds one of them instead, None if nobody."""
        others = [self._lock(arn, holder, lease) for arn in sorted(set(arns))]
        return next((other for other in others if other is not None), None)

    def release(self, arns: tuple[str, ...], holder: str) -> None:
        """Give the locks back (`dynamodb:DeleteItem`); those of somebody else stay, and giving back twice is fine."""
        for arn in sorted(set(arns)):
            self._table.delete(_keys(arn), "holder = :me", {":me": text(holder)})

    def _lock(self, arn: str, holder: str, lease: timedelta) -> str | None:
        """Take or prolong one lock (`dynamodb:PutItem`); returns who holds it instead."""
        now = self._table.now().timestamp()
        standing = self._table.put(
            {**_keys(arn), "holder": text(holder), "lease_until": number(now + lease.total_seconds())},
            "attribute_not_exists(pk) OR lease_until <= :now OR holder = :me",
            {":now": number(now), ":me": text(holder)},
        )
        return standing["holder"]["S"] if standing is not None else None


def _keys(arn: str) -> Item:
    return keys(lock_id(arn), "lock")

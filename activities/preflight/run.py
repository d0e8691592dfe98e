"""Look at everything at once, within a minute; what does not answer by then is unknown."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from datetime import timedelta
from typing import Any

from activities.aws.shared.error_codes import code_of
from activities.aws.shared.error_mapping import as_application_error, kind_of
from activities.preflight.check import Check, Room, Row, Verdict, missing, unknown
from domain.values.errors import ErrorKind

_AT_ONCE = 16
_PATIENCE = timedelta(seconds=50)


def run(checks: Iterable[Check[Any]], room: Room, patience: timedelta = _PATIENCE) -> Iterator[Row]:
    """Give a row for each target of each check, in order. Whatever a look raises is told in its row.

    Each looks for whom this is asked for: on behalf of a dry run it only reads.
    """
    pool = ThreadPoolExecutor(_AT_ONCE, "preflight")
    asked: list[tuple[Check[Any], str, Future[Verdict]]] = []
    for check in checks:
        targets = check.targets(room)
        asked += [
            (check, name, pool.submit(copy_context().run, _looked, check, room, one)) for name, one in targets.items()
        ]
    wait([future for *_, future in asked], patience.total_seconds())
    pool.shutdown(wait=False, cancel_futures=True)
    for check, name, future in asked:
        seen = future.result() if future.done() and not future.cancelled() else _late(patience)
        yield Row(check.name, name, seen.status, seen.detail)


def _late(patience: timedelta) -> Verdict:
    return unknown(f"no answer within {patience.total_seconds():.0f} s; run preflight again")


def _looked(check: Check[Any], room: Room, target: Any) -> Verdict:
    try:
        return check.look(room, target)
    except Exception as error:  # noqa: BLE001 - told in the row: one that cannot be read must not hide the others
        return _told(error, check)


def _told(error: Exception, check: Check[Any]) -> Verdict:
    kind = kind_of(error)
    if kind is ErrorKind.NOT_FOUND and check.lost:
        return missing(f"AWS answers {code_of(error)}; {check.lost}")
    said = as_application_error(error, f"{check.name} cannot be read").message
    if kind is ErrorKind.ACCESS_DENIED:
        return unknown(f"{said}; allow whoever runs preflight {', '.join(check.permissions)}")
    return unknown(f"{said}; run preflight again")

"""Tell whether those who guessed a password then read people's data, and how it is known.

People decide by it whether a breach is to be notified: what could not be seen stands beside what was.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydantic import Field

from activities.action import LoggedServiceName, Params, ProbeAction, iam
from activities.aws.identity.sign_in_patterns import EVENT, SignIns, sign_ins
from activities.aws.shared.findings import suspect_if
from activities.aws.shared.log_records import Record, address, pseudonym
from activities.aws.shared.service_log import LOG_PERMISSIONS, Counted, ServiceLog
from activities.aws.shared.windows import Window
from domain.model.calls import Scope
from domain.model.finding import Finding
from domain.values.durations import Duration, spoken
from domain.values.timestamps import short_time, stamp_to_second

_SHOWN = 20


class DataAccessParams(Params):
    """`event` is what the application calls a read of somebody's data; `threshold` as in `logs.failed_sign_ins`."""

    service: LoggedServiceName
    window: Duration = Field(default=timedelta(hours=2), gt=timedelta(0), le=timedelta(days=7))
    event: str = Field(default="DATA_ACCESS", pattern=r"^\w+$")
    threshold: int = Field(default=10, ge=1)


class _Access(NamedTuple):
    at: datetime
    address: str
    account: str
    resource: str


class _Seen(NamedTuple):
    """Who guessed a password, what they read, what everybody read, and the lines that say so."""

    sign_ins: SignIns
    theirs: list[_Access]
    logged: int
    elsewhere: int
    counted: Counted


class DataAccess(ProbeAction[DataAccessParams]):
    """Counts what was read from an address after its takeover, over `window` up to `at`.

    What a taken account read from elsewhere after that is counted apart and suspect as well: that may be its owner, or
    who guessed its password and moved on. Only counts, times, addresses and pseudonyms leave this probe. It is `ok`
    only where sign-ins and reads were seen and every line was understood; its facts say how many lines of which format
    that were, from when to when, and what it cannot see.
    """

    name = "logs.data_access"
    permissions = iam(LOG_PERMISSIONS)

    def observe(self, scope: Scope, params: DataAccessParams, at: datetime) -> Finding:
        window = Window.before(at, params.window)
        log = ServiceLog(self.clients, scope, params.service, window)
        records, counted = log.records((EVENT, params.event))
        seen = _seen(scope, params, records, counted)
        theirs = seen.theirs
        return suspect_if(
            theirs or seen.elsewhere,
            _summary(params, seen),
            {
                "service": params.service,
                "reads": len(theirs),
                "studies": len({one.resource for one in theirs}),
                "accounts": len({one.account for one in theirs}),
                "addresses": sorted({one.address for one in theirs})[:_SHOWN],
                "first_at": stamp_to_second(min((one.at for one in theirs), default=None)),
                "last_at": stamp_to_second(max((one.at for one in theirs), default=None)),
                "reads_of_taken_accounts_elsewhere": seen.elsewhere,
                "reads_logged": seen.logged,
                "sign_ins_logged": seen.sign_ins.failures + seen.sign_ins.successes,
                **_known_by(params, window, seen.counted),
                "log_group": log.group,
                **window.facts(),
            },
            window.of(log.group),
            unsure=seen.counted.blind or not seen.sign_ins.by_address or not seen.logged,
        )


def _seen(scope: Scope, params: DataAccessParams, records: list[Record], counted: Counted) -> _Seen:
    attempts, partial = sign_ins(scope, records)
    seen = SignIns.of(attempts, params.threshold, scope.environment.shielded.addresses)
    reads = [one for one in records if one.is_of(params.event) and one.success is not False]
    accesses = [access for one in reads if (access := _access(scope, one))]
    latest_first = sorted(seen.takeovers, reverse=True)
    since, taken = ({getattr(one, of): one.at for one in latest_first} for of in ("address", "account"))
    theirs = [one for one in accesses if one.address in since and one.at >= since[one.address]]
    others = Counter(accesses) - Counter(theirs)
    elsewhere = sum(n for one, n in others.items() if one.account in taken and one.at >= taken[one.account])
    counted = counted.without(partial + len(reads) - len(accesses))
    return _Seen(seen, theirs, len(accesses), elsewhere, counted)


def _access(scope: Scope, record: Record) -> _Access | None:
    """A read; None where its line does not say who from where read what."""
    known, account, resource = address(record.says("address")), record.says("account"), record.says("resource")
    if known is None or account is None or resource is None:
        return None
    hidden = (pseudonym(scope.incident, str(one)) for one in (account, resource))
    return _Access(record.at, known, *hidden)


def _known_by(params: DataAccessParams, window: Window, counted: Counted) -> dict[str, Any]:
    """How the finding knows: by which lines, what share of them was understood, over which time, and what it misses."""
    times = [(one.first, one.last) for one in counted.tallies]
    blind = [
        f"reads that the application does not log as {params.event}",
        "what is read without the application: from the database, its snapshots, buckets and backups",
        f"passwords guessed, or taken otherwise, before {stamp_to_second(window.start)}",
    ]
    if counted.unread:
        blind.append(f"what {counted.unread} lines say that are not understood")
    if counted.since:
        blind.append(f"lines from before {stamp_to_second(counted.since)}, which the log does not have")
    if counted.truncated:
        blind.append("lines older than those that were read")
    return {
        **counted.facts(),
        "understood_percent": 100 * (counted.lines - counted.unread) // counted.lines if counted.lines else None,
        "first_line_at": stamp_to_second(min((first for first, _ in times), default=None)),
        "last_line_at": stamp_to_second(max((last for _, last in times), default=None)),
        "cannot_see": blind,
    }


def _summary(params: DataAccessParams, seen: _Seen) -> str:
    window, told = f"the last {spoken(params.window)}", seen.counted.told()
    found = []
    if seen.theirs:
        studies = len({one.resource for one in seen.theirs})
        first = min(one.at for one in seen.theirs)
        found.append(
            f"{len(seen.theirs)} reads of {studies} studies from addresses that had guessed a password, in {window}, "
            f"first at {short_time(first)}"
        )
    if seen.elsewhere:
        reads = "read" if seen.elsewhere == 1 else "reads"
        found.append(
            f"{seen.elsewhere} {reads} by taken accounts from other addresses, which may be their owners' or not"
            f"{'' if found else f', in {window}'}"
        )
    if found:
        return f"{params.service}: {'; '.join(found)}{told}"
    missing = [] if seen.sign_ins.by_address else ["sign-in"]
    missing += [] if seen.logged else ["read"]
    if missing:
        return f"{params.service}: no {' and no '.join(missing)} in the log of {window}: does it still log them?{told}"
    return (
        f"{params.service}: no study was read by who guessed a password, by {seen.logged} reads and "
        f"{seen.sign_ins.failures + seen.sign_ins.successes} sign-ins logged in {window}{told}"
    )

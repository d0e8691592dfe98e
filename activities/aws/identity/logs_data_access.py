"""Tell whether those who guessed a password then read people's data."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydantic import Field

from activities.action import Params, ProbeAction, ServiceName, iam
from activities.aws.identity.sign_in_patterns import EVENT, SignIn, SignIns, sign_in
from activities.aws.shared.findings import suspect_if
from activities.aws.shared.log_records import Fields, Read, any_of, pseudonym, read
from activities.aws.shared.windows import Window
from domain.model.activity_io import Scope
from domain.model.finding import Finding
from domain.values.durations import Duration, spoken
from domain.values.timestamps import short_time, stamp_to_second

_SHOWN = 20


class DataAccessParams(Params):
    """`event` is what the application calls a read of somebody's data; `threshold` as in `logs.failed_sign_ins`."""

    service: ServiceName
    window: Duration = Field(default=timedelta(hours=2), gt=timedelta(0))
    event: str = Field(default="DATA_ACCESS", pattern=r"^\w+$")
    threshold: int = Field(default=10, ge=1)
    fields: Fields = Fields()


class _Access(NamedTuple):
    at: datetime
    address: str
    account: str
    resource: str


class DataAccess(ProbeAction[DataAccessParams]):
    """Counts what was read from an address after its takeover, over `window` up to `at`.

    What a taken account read from elsewhere is counted apart: that may be its owner. Only counts, times, addresses and
    pseudonyms leave this probe.
    """

    name = "logs.data_access"
    permissions = iam("logs:FilterLogEvents")

    def observe(self, scope: Scope, params: DataAccessParams, at: datetime) -> Finding:
        group = scope.environment.services[params.service].log_group
        window, fields = Window.before(at, params.window), params.fields
        attempts, accesses = list[SignIn](), list[_Access]()

        def take(moment: datetime, record: dict[str, Any]) -> None:
            if found := sign_in(scope, fields, moment, record):
                attempts.append(found)
            elif record.get(fields.event) == params.event and record.get(fields.success) is not False:
                account = pseudonym(scope.incident, str(record.get(fields.account)))
                resource = pseudonym(scope.incident, str(record.get(fields.resource)))
                accesses.append(_Access(moment, str(record.get(fields.address)), account, resource))

        done = read(self.clients.client("logs"), group, any_of(fields.event, (EVENT, params.event)), window, take)
        seen = SignIns.of(attempts, params.threshold, scope.environment.protected.addresses)
        since = {one.address: one.at for one in sorted(seen.takeovers, reverse=True)}
        theirs = [one for one in accesses if one.address in since and one.at >= since[one.address]]
        taken = {one.account for one in seen.takeovers}
        elsewhere = sum(one.account in taken and one.address not in since for one in accesses)
        return suspect_if(
            theirs,
            _summary(params, seen, theirs, done),
            {
                "service": params.service,
                "reads": len(theirs),
                "studies": len({one.resource for one in theirs}),
                "accounts": len({one.account for one in theirs}),
                "addresses": sorted({one.address for one in theirs})[:_SHOWN],
                "first_at": stamp_to_second(min((one.at for one in theirs), default=None)),
                "last_at": stamp_to_second(max((one.at for one in theirs), default=None)),
                "reads_of_taken_accounts_elsewhere": elsewhere,
                "truncated": done.truncated,
                "log_group": group,
                **window.facts(),
            },
            window.of(group),
            unsure=done.truncated or not seen.by_address,
        )


def _summary(params: DataAccessParams, seen: SignIns, theirs: list[_Access], done: Read) -> str:
    window = f"the last {spoken(params.window)}"
    if theirs:
        studies = len({one.resource for one in theirs})
        first = min(one.at for one in theirs)
        return (
            f"{params.service}: {len(theirs)} reads of {studies} studies from addresses that had guessed a password, "
            f"in {window}, first at {short_time(first)}"
        )
    if not seen.by_address:
        return f"{params.service}: no sign-in in the log of {window}: does it still log them?"
    searched = " among the latest lines; there is more to search" if done.truncated else ""
    return f"{params.service}: no study was read by who guessed a password, in {window}{searched}"

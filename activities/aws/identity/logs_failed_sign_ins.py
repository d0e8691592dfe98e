"""Tell who fails to sign in, from where, and whether a guess was right in the end."""

import re
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import LoggedServiceName, Params, ProbeAction, iam
from activities.aws.identity.sign_in_patterns import EVENT, SignIn, SignIns, sign_ins
from activities.aws.shared.findings import suspect_if
from activities.aws.shared.service_log import LOG_PERMISSIONS, Counted, ServiceLog
from activities.aws.shared.windows import Window
from domain.config.log_formats import LineFormat
from domain.model.calls import Scope
from domain.model.finding import Finding
from domain.values.durations import Duration, spoken
from domain.values.timestamps import short_time, stamp_to_second

_SHOWN = 20
_OTHER = "other"


class FailedSignInsParams(Params):
    """`threshold` failures of one address are guessing, `flood` of all together too.

    With `roles` only takeovers of accounts of these roles are suspect: an administrator's, for example. Findings name
    these and `known_roles` as they are, others as `other`: a log may hold anything in that field.
    """

    service: LoggedServiceName
    window: Duration = Field(default=timedelta(hours=1), gt=timedelta(0), le=timedelta(days=7))
    threshold: int = Field(default=10, ge=1)
    flood: int = Field(default=100, ge=1)
    roles: tuple[str, ...] = ()
    known_roles: tuple[str, ...] = ()


class FailedSignIns(ProbeAction[FailedSignInsParams]):
    """Counts a service's logged sign-ins by address and account, over `window` up to `at`.

    Successes that follow an address's failures are takeovers, until somebody knows better. Accounts are named by
    pseudonyms that hold within the incident; `query`, run in CloudWatch Logs Insights, tells whose they are to who may
    read the log. A log without a single sign-in is unknown, not well, and so is one with lines that nobody understands.
    """

    name = "logs.failed_sign_ins"
    permissions = iam(LOG_PERMISSIONS)

    def observe(self, scope: Scope, params: FailedSignInsParams, at: datetime) -> Finding:
        window = Window.before(at, params.window)
        log = ServiceLog(self.clients, scope, params.service, window)
        records, counted = log.records((EVENT,))
        attempts, partial = sign_ins(scope, records)
        counted = counted.without(partial)
        seen = SignIns.of(attempts, params.threshold, scope.environment.shielded.addresses)
        if params.roles:
            seen.takeovers = [one for one in seen.takeovers if one.role in params.roles]
        guessed = not params.roles and (seen.guessing or seen.failures >= params.flood)
        return suspect_if(
            seen.takeovers or guessed,
            _summary(params, seen, counted),
            {
                "service": params.service,
                "failures": seen.failures,
                "successes": seen.successes,
                "addresses": len(seen.by_address),
                "accounts": len(seen.accounts),
                "suspects": seen.guessing[:_SHOWN],
                "by_address": [_of_address(seen, address) for address in seen.guessing[:_SHOWN]],
                "takeovers": len(seen.takeovers),
                "taken_over": [_of_takeover(params, one) for one in seen.takeovers[:_SHOWN]],
                "query": _query(log.formats[0], seen),
                **counted.facts(),
                "log_group": log.group,
                **window.facts(),
            },
            window.of(log.group),
            unsure=counted.blind or not seen.by_address,
        )


def _of_address(seen: SignIns, address: str) -> dict[str, Any]:
    one = seen.by_address[address]
    return {
        "address": address,
        "failures": one.failures,
        "accounts": len(one.accounts),
        "takeovers": sum(taken.address == address for taken in seen.takeovers),
        "first_at": stamp_to_second(one.first),
        "last_at": stamp_to_second(one.last),
    }


def _of_takeover(params: FailedSignInsParams, one: SignIn) -> dict[str, Any]:
    role = one.role if one.role in {None, *params.roles, *params.known_roles} else _OTHER
    return {"account": one.account, "address": one.address, "at": stamp_to_second(one.at), "role": role}


def _query(declared: LineFormat, seen: SignIns) -> str | None:
    """The Logs Insights query that lists the accounts behind the takeovers, in the words of the log's first format."""
    addresses = sorted({one.address for one in seen.takeovers})[:_SHOWN]
    if not addresses:
        return None
    named, fields = ", ".join(f'"{address}"' for address in addresses), declared.keys
    key, words = re.escape(fields.success.rpartition(".")[2]), "|".join(map(re.escape, declared.succeeded))
    return (
        f"filter {fields.event} like /(?i)^{EVENT}$/ and {fields.address} in [{named}] "
        rf'and @message like /(?i)\b{key}"?\s*[:=]\s*"?(?:{words})\b/ '
        f"| stats count(*) by {fields.account}, {fields.address}"
    )


def _summary(params: FailedSignInsParams, seen: SignIns, counted: Counted) -> str:
    window = f"the last {spoken(params.window)}"
    if not seen.failures + seen.successes:
        return f"{params.service}: no sign-in in the log of {window}: does it still log them?{counted.told()}"
    whose = f" of {' or '.join(params.roles)}" if params.roles else ""
    taken = f"no success{whose} followed them"
    if seen.takeovers:
        accounts = len({one.account for one in seen.takeovers})
        plural = "s" if accounts > 1 else ""
        taken = f"{accounts} account{plural}{whose} then signed in to, first at {short_time(seen.takeovers[0].at)}"
    guessing = f", {len(seen.guessing)} addresses failed {params.threshold} times or more" if seen.guessing else ""
    return f"{params.service}: {seen.failures} failed sign-ins in {window}{guessing}; {taken}{counted.told()}"

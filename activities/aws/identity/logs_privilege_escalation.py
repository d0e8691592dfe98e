"""Tell whether somebody tried to get more rights in the application, and whether it was granted."""

from collections import Counter
from datetime import datetime, timedelta

from pydantic import Field

from activities.action import LoggedServiceName, Params, ProbeAction, iam
from activities.aws.shared.findings import plural, suspect_if
from activities.aws.shared.log_records import address, pseudonym
from activities.aws.shared.service_log import LOG_PERMISSIONS, Counted, ServiceLog
from activities.aws.shared.windows import Window
from domain.model.calls import Scope
from domain.model.finding import Finding
from domain.values.durations import Duration, spoken
from domain.values.timestamps import stamp_to_second

_SHOWN = 20


class PrivilegeEscalationParams(Params):
    """`confirmed` leaves attempts that the application refused out of what is suspect."""

    service: LoggedServiceName
    window: Duration = Field(default=timedelta(hours=2), gt=timedelta(0), le=timedelta(days=7))
    event: str = Field(default="PRIVILEGE_ESCALATION", pattern=r"^\w+$")
    confirmed: bool = False


class PrivilegeEscalation(ProbeAction[PrivilegeEscalationParams]):
    """Counts a service's logged escalations of privilege, over `window` up to `at`.

    It knows what the application says; rights in AWS itself change in CloudTrail alone. A line that does not say
    whether it succeeded counts as granted. A log without a single record of what people do is unknown, not well.
    """

    name = "logs.privilege_escalation"
    permissions = iam(LOG_PERMISSIONS)

    def observe(self, scope: Scope, params: PrivilegeEscalationParams, at: datetime) -> Finding:
        window = Window.before(at, params.window)
        log = ServiceLog(self.clients, scope, params.service, window)
        records, counted = log.records((params.event,))
        found = [one for one in records if one.is_of(params.event)]
        outcomes = Counter(one.success is not False for one in found)
        granted, refused = outcomes[True], outcomes[False]
        accounts = {one.says("account") for one in found} - {None}
        addresses = Counter(known for one in found if (known := address(one.says("address"))) is not None)
        return suspect_if(
            granted or (refused and not params.confirmed),
            _summary(params, granted, refused, counted),
            {
                "service": params.service,
                "granted": granted,
                "refused": refused,
                "accounts": sorted(pseudonym(scope.incident, str(one)) for one in accounts)[:_SHOWN],
                "addresses": [one for one, _ in addresses.most_common(_SHOWN)],
                "first_at": stamp_to_second(min((one.at for one in found), default=None)),
                "last_at": stamp_to_second(max((one.at for one in found), default=None)),
                "records": counted.with_events,
                **counted.facts(),
                "log_group": log.group,
                **window.facts(),
            },
            window.of(log.group),
            unsure=counted.blind or not counted.with_events,
        )


def _summary(params: PrivilegeEscalationParams, granted: int, refused: int, counted: Counted) -> str:
    window = f"the last {spoken(params.window)}"
    if not counted.with_events:
        return f"{params.service}: no record of what people do in the log of {window}: is it logged?{counted.told()}"
    escalations = plural(granted, "escalation")
    return (
        f"{params.service}: {escalations} of privilege granted and {refused} refused in the log of {window}"
        f"{counted.told()}"
    )

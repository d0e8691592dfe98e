"""Tell whether somebody tried to get more rights in the application, and whether it was granted."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import Params, ProbeAction, ServiceName, iam
from activities.aws.shared.findings import suspect_if
from activities.aws.shared.log_records import Fields, address, any_of, pseudonym, read
from activities.aws.shared.windows import Window
from domain.model.activity_io import Scope
from domain.model.finding import Finding
from domain.values.durations import Duration, spoken
from domain.values.timestamps import stamp_to_second

_SHOWN = 20


class PrivilegeEscalationParams(Params):
    """`confirmed` leaves attempts that the application refused out of what is suspect."""

    service: ServiceName
    window: Duration = Field(default=timedelta(hours=2), gt=timedelta(0))
    event: str = Field(default="PRIVILEGE_ESCALATION", pattern=r"^\w+$")
    confirmed: bool = False
    fields: Fields = Fields()


class PrivilegeEscalation(ProbeAction[PrivilegeEscalationParams]):
    """Counts a service's logged escalations of privilege, over `window` up to `at`.

    It knows what the application says; rights in AWS itself change in CloudTrail alone. A line that does not say
    whether it succeeded counts as granted.
    """

    name = "logs.privilege_escalation"
    permissions = iam("logs:FilterLogEvents")

    def observe(self, scope: Scope, params: PrivilegeEscalationParams, at: datetime) -> Finding:
        group = scope.environment.services[params.service].log_group
        window, fields = Window.before(at, params.window), params.fields
        outcomes: Counter[bool] = Counter()
        accounts: set[str] = set()
        addresses: Counter[str] = Counter()
        moments: list[datetime] = []

        def take(moment: datetime, record: dict[str, Any]) -> None:
            if record.get(fields.event) != params.event:
                return
            outcomes[record.get(fields.success) is not False] += 1
            moments.append(moment)
            if (known := address(record.get(fields.address))) is not None:
                addresses[known] += 1
            if (account := record.get(fields.account)) is not None:
                accounts.add(pseudonym(scope.incident, str(account)))

        done = read(self.clients.client("logs"), group, any_of(fields.event, (params.event,)), window, take)
        granted, refused = outcomes[True], outcomes[False]
        return suspect_if(
            granted or (refused and not params.confirmed),
            f"{params.service}: {granted} escalations of privilege granted and {refused} refused "
            f"in the log of the last {spoken(params.window)}"
            + (" among the latest lines; there is more to search" if done.truncated else ""),
            {
                "service": params.service,
                "granted": granted,
                "refused": refused,
                "accounts": sorted(accounts)[:_SHOWN],
                "addresses": [one for one, _ in addresses.most_common(_SHOWN)],
                "first_at": stamp_to_second(min(moments, default=None)),
                "last_at": stamp_to_second(max(moments, default=None)),
                "truncated": done.truncated,
                "log_group": group,
                **window.facts(),
            },
            window.of(group),
            unsure=done.truncated,
        )

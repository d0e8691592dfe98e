"""Tell which alarms ring."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import Params, ProbeAction, iam
from activities.aws.shared.findings import plural, suspect_if, unknown
from activities.aws.shared.pages import Pages
from domain.model.activity_io import Scope
from domain.model.finding import Finding
from domain.values.durations import Duration, spoken

_KINDS = ["MetricAlarm", "CompositeAlarm"]
_PAGES = 20
_SHOWN = 20


class AlarmsParams(Params):
    """Suspect from `storm` alarms on that came to ring within `window`."""

    window: Duration = Field(default=timedelta(minutes=30), gt=timedelta(0))
    storm: int = Field(default=5, ge=1)


class Alarms(ProbeAction[AlarmsParams]):
    """Counts the alarms that ring, by what they watch; reads at most 20 pages.

    Where none rings and none is well either, there are no alarms, or none has data: nothing is known then.
    """

    name = "cloudwatch.alarms"
    permissions = iam("cloudwatch:DescribeAlarms")

    def observe(self, scope: Scope, params: AlarmsParams, at: datetime) -> Finding:
        cloudwatch = self.clients.client("cloudwatch")
        ringing, truncated = described(cloudwatch, StateValue="ALARM")
        recent = [one for one in ringing if one["StateUpdatedTimestamp"] >= at - params.window]
        watched = Counter(one.get("Namespace", "composite") for one in ringing)
        top = ", ".join(f"{count} {name}" for name, count in watched.most_common(3))
        newest = sorted(ringing, key=lambda one: one["StateUpdatedTimestamp"], reverse=True)
        facts = {
            "ringing": len(ringing),
            "recent": len(recent),
            "watched": dict(watched.most_common()),
            "silenced": sum(not one["ActionsEnabled"] for one in ringing),
            "newest": [one["AlarmName"] for one in newest[:_SHOWN]],
            "truncated": truncated,
        }
        if not ringing and not described(cloudwatch, StateValue="OK", MaxRecords=1, most=1)[0]:
            return unknown("no alarm rings and none is well: there are none, or none has data", facts)
        least = "at least " if truncated else ""
        summary = f"{least}{plural(len(ringing), 'alarm')} ringing, {len(recent)} for less than {spoken(params.window)}"
        summary += f": {top}" if top else ""
        return suspect_if(len(recent) >= params.storm, summary, facts, unsure=truncated)


def described(cloudwatch: Any, most: int = _PAGES, **asked: Any) -> tuple[list[dict[str, Any]], bool]:
    """Describe alarms of both kinds, page after page; tells whether there are more."""
    pages = Pages(cloudwatch.describe_alarms, most=most, AlarmTypes=_KINDS, **asked)
    alarms = [one for page in pages for one in (*page.get("MetricAlarms", []), *page.get("CompositeAlarms", []))]
    return alarms, pages.truncated

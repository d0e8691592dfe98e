"""Tell which alarms ring, and silence named ones until they are switched on again."""

from collections import Counter
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from activities.action import ChangeAction, Params, ProbeAction, RuleError, iam
from activities.aws.shared.addresses import listed
from activities.aws.shared.findings import unknown
from activities.aws.shared.pages import Pages
from domain.config.approval import ApprovalClass
from domain.model.activity_io import Scope
from domain.model.finding import Finding, FindingStatus
from domain.model.plan import Plan, State, Verification, foreign_fields
from domain.values.durations import Duration, spoken

_KINDS = ["MetricAlarm", "CompositeAlarm"]
_PAGES = 20
_SHOWN = 20
_MOST = 50


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
        ringing, truncated = _described(cloudwatch, StateValue="ALARM")
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
        if not ringing and not _described(cloudwatch, StateValue="OK", MaxRecords=1, most=1)[0]:
            return unknown("no alarm rings and none is well: there are none, or none has data", facts)
        least = "at least " if truncated else ""
        summary = f"{least}{len(ringing)} alarms ring, {len(recent)} since {spoken(params.window)}"
        status = FindingStatus.UNKNOWN if truncated else FindingStatus.OK
        return Finding(
            status=FindingStatus.SUSPECT if len(recent) >= params.storm else status,
            summary=summary + (f": {top}" if top else ""),
            facts=facts,
        )


class SilenceParams(Params):
    """`alarms` are names; those that match a pattern of `never` always ring."""

    alarms: Annotated[tuple[str, ...], BeforeValidator(listed)] = Field(default=(), max_length=_MOST)
    never: tuple[str, ...] = ()


class DisableAlarmActions(ChangeAction[SilenceParams]):
    """Keeps named alarms from acting; their states go on changing.

    The state is whether each acts, by name. Undoing switches on exactly those that were switched off.
    """

    name = "cloudwatch.disable_alarm_actions"
    permissions = iam("cloudwatch:DescribeAlarms DisableAlarmActions EnableAlarmActions")
    classes = (ApprovalClass.A2,)

    def plan(self, scope: Scope, params: SilenceParams) -> Plan:
        """Read the alarms; raises `RuleError` for none, for unknown ones and for those that must always ring."""
        names = tuple(dict.fromkeys(params.alarms))
        if not names:
            raise RuleError("say which alarms: --set alarms=first-alarm,second-alarm; the findings name them")
        if barred := [name for name in names if any(fnmatchcase(name, one) for one in params.never)]:
            raise RuleError(f"{', '.join(barred)} must always ring (the runbook's `never`): leave them out")
        found = self._found(names)
        if unknown := [name for name in names if name not in found]:
            raise RuleError(f"there is no alarm {', '.join(unknown)}")
        before = {name: bool(found[name]["ActionsEnabled"]) for name in names}
        arns = tuple(str(found[name]["AlarmArn"]) for name in names)
        return self.proposed(
            target=arns[0],
            summary=f"Silence {len(names)} alarms",
            before=before,
            after=dict.fromkeys(names, False),
            impact=(
                f"{', '.join(names)} no longer tell anybody and set nothing off, autoscaling and recovery included, "
                "until somebody undoes this. Dashboards still show them."
            ),
            locks=arns,
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        """Read whether each acts; one that is gone reads as None."""
        found = self._found(tuple(plan.before))
        return {name: bool(found[name]["ActionsEnabled"]) if name in found else None for name in plan.before}

    def act(self, scope: Scope, plan: Plan) -> None:
        """Switch those that change; what is set is absolute, so a second time changes nothing."""
        changing = [name for name, acts in plan.after.items() if acts != plan.before[name]]
        cloudwatch = self.clients.once("cloudwatch")
        if off := [name for name in changing if not plan.after[name]]:
            cloudwatch.disable_alarm_actions(AlarmNames=off)
        if on := [name for name in changing if plan.after[name]]:
            cloudwatch.enable_alarm_actions(AlarmNames=on)

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether each is as planned; one that is neither so nor as it was is somebody else's doing."""
        now = self.read(scope, plan)
        silent = sum(acts is False for acts in now.values())
        message = f"{silent} of {len(now)} alarms are silent"
        if foreign := foreign_fields(now, plan):
            return Verification(
                done=False, failed=True, message=f"{message}; somebody changed {', '.join(foreign)} meanwhile"
            )
        return Verification(done=now == plan.after, message=message)

    def _found(self, names: tuple[str, ...]) -> dict[str, dict[str, Any]]:
        alarms, _ = _described(self.clients.client("cloudwatch"), AlarmNames=list(names))
        return {one["AlarmName"]: one for one in alarms}


def _described(cloudwatch: Any, most: int = _PAGES, **asked: Any) -> tuple[list[dict[str, Any]], bool]:
    """Describe alarms of both kinds, page after page; tells whether there are more."""
    pages = Pages(cloudwatch.describe_alarms, most=most, AlarmTypes=_KINDS, **asked)
    alarms = [one for page in pages for one in (*page.get("MetricAlarms", []), *page.get("CompositeAlarms", []))]
    return alarms, pages.truncated

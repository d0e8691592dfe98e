"""Tell which alarms ring; silence some for a time, at the end of which CloudWatch itself lets them ring again."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, TypeAdapter

from activities.action import ChangeAction, Params, ProbeAction, RuleError, iam
from activities.aws.shared.addresses import listed
from activities.aws.shared.findings import plural, suspect_if, unknown
from activities.aws.shared.pages import Pages
from domain.config.approval import ApprovalClass
from domain.model.calls import Scope
from domain.model.finding import Finding
from domain.model.plan import Plan, State, Verification, foreign_fields
from domain.values.durations import Duration, spoken
from domain.values.timestamps import short_time, stamp_to_second

_KINDS = ["MetricAlarm", "CompositeAlarm"]
_PAGES = 20
_SHOWN = 20
_MOST = 50
_MINUTE = timedelta(minutes=1)
_LONGEST = timedelta(days=15)
_AT = "at(%Y-%m-%dT%H:%M)"
_NOTHING: State = {"muted": [], "until": None}


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
        blind, more_blind = _described(cloudwatch, StateValue="INSUFFICIENT_DATA")
        facts = {
            "without_data": len(blind),
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
        summary = f"{least}{plural(len(ringing), 'alarm')} ringing, {len(recent)} for less than {spoken(params.window)}"
        summary += f": {top}" if top else ""
        summary += f"; {'at least ' if more_blind else ''}{plural(len(blind), 'alarm')} without data" if blind else ""
        return suspect_if(len(recent) >= params.storm, summary, facts, unsure=truncated)


class SilenceParams(Params):
    """`alarms` are names; those that match a pattern of `never` always ring. They ring again after `lasts`."""

    alarms: Annotated[tuple[str, ...], BeforeValidator(listed)] = Field(default=(), max_length=_MOST)
    never: tuple[str, ...] = ()
    lasts: Duration = Field(default=timedelta(hours=8), ge=_MINUTE, le=_LONGEST)


class DisableAlarmActions(ChangeAction[SilenceParams]):
    """Keeps named alarms from acting by a mute rule of CloudWatch, which ends by itself; their states go on changing.

    The state is which alarms the incident's rule mutes, and until when: both end there though nobody undoes it and
    nothing of ours runs any more. Undoing deletes the rule, whereupon alarms that ring act at once.
    """

    name = "cloudwatch.disable_alarm_actions"
    permissions = iam("cloudwatch:DeleteAlarmMuteRule DescribeAlarms GetAlarmMuteRule PutAlarmMuteRule")
    classes = (ApprovalClass.A2,)

    def plan(self, scope: Scope, params: SilenceParams) -> Plan:
        """Read the alarms; raises `RuleError` for none, for unknown ones and for those that must always ring."""
        names = sorted(set(params.alarms))
        if not names:
            raise RuleError("say which alarms: --set alarms=first-alarm,second-alarm; the findings name them")
        if barred := [name for name in names if any(fnmatchcase(name, one) for one in params.never)]:
            raise RuleError(f"{', '.join(barred)} must always ring (the runbook's `never`): leave them out")
        found = self._found(names)
        arns = tuple(str(found[name]["AlarmArn"]) for name in names)
        context = {"rule": f"{scope.incident}-{sha256(' '.join(names).encode()).hexdigest()[:8]}"}
        before = self._state(context["rule"])
        until = self._now() + params.lasts
        if before["muted"] == names and _time(before["until"]) > self._now():
            until = _time(before["until"])
        return self.proposed(
            target=arns[0],
            summary=f"Silence {len(names)} alarms until {short_time(until)}",
            before=before,
            after={"muted": names, "until": stamp_to_second(until)},
            impact=(
                f"{', '.join(names)} no longer tell anybody and set nothing off, autoscaling and recovery included, "
                f"until {short_time(until)}; then CloudWatch lets them act again by itself. Dashboards still show them."
            ),
            locks=arns,
            context=context,
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        """Read what the rule mutes, and until when (`cloudwatch:GetAlarmMuteRule`)."""
        return self._state(plan.context["rule"])

    def refuse_late(self, scope: Scope, plan: Plan) -> None:
        """An alarm may be deleted by now: a rule takes names of existing ones alone (API PutAlarmMuteRule)."""
        if plan.after["muted"]:
            self._found(plan.after["muted"])
            self._span(plan)

    def act(self, scope: Scope, plan: Plan) -> None:
        """Put the rule, from the next minute to its end, or delete it; both are absolute.

        Raises `RuleError` when the end that the plan names is past.
        """
        cloudwatch, rule = self.clients.client("cloudwatch"), plan.context["rule"]
        if not plan.after["muted"]:
            cloudwatch.delete_alarm_mute_rule(AlarmMuteRuleName=rule)
            return
        begin, until = self._span(plan)
        schedule = {"Expression": f"{begin:{_AT}}", "Duration": f"PT{(until - begin) // _MINUTE}M"}
        cloudwatch.put_alarm_mute_rule(
            Name=rule,
            Description=f"Incident {scope.incident}",
            Rule={"Schedule": schedule},
            MuteTargets={"AlarmNames": plan.after["muted"]},
        )

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether the rule stands as planned and mutes; it begins with the minute after it was put."""
        found, now = self._rule(plan.context["rule"]), self.read(scope, plan)
        if foreign := foreign_fields(now, plan):
            told = f"somebody changed {', '.join(foreign)} of the mute rule meanwhile"
            return Verification(done=False, failed=True, message=told)
        if not plan.after["muted"]:
            return Verification(done=found is None, message="the mute rule is gone" if found is None else "it is there")
        muted = now == plan.after and found is not None and found["Status"] == "ACTIVE"
        silent = f"{len(now['muted']) if muted else 0} of {len(plan.after['muted'])} alarms are silent"
        until = f" until {short_time(_time(plan.after['until']))}" if muted else " yet"
        return Verification(done=muted, message=silent + until)

    def _found(self, names: list[str]) -> dict[str, dict[str, Any]]:
        """Describe alarms by name; raises `RuleError` for those that there are none of."""
        listed, _ = _described(self.clients.client("cloudwatch"), AlarmNames=names)
        found = {str(one["AlarmName"]): one for one in listed}
        if missing := [name for name in names if name not in found]:
            raise RuleError(f"there is no alarm {', '.join(missing)}")
        return found

    def _span(self, plan: Plan) -> tuple[datetime, datetime]:
        begin, until = self._now() + _MINUTE, _time(plan.after["until"])
        if begin >= until:
            raise RuleError(f"the alarms would ring again at {short_time(until)}, which is past: ask again")
        return begin, until

    def _state(self, rule: str) -> State:
        found = self._rule(rule)
        if found is None:
            return _NOTHING
        schedule = found["Rule"]["Schedule"]
        begin = datetime.strptime(schedule["Expression"], _AT).replace(tzinfo=UTC)
        until = begin + TypeAdapter(timedelta).validate_python(schedule["Duration"])
        return {"muted": sorted(found["MuteTargets"]["AlarmNames"]), "until": stamp_to_second(until)}

    def _rule(self, rule: str) -> dict[str, Any] | None:
        cloudwatch = self.clients.client("cloudwatch")
        try:
            return dict(cloudwatch.get_alarm_mute_rule(AlarmMuteRuleName=rule))
        except cloudwatch.exceptions.ResourceNotFoundException:
            return None

    def _now(self) -> datetime:
        """The minute that it is by CloudWatch's clock, after which the rule goes."""
        answer = self.clients.client("cloudwatch").describe_alarms(MaxRecords=1)
        at = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        return at.astimezone(UTC).replace(second=0, microsecond=0)


def _time(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp)


def _described(cloudwatch: Any, most: int = _PAGES, **asked: Any) -> tuple[list[dict[str, Any]], bool]:
    """Describe alarms of both kinds, page after page; tells whether there are more."""
    pages = Pages(cloudwatch.describe_alarms, most=most, AlarmTypes=_KINDS, **asked)
    alarms = [one for page in pages for one in (*page.get("MetricAlarms", []), *page.get("CompositeAlarms", []))]
    return alarms, pages.truncated

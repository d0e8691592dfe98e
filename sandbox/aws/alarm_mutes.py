"""Amazon CloudWatch's alarm mute rules, which moto lacks: of one time, each for named alarms."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.cloudwatch.exceptions import ResourceNotFoundException, ValidationError
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult, EmptyResult
from pydantic import TypeAdapter

from sandbox.aws.moto_patch import patch

_RULES = "alarm_mute_rules"
_AT = "at(%Y-%m-%dT%H:%M)"
_MINUTE = timedelta(minutes=1)


def install() -> None:
    """Patch moto with these operations."""
    patch(
        CloudWatchResponse,
        put_alarm_mute_rule=put_alarm_mute_rule,
        get_alarm_mute_rule=get_alarm_mute_rule,
        delete_alarm_mute_rule=delete_alarm_mute_rule,
        list_alarm_mute_rules=list_alarm_mute_rules,
    )


def put_alarm_mute_rule(response: CloudWatchResponse) -> Any:
    """Create a rule, or update the one of that name."""
    asked = json.loads(json.dumps(response._get_params(), default=str))
    targets = asked["MuteTargets"]["AlarmNames"]
    known = response.cloudwatch_backend.alarms
    # names must be those of existing alarms of the account and region (PutAlarmMuteRule, AlarmNames)
    if unknown := [name for name in targets if name not in known]:
        raise ValidationError(f"Unknown alarms: {', '.join(unknown)}")
    _rules(response)[asked["Name"]] = {
        "Name": asked["Name"],
        "Rule": asked["Rule"],
        "MuteTargets": asked["MuteTargets"],
    }
    return EmptyResult()


def get_alarm_mute_rule(response: CloudWatchResponse) -> Any:
    """Tell a rule, and whether its time has come."""
    rule = _rules(response).get(response._get_param("AlarmMuteRuleName"))
    if rule is None:
        raise ResourceNotFoundException
    begins, ends = _span(rule)
    now = datetime.now(UTC)
    # GetAlarmMuteRule: SCHEDULED before its time, ACTIVE while it mutes, EXPIRED after it
    status = "SCHEDULED" if now < begins else "ACTIVE" if now < ends else "EXPIRED"
    return ActionResult({**rule, "Status": status, "MuteType": "ONE_TIME"})


def delete_alarm_mute_rule(response: CloudWatchResponse) -> Any:
    """Delete a rule; one that is not there is no error."""
    _rules(response).pop(response._get_param("AlarmMuteRuleName"), None)
    return EmptyResult()


def list_alarm_mute_rules(response: CloudWatchResponse) -> Any:
    """List the rules, in one page."""
    begins = f"arn:{response.partition}:cloudwatch:{response.region}:{response.current_account}:alarm-mute-rule"
    listed = [{"AlarmMuteRuleArn": f"{begins}:{name}"} for name in _rules(response)]
    return ActionResult({"AlarmMuteRuleSummaries": listed})


def rules(backend: Any) -> dict[str, dict[str, Any]]:
    """The rules of one account and region, by name."""
    found: dict[str, dict[str, Any]] = vars(backend).setdefault(_RULES, {})
    return found


def begin(found: dict[str, dict[str, Any]]) -> None:
    """Let what is scheduled for the next minutes mute from now on; each ends when it would have."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    for rule in found.values():
        begins, ends = _span(rule)
        if now < begins < now + timedelta(hours=1):
            rule["Rule"] = {"Schedule": {"Expression": f"{now:{_AT}}", "Duration": f"PT{(ends - now) // _MINUTE}M"}}


def _span(rule: dict[str, Any]) -> tuple[datetime, datetime]:
    schedule = rule["Rule"]["Schedule"]
    begins = datetime.strptime(schedule["Expression"], _AT).replace(tzinfo=UTC)
    return begins, begins + TypeAdapter(timedelta).validate_python(schedule["Duration"])


def _rules(response: CloudWatchResponse) -> dict[str, dict[str, Any]]:
    return rules(response.cloudwatch_backend)

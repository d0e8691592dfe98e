"""Whether alarms tell somebody: those of the region, and the one that rings when nobody can be paged."""

from typing import Any

from activities.action import iam
from activities.permissions.statements import heartbeat_alarm
from activities.preflight.check import Check, Room, Verdict, first_wrong, missing, named, unknown
from activities.preflight.places import each

_ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")


def alarms(room: Room, _: str) -> Verdict:
    """The SNS topics that alarms tell are there (`cloudwatch:DescribeAlarms`, `sns:ListTopics`).

    Those of other accounts, which alarms may tell too, are not listed here.
    """
    pages = room.client("cloudwatch").get_paginator("describe_alarms").paginate()
    found = [one for page in pages for kind in ("MetricAlarms", "CompositeAlarms") for one in page.get(kind, [])]
    told = {arn for alarm in found for arn in alarm.get("AlarmActions", []) if ":sns:" in arn}
    listed = room.client("sns").get_paginator("list_topics").paginate()
    foreign = sorted(one for one in told if f":{room.environment.account}:" not in one)
    lost = sorted(told - {topic["TopicArn"] for page in listed for topic in page["Topics"]} - set(foreign))
    acting = [alarm for alarm in found if any(alarm.get(kind) for kind in _ACTIONS)]  # a composite's children need none
    silent = sum(not alarm.get("ActionsEnabled") for alarm in acting)
    if not found:
        return missing("no alarm watches this region; make some")
    seen = first_wrong(
        f"{len(found)} alarms, all their topics are there",
        f"they tell topics that are not there: {', '.join(lost)}; make them" if lost else None,
        f"{silent} of {len(acting)} have their actions off; enable them" if silent else None,
    )
    if foreign and seen.status == "ok":
        return unknown(f"they tell topics of other accounts: {', '.join(foreign)}; look there whether these are there")
    return seen


def heartbeat(room: Room, name: str) -> Verdict:
    """The alarm on signs of life hears them, and tells somebody (`cloudwatch:DescribeAlarms`, `sns:…`).

    A subscription that nobody confirmed gets nothing (SNS API Subscribe).
    """
    found = room.client("cloudwatch").describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm"])["MetricAlarms"]
    if not found:
        return missing("no alarm rings when nobody can be paged; create the stack of `make iam`, which makes it")
    [alarm] = found
    topics = [arn for arn in alarm.get("AlarmActions", []) if ":sns:" in arn]
    pages = (room.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn) for arn in topics)
    told = [one["SubscriptionArn"] for each in pages for page in each for one in page["Subscriptions"]]
    seen = first_wrong(
        "it hears signs of life",
        "no sign comes: set INCIDENT_HEARTBEAT_NAMESPACE on workers of notify"
        if alarm["StateValue"] == "ALARM"
        else None,
        "it takes silence for well; set TreatMissingData to breaching"
        if alarm.get("TreatMissingData") != "breaching"
        else None,
        "its actions are off; enable them" if not alarm["ActionsEnabled"] else None,
        "it tells nobody; confirm its topic's subscription" if not any(map(_is_confirmed, told)) else None,
    )
    waits = seen.status == "ok" and alarm["StateValue"] != "OK"
    return unknown("it has not heard long enough to tell; run preflight again") if waits else seen


def _is_confirmed(subscription: str) -> bool:
    return subscription.startswith("arn:")  # else "PendingConfirmation", or "Deleted"


CHECKS: tuple[Check[Any], ...] = (
    named("alarms", each(lambda _: {"region": "*"}), alarms, iam("cloudwatch:DescribeAlarms", "sns:ListTopics")),
    Check(
        "heartbeat",
        lambda room: {"notify": heartbeat_alarm(room.environment)},
        heartbeat,
        iam("cloudwatch:DescribeAlarms", "sns:ListSubscriptionsByTopic"),
    ),
)

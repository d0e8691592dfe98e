"""Whether text messages and calls can reach people: AWS End User Messaging's senders, limits, sandbox and opt-outs."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from activities.action import iam
from activities.aws.shared.cloudwatch_metrics import Query, read
from activities.channels.telephone import PAUSES, SERVICE
from activities.preflight.check import (
    MAKE_OR_MEND,
    Check,
    Room,
    Verdict,
    first_wrong,
    missing,
    named,
    ok,
    unknown,
    wrong,
)
from activities.preflight.places import each, paged
from domain.config.environment import Environment, Notifications
from domain.rules.paging import unanswered
from domain.values.severity import Severity
from domain.values.telephones import country_of, is_number

_LEAST_SPEND = 50
"""US dollars a month. At first AWS allows 1, and then refuses to send (guide, "SMS, MMS and voice spending quotas")."""
_HOUR = timedelta(hours=1)
_DEAREST = {"TEXT": 0.5, "VOICE": 1.0}
"""US dollars that one costs at most: judgement, above what AWS asks for most countries."""
_KINDS = {"TEXT": "sms", "VOICE": "voice"}
_A_SECOND = {"SHORT_CODE": 100, "TOLL_FREE": 3, "TEN_DLC": 1, "SIMULATOR": 1}
"""Message parts that a number sends a second, by its type (guide, "Message Parts per Second (MPS) limits")."""
_LONG_CODE = {"CA": 1}
_OTHER_LONG_CODES = 10
"""The same for long codes, by country."""
_NUMBERS_ONLY = frozenset({"US"})
"""Where a text message comes from a number, never from a sender id (guide, "Supported countries and regions")."""
_REGISTERED_ONLY = frozenset({"AU", "SG"})
"""Where messages of a sender id that is not registered are dropped or refused (the same)."""
_OPT_OUTS = "Default"
"""The opt-out list of sender ids, and of numbers that were given no other (guide, "Opt-out lists")."""
_TEXT_FAILURES = """
    BLOCKED CARRIER_BLOCKED CARRIER_UNREACHABLE INVALID INVALID_MESSAGE PROTECT_BLOCKED SPAM TTL_EXPIRED UNKNOWN
    UNREACHABLE
"""
_FAILURES = {"TEXT": _TEXT_FAILURES.split(), "VOICE": ("BUSY", "FAILED", "NO_ANSWER", "TTL_EXPIRED")}
"""The event types that say that a message came to nothing (API EventDestination, MatchingEventTypes)."""
_TEXTED, _CALLED = paged("sms"), paged("voice")


def _listed(room: Room, operation: str, key: str, **asked: Any) -> list[dict[str, Any]]:
    pages = room.client(SERVICE).get_paginator(operation).paginate(**asked)
    return [one for page in pages for one in page[key]]


def _rounds(room: Room, kind: str) -> Iterator[int]:
    """How many pages go out by a kind of channel at once, in each round of a P0 that nobody acknowledges for an hour.

    The first channel is what pages go to.
    """
    for paged_now in unanswered(room.organisation, Severity.P0, _HOUR).values():
        yield sum(one.channels[0].kind == _KINDS[kind] for one in paged_now)


def _spent(room: Room, kind: str) -> float:
    """US dollars of this month (guide, "Monitoring … with Amazon CloudWatch"): the metric counts up through it.

    It tells nothing before the first message, nor where the account lacks the service-linked role for it.
    """
    now = room.now()
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    query = {"spent": Query("AWS/SMSVoice", f"{kind.capitalize()}MessageMonthlySpend", {}, "Maximum")}
    points, _ = read(room.client("cloudwatch"), query, (month, now + _HOUR), 3600)
    return max((value for _, value in points["spent"]), default=0.0)


def account(room: Room, kind: str) -> Verdict:
    """The account sends to anybody, and may spend enough (`DescribeAccountAttributes`, `DescribeSpendLimits`).

    What is left of this month lasts for the first hour of a P0 that nobody answers (`cloudwatch:GetMetricData`).
    """
    attributes = _listed(room, "describe_account_attributes", "AccountAttributes")
    tier = next((one["Value"] for one in attributes if one["Name"] == "ACCOUNT_TIER"), None)
    limits = _listed(room, "describe_spend_limits", "SpendLimits")
    found = next((one for one in limits if one["Name"] == f"{kind}_MESSAGE_MONTHLY_SPEND_LIMIT"), None)
    if tier is None or found is None:
        return unknown("AWS does not tell the account's tier or its limit; look them up in its console")
    limit = found["EnforcedLimit"] if found["Overridden"] else found["MaxLimit"]
    spent, count = _spent(room, kind), sum(_rounds(room, kind))
    hour, left = count * _DEAREST[kind], limit - spent
    return first_wrong(
        f"out of the sandbox, {left:.2f} of {limit} USD are left; the first hour of a P0 may take {count}",
        "it is in the sandbox: only verified numbers get anything; ask to leave it" if tier != "PRODUCTION" else None,
        f"it may spend {limit} USD a month; ask for {_LEAST_SPEND}" if limit < _LEAST_SPEND else None,
        f"{left:.2f} USD are left this month, and the first hour of a P0 may send {count}; ask for {spent + hour:.0f}"
        if left < hour
        else None,
    )


def opted_out(room: Room, number: str) -> Verdict:
    """A number is on no opt-out list of what we send from (`DescribePhoneNumbers`, `DescribeOptedOutNumbers`)."""
    sender = room.environment.notifications.sms_sender
    own = {one["PhoneNumber"]: one["OptOutListName"] for one in _listed(room, "describe_phone_numbers", "PhoneNumbers")}
    used = {name for number, name in own.items() if sender in (None, number)}
    for name in sorted(used if sender in own else used | {_OPT_OUTS}):
        listed = _listed(room, "describe_opted_out_numbers", "OptedOutNumbers", OptOutListName=name)
        if number in {one["OptedOutNumber"] for one in listed}:
            return wrong(f"it is on the opt-out list {name}; ask them to opt in again, or page another way")
    return ok("not opted out")


def sender_id(room: Room, sender: str) -> Verdict:
    """The sender that text messages show is known where people are, and registered (`DescribeSenderIds`).

    Since 1 July 2026 Australia drops messages of senders that are not registered. There are countries where none need
    be (API RequestSenderId): which of them, preflight does not claim to know.
    """
    found = {number: country_of(number) for number in _TEXTED(room).values()}
    countries = sorted({country for country in found.values() if country})
    unplaced = [number for number, country in found.items() if country is None]
    senders = _listed(room, "describe_sender_ids", "SenderIds")
    known = {one["IsoCountryCode"]: bool(one["Registered"]) for one in senders if one["SenderId"] == sender}
    none = [one for one in countries if one in _NUMBERS_ONLY]
    fits = {one for one, registered in known.items() if registered or one not in _REGISTERED_ONLY}
    lost = [one for one in countries if one not in fits | _NUMBERS_ONLY]
    unplaced += [one for one in countries if one in fits and not known[one]]
    by_hand = f"look by hand whether {sender} must be registered for {', '.join(unplaced)}" if unplaced else None
    if lost or none:
        return first_wrong(
            "",
            f"{sender} is not registered in {', '.join(lost)}; register it, or leave sms_sender out" if lost else None,
            f"{', '.join(none)} has no sender ids; leave sms_sender out, and AWS chooses a number" if none else None,
            by_hand,
        )
    if by_hand:
        return unknown(f"preflight does not know the rules of every country; {by_hand}")
    return ok(f"registered in {', '.join(countries)}" if countries else "nobody is paged by text message")


def sender_number(room: Room, one: tuple[str, str]) -> Verdict:
    """A number that we send from is the account's, active and able to (`DescribePhoneNumbers`)."""
    number, capability = one
    listed = _listed(room, "describe_phone_numbers", "PhoneNumbers")
    found = next((one for one in listed if one["PhoneNumber"] == number), None)
    if found is None:
        return missing(f"the account has no such number; {MAKE_OR_MEND}")
    able, rate = ", ".join(found["NumberCapabilities"]), _a_second(found)
    at_once = max(_rounds(room, "TEXT"), default=0) if capability == "SMS" else 0
    return first_wrong(
        f"active, for {able}",
        f"it is {found['Status']}; wait until it is ACTIVE" if found["Status"] != "ACTIVE" else None,
        f"it is for {able} alone; take one for {capability}" if capability not in found["NumberCapabilities"] else None,
        f"a P0 sends {at_once} at once, and it sends {rate} a second; take one that sends more, or page some by call"
        if at_once > rate * (1 + sum(PAUSES))
        else None,
    )


def _a_second(number: dict[str, Any]) -> int:
    if found := _A_SECOND.get(number["NumberType"]):
        return found
    return _LONG_CODE.get(number["IsoCountryCode"], _OTHER_LONG_CODES)


def calls(room: Room, sender: Notifications) -> Verdict:
    """Whoever is paged by a call can be called: from a number, within the account's limits."""
    if sender.voice_sender is None:
        return missing(f"{', '.join(_CALLED(room))} cannot be called without it; name a number for VOICE")
    return account(room, "VOICE")


def events(room: Room, given: Notifications) -> Verdict:
    """What became of a message is told, where the file says (`DescribeConfigurationSets`)."""
    name, group = given.text_configuration_set, given.text_receipts
    if name is None:
        return missing("none is named, so nobody learns of messages that failed; make one that tells, and name it")
    [found] = _listed(room, "describe_configuration_sets", "ConfigurationSets", ConfigurationSetNames=[name])
    told = {kind for one in found["EventDestinations"] if _tells(one, group) for kind in one["MatchingEventTypes"]}
    kinds = ["TEXT", "VOICE"] if _CALLED(room) else ["TEXT"]
    wanted = {f"{kind}_{failure}" for kind in kinds if f"{kind}_ALL" not in told for failure in _FAILURES[kind]}
    untold = set() if "ALL" in told else wanted - told
    if untold:
        return wrong(f"it does not tell {group or 'anybody'} of {', '.join(sorted(untold))}; add them")
    return ok(f"failures are told{f' to {group}' if group else ''}")


def _tells(destination: dict[str, Any], group: str | None) -> bool:
    """Whether an event destination is on, and writes to that log group where one is named."""
    arn = destination.get("CloudWatchLogsDestination", {}).get("LogGroupArn", "")
    return destination["Enabled"] and (group is None or arn.removesuffix(":*").endswith(f":log-group:{group}"))


def _sender_ids(environment: Environment) -> dict[str, str | None]:
    sender = environment.notifications.sms_sender
    return {"notifications.sms_sender": None if sender and is_number(sender) else sender}


def _own_numbers(environment: Environment) -> dict[str, tuple[str, str] | None]:
    texts, voice = environment.notifications.sms_sender, environment.notifications.voice_sender
    return {
        "notifications.sms_sender": (texts, "SMS") if texts and is_number(texts) else None,
        "notifications.voice_sender": (voice, "VOICE") if voice else None,
    }


def _callers(room: Room) -> dict[str, Notifications]:
    return {"notifications.voice_sender": room.environment.notifications} if _CALLED(room) else {}


_TEXTS = each(lambda _: {"notifications": "TEXT"})
_EVENTS = each(lambda e: {"notifications.text_configuration_set": e.notifications})
_STANDING = iam("cloudwatch:GetMetricData", "sms-voice:DescribeAccountAttributes DescribeSpendLimits")

CHECKS: tuple[Check[Any], ...] = (
    Check("text messages", _TEXTS, account, _STANDING),
    Check("calls", _callers, calls, _STANDING),
    Check("sender id", each(_sender_ids), sender_id, iam("sms-voice:DescribeSenderIds")),
    Check("sender number", each(_own_numbers), sender_number, iam("sms-voice:DescribePhoneNumbers")),
    Check("opt-out", _TEXTED, opted_out, iam("sms-voice:DescribeOptedOutNumbers DescribePhoneNumbers")),
    named("text events", _EVENTS, events, iam("sms-voice:DescribeConfigurationSets")),
)

"""Whether pages reach people: senders, spend limits, sandboxes and opt-outs of text messages and mail."""

from typing import Any

from activities.action import iam
from activities.preflight.check import Check, Room, Verdict, first_wrong, missing, named, ok, unknown, wrong
from activities.preflight.places import each
from domain.config.environment import Notifications

_LEAST_SPEND = 50
"""US dollars a month. At first SNS allows 1, and then sends nothing more, without an error (SNS guide, "SMS sandbox").
"""
_BUSY_HOUR = 1000
"""Mails that may go out around one grave incident, duties and reminders included."""
_UNASKED = frozenset({"US", "CA"})
"""Where text messages show no sender id, but a number (End User Messaging guide, "Supported countries")."""
_CALLING = {"61": "AU", "64": "NZ", "44": "GB", "65": "SG", "49": "DE", "47": "NO", "33": "FR", "1": "US"}


def numbers(room: Room) -> dict[str, str]:
    """The telephone numbers that pages go to, by whose they are."""
    return {
        f"{contact.id} {channel.address}": channel.address
        for contact in room.organisation.contacts
        for channel in contact.channels
        if channel.kind == "sms"
    }


def mailboxes(room: Room) -> dict[str, str]:
    """The mail addresses that pages go to, by whose they are."""
    return {
        f"{contact.id} {channel.address}": channel.address
        for contact in room.organisation.contacts
        for channel in contact.channels
        if channel.kind == "email"
    }


def sms_account(room: Room, _: Notifications) -> Verdict:
    """The account sends text messages to anybody, and may spend enough.

    `sns:GetSMSAttributes`, `GetSMSSandboxAccountStatus`. SNS tells no refusal by spend limit but in its delivery logs.
    """
    sns = room.client("sns")
    given = sns.get_sms_attributes()["attributes"]
    limit = float(given.get("MonthlySpendLimit") or 1)
    return first_wrong(
        f"out of the sandbox, {limit:.0f} USD a month, deliveries are logged",
        "it is in the SMS sandbox: only verified numbers get anything; ask to leave it"
        if sns.get_sms_sandbox_account_status()["IsInSandbox"]
        else None,
        f"it may spend {limit:.0f} USD a month; ask for {_LEAST_SPEND}" if limit < _LEAST_SPEND else None,
        None if given.get("DeliveryStatusIAMRole") else "deliveries are not logged; set DeliveryStatusIAMRole",
    )


def opted_out(room: Room, number: str) -> Verdict:
    """A number has not opted out of our messages (`sns:CheckIfPhoneNumberIsOptedOut`)."""
    if room.client("sns").check_if_phone_number_is_opted_out(phoneNumber=number)["isOptedOut"]:
        return wrong("it has opted out of text messages; opt it in again (once in 30 days), or page another way")
    return ok("not opted out")


def sender_id(room: Room, given: Notifications) -> Verdict:
    """The sender that text messages show is registered where people are (`sms-voice:DescribeSenderIds`).

    Since 1 July 2026 Australia drops messages of senders that are not registered.
    """
    found = {number: _country(number) for number in numbers(room).values()}
    countries = sorted({country for country in found.values() if country} - _UNASKED)
    unplaced = [number for number, country in found.items() if country is None]
    pages = room.client("pinpoint-sms-voice-v2").get_paginator("describe_sender_ids").paginate()
    listed = {(one["SenderId"], one["IsoCountryCode"]): one for page in pages for one in page["SenderIds"]}
    lost = [c for c in countries if not listed.get((given.sms_sender, c), {}).get("Registered")]
    by_hand = f"look by hand whether {given.sms_sender} must be registered for {', '.join(unplaced)}"
    if lost:
        said = f"{given.sms_sender} is not registered in {', '.join(lost)}; register it, or leave sms_sender out"
        return wrong(f"{said}; {by_hand}" if unplaced else said)
    if unplaced:
        return unknown(f"preflight does not know the country of some numbers; {by_hand}")
    return ok(f"registered in {', '.join(countries)}" if countries else "nobody is paged where a sender id is shown")


def _country(number: str) -> str | None:
    """The country of a number in E.164, of those that are told apart here."""
    return next((country for code, country in _CALLING.items() if number.startswith(f"+{code}")), None)


def mail_account(room: Room, _: Notifications) -> Verdict:
    """The account sends mail to anybody, and enough of it (`ses:GetAccount`)."""
    found = room.client("sesv2").get_account()
    quota = found["SendQuota"]
    left = quota["Max24HourSend"] - quota["SentLast24Hours"]
    unlimited = quota["Max24HourSend"] == -1  # SESv2 API SendQuota
    return first_wrong(
        "out of the sandbox, " + ("without a daily limit" if unlimited else f"{left:.0f} mails left today"),
        "it is in the SES sandbox: only verified addresses get anything; ask for production access"
        if not found["ProductionAccessEnabled"]
        else None,
        "sending is paused; see the account's reputation" if not found["SendingEnabled"] else None,
        f"{left:.0f} mails are left today; ask for {_BUSY_HOUR}" if not unlimited and left < _BUSY_HOUR else None,
    )


def mail_events(room: Room, given: Notifications) -> Verdict:
    """Mail that bounces or is complained of is told of (`ses:GetConfigurationSetEventDestinations`)."""
    name = given.mail_configuration_set
    if name is None:
        return missing("none is named, so nobody learns of mail that bounced; make one that tells, and name it")
    found = room.client("sesv2").get_configuration_set_event_destinations(ConfigurationSetName=name)
    told = {kind for one in found["EventDestinations"] if one["Enabled"] for kind in one["MatchingEventTypes"]}
    untold = {"BOUNCE", "COMPLAINT"} - told
    return wrong(f"it tells nobody of {' and '.join(sorted(untold))}; add them") if untold else ok("failures are told")


def mail_sender(room: Room, given: Notifications) -> Verdict:
    """The sender, or its domain, is a verified identity (`ses:GetEmailIdentity`)."""
    sesv2, lost = room.client("sesv2"), []
    for name in (given.mail_sender, given.mail_sender.rpartition("@")[2]):
        try:
            found = sesv2.get_email_identity(EmailIdentity=name)
        except sesv2.exceptions.NotFoundException:
            continue
        if found["VerifiedForSendingStatus"]:
            return ok(f"{name} is verified")
        lost.append(name)
    return wrong(f"{lost[0]} is not verified; verify it") if lost else missing("no identity in SES; verify its domain")


def suppressed(room: Room, address: str) -> Verdict:
    """Mail to an address is not suppressed after a bounce or a complaint (`ses:GetSuppressedDestination`)."""
    sesv2 = room.client("sesv2")
    try:
        found = sesv2.get_suppressed_destination(EmailAddress=address)["SuppressedDestination"]
    except sesv2.exceptions.NotFoundException:
        return ok("not suppressed")
    return wrong(f"SES sends it nothing since a {found['Reason'].lower()}; mend the mailbox, then delete that entry")


_SMS = each(lambda e: {"notifications": e.notifications})
_SENDER = each(lambda e: {"notifications.sms_sender": e.notifications if e.notifications.sms_sender else None})
_EVENTS = each(lambda e: {"notifications.mail_configuration_set": e.notifications})
_MAIL = each(lambda e: {"notifications.mail_sender": e.notifications})

CHECKS: tuple[Check[Any], ...] = (
    Check("text messages", _SMS, sms_account, iam("sns:GetSMSAttributes GetSMSSandboxAccountStatus")),
    Check("sender id", _SENDER, sender_id, iam("sms-voice:DescribeSenderIds")),
    Check("opt-out", numbers, opted_out, iam("sns:CheckIfPhoneNumberIsOptedOut")),
    Check("mail", _SMS, mail_account, iam("ses:GetAccount")),
    named("mail events", _EVENTS, mail_events, iam("ses:GetConfigurationSetEventDestinations")),
    Check("mail sender", _MAIL, mail_sender, iam("ses:GetEmailIdentity")),
    Check("suppression", mailboxes, suppressed, iam("ses:GetSuppressedDestination")),
)

"""Whether mail can reach people: SES's sender, sandbox, quota and suppression list."""

from typing import Any

from activities.action import iam
from activities.preflight.check import Check, Room, Verdict, first_wrong, missing, named, ok, wrong
from activities.preflight.places import each, paged
from domain.config.environment import Notifications

_BUSY_HOUR = 1000
"""Mails that may go out around one grave incident, duties and reminders included."""


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


_ACCOUNT = each(lambda e: {"notifications": e.notifications})
_EVENTS = each(lambda e: {"notifications.mail_configuration_set": e.notifications})
_MAIL = each(lambda e: {"notifications.mail_sender": e.notifications})

CHECKS: tuple[Check[Any], ...] = (
    Check("mail", _ACCOUNT, mail_account, iam("ses:GetAccount")),
    named("mail events", _EVENTS, mail_events, iam("ses:GetConfigurationSetEventDestinations")),
    Check("mail sender", _MAIL, mail_sender, iam("ses:GetEmailIdentity")),
    Check("suppression", paged("email"), suppressed, iam("ses:GetSuppressedDestination")),
)

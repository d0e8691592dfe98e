"""Reaching people: a page goes out by the first of a contact's channels that takes it."""

import re
import textwrap
from typing import Any

import structlog
from temporalio.exceptions import CancelledError

from activities.action import Clients, RuleError
from activities.aws.shared.error_mapping import kind_of
from domain.config.organisation import Channel
from domain.model.activity_io import PageCall, Paged
from domain.values.errors import FINAL, ErrorKind

_SMS_MAX = 140
_log = structlog.get_logger(__name__)


class Pager:
    """Pages one contact: SNS `Publish` to a phone number, SESv2 `SendEmail` to a mailbox."""

    def __init__(self, clients: Clients) -> None:
        self.clients = clients

    def page(self, call: PageCall) -> Paged:
        """Send the page by the first channel that accepts it, in the contact's order.

        At least once: a repeat pages again, because a duplicate beats a page that was missed. When every channel
        fails, the error is raised that a repeat is likeliest to get past, the last of several. A contact without
        channels is refused. Each is tried once, so that one that hangs leaves time for the next.
        """
        failures: list[Exception] = []
        for channel in call.channels:
            try:
                reference = self._sms(call, channel) if channel.kind == "sms" else self._email(call, channel)
            except CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - raised below, unless another channel takes the page
                failures.append(error)
                kind = type(error).__name__
                _log.warning("channel failed", page=call.page_id, to=call.to, channel=channel.kind, error=kind)
            else:
                return Paged(channel=channel.kind, reference=reference)
        if not failures:
            raise RuleError(f"{call.to} has no channel to be paged by: give one in organisation.yaml")
        raise max(reversed(failures), key=_hope)

    def _sms(self, call: PageCall, channel: Channel) -> str:
        attributes = {
            "AWS.SNS.SMS.SenderID": call.sender_sms,
            "AWS.SNS.SMS.SMSType": "Transactional",
            "incident": call.incident,
            "role": call.role,
            "subject": call.subject,
        }
        answer = self.clients.once("sns").publish(
            PhoneNumber=channel.address,
            Message=short_text(call),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items() if value
            },
        )
        return str(answer["MessageId"])

    def _email(self, call: PageCall, channel: Channel) -> str:
        answer = self.clients.once("sesv2").send_email(
            FromEmailAddress=call.sender_mail,
            Destination={"ToAddresses": [channel.address]},
            Content={"Simple": {"Subject": _text(call.subject), "Body": {"Text": _text(call.body)}}},
            EmailTags=[{"Name": "incident", "Value": _tag(call.incident)}, {"Name": "role", "Value": _tag(call.role)}],
        )
        return str(answer["MessageId"])


def _hope(error: Exception) -> int:
    """How much there is to be gained by paging again after an error."""
    kind = kind_of(error)
    if kind in (ErrorKind.UNKNOWN, ErrorKind.EXPIRED_CREDENTIALS):
        return 1
    return 0 if kind in FINAL else 2


def short_text(call: PageCall) -> str:
    """Say a page in at most 140 characters, the incident's id always among them."""
    text = f"{call.subject}: {call.body}" if call.body else call.subject
    if call.incident in (short := textwrap.shorten(text, _SMS_MAX, placeholder=" ...")):
        return short
    return textwrap.shorten(f"{call.incident} {text}", _SMS_MAX, placeholder=" ...")


def _text(data: str) -> dict[str, Any]:
    return {"Data": data, "Charset": "UTF-8"}


def _tag(value: str) -> str:
    """SES takes letters, digits, `_`, `-`, `.` and `@` in a tag (SESv2 MessageTag)."""
    return re.sub(r"[^\w.@-]", "-", value, flags=re.ASCII)

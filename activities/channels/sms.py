"""Pages by text message."""

import textwrap

from activities.channels.channel import PageChannel
from domain.model.activity_io import PageCall

_MOST_CHARACTERS = 140
"""What one message holds (Amazon SNS, "Publishing to a mobile phone"); a longer one arrives in pieces."""


class Sms(PageChannel):
    """SNS `Publish` to a phone number in E.164.

    What SNS answers says that it took the message, not that it arrived: that a spend limit, the carrier or the phone
    refused it stands in the account's delivery logs alone (Amazon SNS, SMS delivery status in CloudWatch Logs).
    """

    kind = "sms"

    def send(self, call: PageCall, address: str) -> str:
        attributes = {
            "AWS.SNS.SMS.SenderID": call.sender_sms,
            "AWS.SNS.SMS.SMSType": "Transactional",
            "incident": call.incident,
            "role": call.role,
            "subject": call.subject,
        }
        answer = self.clients.once("sns").publish(
            PhoneNumber=address,
            Message=short_text(call),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items() if value
            },
        )
        return str(answer["MessageId"])


def short_text(call: PageCall) -> str:
    """Say a page in at most 140 characters, the incident's id always among them."""
    text = f"{call.subject}: {call.body}" if call.body else call.subject
    if call.incident in (short := textwrap.shorten(text, _MOST_CHARACTERS, placeholder=" ...")):
        return short
    return textwrap.shorten(f"{call.incident} {text}", _MOST_CHARACTERS, placeholder=" ...")

"""Pages by text message."""

import textwrap

from activities.channels import telephone
from activities.channels.channel import PageChannel
from domain.model.activity_io import PageCall

_MOST_CHARACTERS = 140
"""What one message holds in any encoding of SMS; a longer one arrives in pieces (End User Messaging guide, quotas)."""


class Sms(PageChannel):
    """End User Messaging `SendTextMessage` to a phone number in E.164."""

    kind = "sms"

    def send(self, call: PageCall, address: str) -> str:
        answer = self.clients.once(telephone.SERVICE).send_text_message(
            MessageType="TRANSACTIONAL",
            **telephone.asked(call, address, short_text(call)),
            **({"OriginationIdentity": call.sender_sms} if call.sender_sms else {}),
        )
        return str(answer["MessageId"])


def short_text(call: PageCall) -> str:
    """Say a page in at most 140 characters, the incident's id always among them."""
    text = f"{call.subject}: {call.body}" if call.body else call.subject
    if call.incident in (short := textwrap.shorten(text, _MOST_CHARACTERS, placeholder=" ...")):
        return short
    return textwrap.shorten(f"{call.incident} {text}", _MOST_CHARACTERS, placeholder=" ...")

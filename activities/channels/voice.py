"""Pages by telephone call."""

import textwrap

from activities.action import RuleError
from activities.channels import telephone
from activities.channels.channel import PageChannel
from domain.model.activity_io import PageCall

_MOST_CHARACTERS = 3000
"""What `SendVoiceMessage` takes as TEXT."""


class Voice(PageChannel):
    """End User Messaging `SendVoiceMessage` to a phone number in E.164: a voice reads the page out.

    Refused where the environment names no number to call from.
    """

    kind = "voice"

    def send(self, call: PageCall, address: str) -> str:
        if call.sender_voice is None:
            raise RuleError("there is no number to call from: give the environment's notifications.voice_sender")
        answer = self.clients.once(telephone.SERVICE).send_voice_message(
            OriginationIdentity=call.sender_voice,
            MessageBodyTextType="TEXT",
            **telephone.asked(call, address, spoken(call)),
        )
        return str(answer["MessageId"])


def spoken(call: PageCall) -> str:
    """Say a page in at most 3000 characters."""
    return textwrap.shorten(f"{call.subject}. {call.body}", _MOST_CHARACTERS, placeholder=" ...")

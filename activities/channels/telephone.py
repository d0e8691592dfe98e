"""Pages by text message and by call, to a phone number in E.164: AWS End User Messaging (`pinpoint-sms-voice-v2`).

Its answer says that it took the message, not that it arrived: what carriers and phones made of it is told as events of
the configuration set alone, which the environment names.
"""

import textwrap
from collections.abc import Callable
from random import random
from time import sleep
from typing import Any

from activities.action import Clients, RuleError
from domain.model.calls import PageCall
from domain.rules.messages import DRILL

SERVICE = "pinpoint-sms-voice-v2"
PAUSES = (1.0, 2.0)
"""Seconds to wait, at most, before what was throttled is sent again.

A sender sends few messages a second, a toll-free number three (guide, "Message Parts per Second (MPS) limits"), and the
pages of a round go out at once: the next channel may be mail, which wakes nobody.
"""
_LONGEST_VALUE = 800
_LONGEST_TEXT = 140
"""Less than the 160 characters of GSM that one message holds; with any other character it takes two parts or three, as
a part is 140 bytes (End User Messaging guide, "SMS character limits")."""
_LONGEST_CALL = 3000
"""What `SendVoiceMessage` takes as TEXT."""


def sms(clients: Clients, call: PageCall, address: str) -> str:
    """`SendTextMessage`."""
    client = clients.once(SERVICE)
    return _sent(
        client,
        client.send_text_message,
        MessageType="TRANSACTIONAL",
        **_asked(call, address, short_text(call)),
        **({"OriginationIdentity": call.sender.sms_sender} if call.sender.sms_sender else {}),
    )


def voice(clients: Clients, call: PageCall, address: str) -> str:
    """`SendVoiceMessage`: a voice reads the page out. Refused where the environment names no number to call from."""
    if call.sender.voice_sender is None:
        raise RuleError("there is no number to call from: give the environment's notifications.voice_sender")
    spoken = _ending(f"{call.subject}. {call.body}", call.words, _LONGEST_CALL)
    client = clients.once(SERVICE)
    return _sent(
        client,
        client.send_voice_message,
        OriginationIdentity=call.sender.voice_sender,
        MessageBodyTextType="TEXT",
        **_asked(call, address, spoken),
    )


def short_text(call: PageCall) -> str:
    """Say a page in at most 140 characters: its incident's id is always among them, the words of its plan come last.

    That it is a drill comes first.
    """
    text = f"{call.subject}: {call.body}" if call.body else call.subject
    if call.incident in (short := _ending(text, call.words, _LONGEST_TEXT)):
        return short
    mark, said = (f"{DRILL} ", text.removeprefix(DRILL)) if text.startswith(DRILL) else ("", text)
    return _ending(f"{mark}{call.incident} {said}", call.words, _LONGEST_TEXT)


def _ending(text: str, last: str, most: int) -> str:
    """A text in at most so many characters, with what comes `last` whole."""
    room = most - len(last) - 1 if last else most
    return f"{textwrap.shorten(text, room, placeholder=' ...')} {last}".rstrip()


def _sent(client: Any, send: Callable[..., Any], **asked: Any) -> str:
    """Send once, and again what was throttled, and so not sent; those who page beside us wait for other times."""
    for pause in PAUSES:
        try:
            return str(send(**asked)["MessageId"])
        except client.exceptions.ThrottlingException:
            sleep(pause * (1 + random()) / 2)
    return str(send(**asked)["MessageId"])


def _asked(call: PageCall, address: str, body: str) -> dict[str, Any]:
    """The parameters of a send; what stands in `Context` comes back with every event of the message."""
    given = {"incident": call.incident, "role": call.role, "subject": call.subject}
    context = {name: text for name, value in given.items() if (text := value[:_LONGEST_VALUE].strip())}
    events = call.sender.text_configuration_set
    return {
        "DestinationPhoneNumber": address,
        "MessageBody": body,
        "Context": context,
        **({"ConfigurationSetName": events} if events else {}),
    }

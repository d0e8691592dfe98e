"""What text messages and calls have in common: how AWS End User Messaging (`pinpoint-sms-voice-v2`) is asked to send.

Its answer says that it took the message, not that it arrived: what carriers and phones made of it is told as events of
the configuration set alone, which the environment names.
"""

from typing import Any

from domain.model.activity_io import PageCall

SERVICE = "pinpoint-sms-voice-v2"
_LONGEST_VALUE = 800


def asked(call: PageCall, address: str, body: str) -> dict[str, Any]:
    """The parameters of a send; what stands in `Context` comes back with every event of the message."""
    given = {"incident": call.incident, "role": call.role, "subject": call.subject}
    context = {name: text for name, value in given.items() if (text := value[:_LONGEST_VALUE].strip())}
    events = call.text_configuration_set
    return {
        "DestinationPhoneNumber": address,
        "MessageBody": body,
        "Context": context,
        **({"ConfigurationSetName": events} if events else {}),
    }

"""Every kind of channel there is, as an organisation's contacts name it; a new one is added here."""

from collections.abc import Callable

from activities.action import Clients
from activities.channels.email import email
from activities.channels.telephone import sms, voice
from domain.model.calls import PageCall

CHANNELS: dict[str, Callable[[Clients, PageCall, str], str]] = {"sms": sms, "voice": voice, "email": email}
"""Each sends a page to an address, in one attempt, and returns the provider's reference. A repeat sends it again. It
lets the provider's errors through; one that hangs takes the next channel's time, so AWS is called by `clients.once`.
"""

CALLED = {"sms": "text message", "voice": "call", "email": "mail"}
"""What people call what comes by each."""

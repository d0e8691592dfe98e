"""The account's senders of text messages and calls, as tests of pages have them."""

import os
from pathlib import Path

from sandbox.aws import sms_voice
from sandbox.aws.sms_voice import SmsVoiceBackend, sms_voice_backends
from sandbox.runtime.outbox import Outbox
from tests.activities.scopes import ACCOUNT, CALLS_FROM, REGION, TEXTS_BY


def telephones(outbox: Outbox | None = None) -> SmsVoiceBackend:
    """End User Messaging within `mock_aws`: what it accepts goes to the outbox; it knows INCIDENT in Australia."""
    sms_voice.install(outbox or Outbox(Path(os.devnull)))
    backend: SmsVoiceBackend = sms_voice_backends[ACCOUNT][REGION]
    backend.senders["INCIDENT", "AU"] = True
    backend.own(CALLS_FROM, "VOICE")
    backend.sets[TEXTS_BY] = []
    return backend

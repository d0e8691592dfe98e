"""AWS End User Messaging SMS (`pinpoint-sms-voice-v2`), which moto lacks: the sender ids of an account."""

import json
import re
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

from moto import backend_index
from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.responses import BaseResponse

_NAME = "sms-voice"
_HOST = r"https?://sms-voice\.(.+)\.amazonaws\.com"


class SmsVoiceBackend(BaseBackend):
    """`senders` says of a sender id and a country whether it is registered there."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.senders: dict[tuple[str, str], bool] = {}

    @property
    def _url_module(self) -> Any:
        return SimpleNamespace(url_bases=[_HOST], url_paths={"{0}/$": SmsVoiceResponse.dispatch})


class SmsVoiceResponse(BaseResponse):
    def __init__(self) -> None:
        super().__init__(service_name="pinpoint-sms-voice-v2")

    def describe_sender_ids(self) -> str:
        """All sender ids, on one page (End User Messaging SMS API, DescribeSenderIds)."""
        backend = sms_voice_backends[self.current_account][self.region]
        senders = [
            {"SenderId": name, "IsoCountryCode": country, "MessageTypes": ["TRANSACTIONAL"], "Registered": registered}
            for (name, country), registered in backend.senders.items()
        ]
        return json.dumps({"SenderIds": senders})


sms_voice_backends = BackendDict(SmsVoiceBackend, "pinpoint-sms-voice-v2")


def install() -> None:
    """Let moto know the service, as it knows its own: by the host's name, and by a module."""
    module = ModuleType(f"moto.{_NAME.replace('-', '')}")
    vars(module)["smsvoice_backends"] = sms_voice_backends
    sys.modules[module.__name__] = module
    if not any(name == _NAME for name, _ in backend_index.backend_url_patterns):
        backend_index.backend_url_patterns.append((_NAME, re.compile(_HOST)))

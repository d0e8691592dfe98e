"""AWS End User Messaging (`pinpoint-sms-voice-v2`), which moto lacks: texts and calls go to the outbox, or are refused.

Sources are the operations of the End User Messaging SMS and voice API, version 2, and the reasons of its exceptions
(ConflictException, ServiceQuotaExceededException, ValidationException).
"""

import re
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

from moto import backend_index
from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse
from moto.moto_api._internal import mock_random

from domain.values.telephones import country_of, is_number
from sandbox.runtime.outbox import Outbox

_NAME = "sms-voice"
_HOST = r"https?://sms-voice\.(.+)\.amazonaws\.com"
_DEFAULT = "Default"
_REGISTERED_ONLY = frozenset({"AU", "SG"})
"""Where a sender id must be registered (guide, "Supported countries and regions"): Australia since 1 July 2026."""
_NUMBERS_ONLY = frozenset({"US"})
"""Where there are no sender ids (the same)."""
_CONTEXT = re.compile(r"(?!\s)[\s\S]{1,800}(?<!\s)")
_OUTBOXES: list[Outbox] = []


class SmsVoiceBackend(BaseBackend):
    """An account's standing, for tests to change; a new one may spend 1 USD a month (guide, "SMS spending quotas")."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.tier = "PRODUCTION"
        self.verified: set[str] = set()
        self.limits = {"TEXT": 1, "VOICE": 1}
        self.spent = {"TEXT": 0, "VOICE": 0}
        self.throttled = 0
        """How many sends come too fast for their sender (SendTextMessage, ThrottlingException)."""
        self.senders: dict[tuple[str, str], bool] = {}
        """By sender id and country, whether it is registered there."""
        self.numbers: dict[str, dict[str, Any]] = {}
        self.opted_out: dict[str, set[str]] = {_DEFAULT: set()}
        self.sets: dict[str, list[dict[str, Any]]] = {}
        """Event destinations by configuration set."""

    @property
    def _url_module(self) -> Any:
        return SimpleNamespace(url_bases=[_HOST], url_paths={"{0}/$": SmsVoiceResponse.dispatch})

    def own(self, number: str, *capabilities: str, status: str = "ACTIVE", opt_outs: str = _DEFAULT) -> None:
        """Give the account a number to send from, for texts (`SMS`) or calls (`VOICE`)."""
        place = f"{self.region_name}:{self.account_id}:phone-number/phone-{number[1:]}"
        self.numbers[number] = {
            "PhoneNumberArn": f"arn:{self.partition}:sms-voice:{place}",
            "PhoneNumber": number,
            "Status": status,
            "IsoCountryCode": country_of(number) or "US",
            "MessageType": "TRANSACTIONAL",
            "NumberCapabilities": list(capabilities),
            "NumberType": "LONG_CODE",
            "OptOutListName": opt_outs,
        }


class RefusedError(ServiceException):
    """An exception of the service, with the reason that its model names."""

    def __init__(self, code: str, reason: str, **about: str) -> None:
        super().__init__(f"{code}Exception", reason)
        self.Reason = reason
        for name, value in about.items():
            setattr(self, name, value)


def _not_found(kind: str, name: str) -> RefusedError:
    return RefusedError("ResourceNotFound", "resource-not-found", ResourceType=kind, ResourceId=name)


class SmsVoiceResponse(BaseResponse):
    def __init__(self) -> None:
        super().__init__(service_name="pinpoint-sms-voice-v2")
        self.automated_parameter_parsing = True

    @property
    def _account(self) -> SmsVoiceBackend:
        found: SmsVoiceBackend = sms_voice_backends[self.current_account][self.region]
        return found

    def send_text_message(self) -> ActionResult:
        """Send a text, from whichever identity of the account can where none is named."""
        to, sender = self._get_param("DestinationPhoneNumber"), self._get_param("OriginationIdentity")
        if sender is None:
            numbers = [number for number, one in self._account.numbers.items() if _able(one, "SMS")]
            names = [name for name, country in self._account.senders if country == country_of(to)]
            sender = next(iter([*numbers, *names]), None)
        if sender is None:
            raise RefusedError("Conflict", "NO_ORIGINATION_IDENTITIES_FOUND")
        if is_number(sender):
            opt_outs = self._from_number(sender, "SMS")
        else:
            opt_outs = self._from_sender_id(sender, country_of(to))
        if to in self._account.opted_out[opt_outs]:
            raise RefusedError("Conflict", "DESTINATION_PHONE_NUMBER_OPTED_OUT")
        return self._send("TEXT", "sms", to)

    def send_voice_message(self) -> ActionResult:
        """Call somebody, from a number that can."""
        self._from_number(self._get_param("OriginationIdentity"), "VOICE")
        return self._send("VOICE", "voice", self._get_param("DestinationPhoneNumber"))

    def _from_number(self, number: str, capability: str) -> str:
        """Refuse a number that is not there, not active or of the other kind; give its list of who opted out."""
        found = self._account.numbers.get(number)
        if found is None:
            raise _not_found("phone-number", number)
        if found["Status"] != "ACTIVE":
            raise RefusedError("Conflict", "RESOURCE_NOT_ACTIVE")
        if not _able(found, capability):
            raise RefusedError("Conflict", "NUMBER_CAPABILITIES_MISMATCH")
        return str(found["OptOutListName"])

    def _from_sender_id(self, sender: str, country: str | None) -> str:
        if country in _NUMBERS_ONLY:
            raise RefusedError("Validation", "SENDER_ID_NOT_SUPPORTED")
        registered = self._account.senders.get((sender, country or ""))
        if registered is None:
            raise _not_found("sender-id", sender)
        if country in _REGISTERED_ONLY and not registered:
            raise RefusedError("Validation", "SENDER_ID_REQUIRES_REGISTRATION")
        return _DEFAULT

    def _send(self, kind: str, channel: str, to: str) -> ActionResult:
        account, context = self._account, self._get_param("Context", {})
        if not is_number(to) or not all(_CONTEXT.fullmatch(value) for value in context.values()):
            raise RefusedError("Validation", "FIELD_VALIDATION_FAILED")
        events = self._get_param("ConfigurationSetName")
        if events is not None and events not in account.sets:
            raise _not_found("configuration-set", events)
        # CreateVerifiedDestinationNumber: "You can only send messages to verified destination numbers when your
        # account is in the sandbox."
        if account.tier == "SANDBOX" and to not in account.verified:
            raise RefusedError("Conflict", "DESTINATION_PHONE_NUMBER_NOT_VERIFIED")
        if account.spent[kind] >= account.limits[kind]:
            raise RefusedError("ServiceQuotaExceeded", f"MONTHLY_SPEND_LIMIT_REACHED_FOR_{kind}")
        if account.throttled:
            account.throttled -= 1
            raise RefusedError("Throttling", "Rate exceeded")
        said = {name: context.get(name) for name in ("role", "subject", "incident")}
        _OUTBOXES[-1].deliver(channel=channel, to=to, body=self._get_param("MessageBody"), **said)
        return ActionResult({"MessageId": str(mock_random.uuid4())})

    def describe_sender_ids(self) -> ActionResult:
        """All sender ids, on one page, as every list here."""
        senders = [
            {"SenderId": name, "IsoCountryCode": country, "MessageTypes": ["TRANSACTIONAL"], "Registered": registered}
            for (name, country), registered in self._account.senders.items()
        ]
        return ActionResult({"SenderIds": senders})

    def describe_phone_numbers(self) -> ActionResult:
        """All numbers that the account sends from."""
        return ActionResult({"PhoneNumbers": list(self._account.numbers.values())})

    def describe_spend_limits(self) -> ActionResult:
        """What may be spent a month, by kind; `EnforcedLimit` counts only where `Overridden` says so."""
        name = "{}_MESSAGE_MONTHLY_SPEND_LIMIT".format
        limits = [
            {"Name": name(kind), "EnforcedLimit": most, "MaxLimit": most, "Overridden": False}
            for kind, most in self._account.limits.items()
        ]
        return ActionResult({"SpendLimits": limits})

    def describe_account_attributes(self) -> ActionResult:
        """Whether the account is in the sandbox."""
        return ActionResult({"AccountAttributes": [{"Name": "ACCOUNT_TIER", "Value": self._account.tier}]})

    def describe_opted_out_numbers(self) -> ActionResult:
        """Who is on a list of those that opted out; a list that is not there is not found."""
        name = self._get_param("OptOutListName")
        if name not in self._account.opted_out:
            raise _not_found("opt-out-list", name)
        numbers = [{"OptedOutNumber": one, "EndUserOptedOut": True} for one in sorted(self._account.opted_out[name])]
        return ActionResult({"OptOutListName": name, "OptedOutNumbers": numbers})

    def describe_configuration_sets(self) -> ActionResult:
        """The configuration sets of these names, with their event destinations; one that is not there is not found."""
        names = self._get_param("ConfigurationSetNames") or list(self._account.sets)
        for name in names:
            if name not in self._account.sets:
                raise _not_found("configuration-set", name)
        found = [{"ConfigurationSetName": name, "EventDestinations": self._account.sets[name]} for name in names]
        return ActionResult({"ConfigurationSets": found})


def _able(number: dict[str, Any], capability: str) -> bool:
    return capability in number["NumberCapabilities"]


sms_voice_backends = BackendDict(SmsVoiceBackend, "pinpoint-sms-voice-v2")


def install(outbox: Outbox) -> None:
    """Let moto know the service, as it knows its own: by the host's name, and by a module.

    Installing again changes only the outbox.
    """
    _OUTBOXES[:] = [outbox]
    module = ModuleType(f"moto.{_NAME.replace('-', '')}")
    vars(module)["smsvoice_backends"] = sms_voice_backends
    sys.modules[module.__name__] = module
    if not any(name == _NAME for name, _ in backend_index.backend_url_patterns):
        backend_index.backend_url_patterns.append((_NAME, re.compile(_HOST)))

"""What SES says of the account's own standing, which moto lacks: its sandbox, quota and suppression list."""

import json
from dataclasses import dataclass, field
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.sesv2 import urls
from moto.sesv2.responses import SESV2Response

from sandbox.aws.moto_patch import patch

_KEPT = "_standing"


@dataclass
class Standing:
    """How an account stands with SES; a new one is in its sandbox (SES guide)."""

    mail_sandbox: bool = False
    mails_a_day: float = 50_000
    suppressed: dict[str, str] = field(default_factory=dict)
    """By mail address: BOUNCE or COMPLAINT."""
    destinations: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Of mail's events, by configuration set."""


def install() -> None:
    """Patch moto with these operations."""
    patch(SESV2Response, get_account=get_account, get_suppressed_destination=get_suppressed_destination)
    patch(
        SESV2Response,
        create_configuration_set_event_destination=create_configuration_set_event_destination,
        get_configuration_set_event_destinations=get_configuration_set_event_destinations,
    )
    events = "configuration-sets/(?P<ConfigurationSetName>[^/]+)/event-destinations$"
    for path in ("account$", "suppression/addresses/(?P<EmailAddress>[^/]+)$", events):
        urls.url_paths[f"{{0}}/v2/email/{path}"] = SESV2Response.dispatch


def standing(backend: Any) -> Standing:
    """The standing that one of moto's backends of the account keeps; a moto reset clears it."""
    kept: Standing = backend.__dict__.setdefault(_KEPT, Standing())
    return kept


def get_account(response: SESV2Response) -> str:
    """The account's quota, and whether it is out of the sandbox (SESv2 API GetAccount)."""
    known = standing(response.sesv2_backend)
    return json.dumps(
        {
            "ProductionAccessEnabled": not known.mail_sandbox,
            "SendingEnabled": True,
            "SendQuota": {"Max24HourSend": known.mails_a_day, "MaxSendRate": 14.0, "SentLast24Hours": 0.0},
        }
    )


def get_suppressed_destination(response: SESV2Response) -> str:
    """An address that SES sends nothing any more; any other is not found."""
    address = response._get_param("EmailAddress")
    reason = standing(response.sesv2_backend).suppressed.get(address)
    if reason is None:
        raise JsonRESTError("NotFoundException", f"Email address {address} does not exist on your suppression list.")
    found = {"EmailAddress": address, "Reason": reason, "LastUpdateTime": 0}
    return json.dumps({"SuppressedDestination": found})


def create_configuration_set_event_destination(response: SESV2Response) -> str:
    """Let a configuration set tell of mail's events (SESv2 API); one that is not there is not found."""
    name = response._get_param("ConfigurationSetName")
    response.sesv2_backend.get_configuration_set(name)
    made = {"Name": response._get_param("EventDestinationName"), **response._get_param("EventDestination")}
    standing(response.sesv2_backend).destinations.setdefault(name, []).append(made)
    return "{}"


def get_configuration_set_event_destinations(response: SESV2Response) -> str:
    """Whom a configuration set tells of what."""
    name = response._get_param("ConfigurationSetName")
    response.sesv2_backend.get_configuration_set(name)
    return json.dumps({"EventDestinations": standing(response.sesv2_backend).destinations.get(name, [])})

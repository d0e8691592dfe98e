"""Amazon SES: every mail accepted goes to the outbox, once for each recipient."""

import base64
import email
import json
import re
from collections.abc import Callable
from email.message import Message
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.ses.responses import EmailResponse
from moto.sesv2.responses import SESV2Response

from sandbox.aws.moto_patch import patch
from sandbox.runtime.outbox import Outbox

_TAG = re.compile(r"[A-Za-z0-9_-]{0,256}")
_send_email = EmailResponse.send_email
_send_email_v2 = SESV2Response.send_email


def install(outbox: Outbox) -> None:
    """Patch moto with these operations; installing again changes only the outbox."""
    patch(EmailResponse, send_email=_sending(outbox))
    patch(SESV2Response, send_email=_sending_v2(outbox))


def _sending(outbox: Outbox) -> Callable[[EmailResponse], ActionResult]:
    def send_email(response: EmailResponse) -> ActionResult:
        """Send by the SES version 1 API; the tags `role` and `incident` go to the outbox."""
        sent = _send_email(response)
        text, html = (response._get_param(f"Message.Body.{kind}.Data") for kind in ("Text", "Html"))
        _deliver(
            outbox,
            response._get_param("Destination", {}),
            response._get_param("Tags", []),
            response._get_param("Message.Subject.Data"),
            text or html,
        )
        return sent

    return send_email


def _sending_v2(outbox: Outbox) -> Callable[[SESV2Response], str]:
    def send_email(response: SESV2Response) -> str:
        """Send by the SES version 2 API; the e-mail tags `role` and `incident` go to the outbox.

        A tag with another character than SES takes, or a configuration set that does not exist, is refused.
        """
        asked = json.loads(response.body)
        _refuse_wrong(response, asked)
        sent: str = _send_email_v2(response)
        subject, body = _content(asked["Content"])
        _deliver(outbox, asked.get("Destination", {}), asked.get("EmailTags", []), subject, body)
        return sent

    return send_email


def _refuse_wrong(response: SESV2Response, asked: dict[str, Any]) -> None:
    # SESv2 MessageTag: "It can only contain ASCII letters (a-z, A-Z), numbers (0-9), underscores (_), or dashes (-)."
    for tag in asked.get("EmailTags", []):
        if not all(_TAG.fullmatch(tag[part]) for part in ("Name", "Value")):
            raise JsonRESTError("BadRequestException", "Tag names and values take ASCII letters, digits, _ and - only.")
    # SESv2 SendEmail, errors: NotFoundException, "The resource you attempted to access doesn't exist."
    if (name := asked.get("ConfigurationSetName")) is not None:
        response.sesv2_backend.get_configuration_set(name)


def _content(content: dict[str, Any]) -> tuple[str, str]:
    if "Raw" in content:
        message: Message = email.message_from_bytes(base64.b64decode(content["Raw"]["Data"]))
        parts = [part for part in message.walk() if part.get_content_type() == "text/plain"]
        payload = parts[0].get_payload(decode=True) if parts else b""
        return message["Subject"] or "", payload.decode() if isinstance(payload, bytes) else ""
    body = content["Simple"]["Body"]
    return content["Simple"]["Subject"]["Data"], (body.get("Text") or body["Html"])["Data"]


def _deliver(
    outbox: Outbox, destination: dict[str, list[str]], listed: list[dict[str, str]], subject: str, body: str
) -> None:
    tags = {tag["Name"]: tag["Value"] for tag in listed}
    for address in [
        one for kind in ("ToAddresses", "CcAddresses", "BccAddresses") for one in destination.get(kind, [])
    ]:
        outbox.deliver(
            channel="email",
            to=address,
            role=tags.get("role"),
            subject=subject,
            body=body,
            incident=tags.get("incident"),
        )

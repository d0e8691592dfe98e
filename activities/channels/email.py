"""Pages by mail."""

import re
from typing import Any

from activities.action import Clients
from domain.model.calls import PageCall


def email(clients: Clients, call: PageCall, address: str) -> str:
    """SESv2 `SendEmail` to a mailbox.

    What SES answers says that it took the mail, not that it arrived: bounces, complaints and suppressed addresses are
    told as events of the configuration set alone, which the environment names.
    """
    events = call.sender.mail_configuration_set
    body = "\n".join(filter(None, (call.body, call.words)))
    answer = clients.once("sesv2").send_email(
        FromEmailAddress=call.sender.mail_sender,
        Destination={"ToAddresses": [address]},
        Content={"Simple": {"Subject": _text(call.subject), "Body": {"Text": _text(body)}}},
        EmailTags=[{"Name": "incident", "Value": _tag(call.incident)}, {"Name": "role", "Value": _tag(call.role)}],
        **({"ConfigurationSetName": events} if events else {}),
    )
    return str(answer["MessageId"])


def _text(data: str) -> dict[str, Any]:
    return {"Data": data, "Charset": "UTF-8"}


def _tag(value: str) -> str:
    """SES takes ASCII letters, digits, `_` and `-` in a tag, and no more than 256 of them (SESv2 MessageTag)."""
    return re.sub(r"[^\w-]", "-", value, flags=re.ASCII)[:256]

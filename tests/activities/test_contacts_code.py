"""A one-time code reaches exactly the channel that is checked, and stands nowhere else."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from activities.action import RuleError
from activities.channels.contacts_code import ContactCode, ContactCodeParams
from activities.statuspage_client import StatusPageClient
from domain.config.environment import Notifications
from domain.model.activity_io import Noticed
from domain.model.calls import Scope
from domain.values import codes
from tests.activities.aws_calls import RecordedAws, recorded_aws
from tests.activities.scopes import CALLS_FROM, environment, scope
from tests.activities.telephones import telephones
from tests.builders import organisation

SENDS = {"sms": "SendTextMessage", "voice": "SendVoiceMessage", "email": "SendEmail"}
SENDER = Notifications(mail_sender="incidents@example.com", sms_sender="INCIDENT", voice_sender=CALLS_FROM)
PLACE = scope(environment=environment(notifications=SENDER.model_dump()))
CODE = re.compile(r"confirm ([0-9A-Z]{5}-[0-9A-Z]{5}|(?:[0-9A-Z], ){9}[0-9A-Z])")


@pytest.fixture
def aws() -> Iterator[RecordedAws]:
    with recorded_aws() as clients:
        clients.client("sesv2").create_email_identity(EmailIdentity=SENDER.mail_sender)
        clients.calls.clear()
        telephones()
        yield clients


def send(aws: RecordedAws, kind: str, organisation: str = "Axis Imaging", place: Scope = PLACE) -> Noticed:
    address = "cto@example.com" if kind == "email" else "+61491570006"
    channel = {"kind": kind, "address": address}
    params = {"organisation": organisation, "contact": "cto", "role": "cto", "channel": channel}
    return ContactCode(aws, StatusPageClient("http://127.0.0.1:9", "")).send(
        place, ContactCodeParams.model_validate(params), 1
    )


def text_of(sent: dict[str, Any]) -> str:
    if "Content" in sent:
        simple = sent["Content"]["Simple"]
        return f"{simple['Subject']['Data']}: {simple['Body']['Text']['Data']}"
    return str(sent["MessageBody"])


@pytest.mark.parametrize("kind", SENDS)
def test_the_code_goes_by_exactly_this_channel(aws: RecordedAws, kind: str) -> None:
    """The text says who asks, that it is a check, and the command; what is said back is what went on record."""
    noticed = send(aws, kind)
    (sent,) = aws.sent(SENDS[kind])
    assert [operation for operation, _ in aws.calls] == [SENDS[kind]]
    text = text_of(sent)
    (said,) = CODE.findall(text)
    assert text.startswith("Axis Imaging: contact check")
    assert "Nothing is wrong" in text
    assert noticed.code == codes.digest(said.replace(", ", ""), codes.about(PLACE.incident, 1))
    assert noticed.code != codes.digest(said.replace(", ", ""), codes.about(PLACE.incident, 2))


def test_a_code_is_nowhere_but_in_its_message(aws: RecordedAws, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in what goes on record, nor in what AWS tells of a message, nor in a log."""
    with caplog.at_level("DEBUG", logger="activities"):
        noticed = send(aws, "sms")
    (sent,) = aws.sent("SendTextMessage")
    (said,) = CODE.findall(sent["MessageBody"])
    assert said not in noticed.model_dump_json() + str(sent["Context"]) + caplog.text
    assert said.replace("-", "") not in noticed.model_dump_json() + caplog.text


def test_another_attempt_sends_another_code(aws: RecordedAws) -> None:
    """The same notice again: two messages, two codes, and the digest of the last."""
    digests = [send(aws, "sms").code for _ in range(2)]
    said = [CODE.findall(text_of(sent))[0] for sent in aws.sent("SendTextMessage")]
    assert digests == [codes.digest(one, codes.about(PLACE.incident, 1)) for one in said]
    assert len(set(said)) == 2


def test_a_text_message_holds_the_whole_command_whatever_the_organisation_is_called(aws: RecordedAws) -> None:
    """What does not fit in 140 characters is the organisation's name, never the code nor the incident."""
    send(aws, "sms", organisation="The " + "Very " * 20 + "Long Imaging Company")
    text = text_of(aws.sent("SendTextMessage")[0])
    assert CODE.search(text)
    assert PLACE.incident in text
    assert len(text) <= 140


def test_no_other_channel_takes_over(aws: RecordedAws) -> None:
    """It is this one that is to be known: where nobody can be called, nobody is texted or mailed instead."""
    without = scope(environment=environment(notifications={"mail_sender": SENDER.mail_sender}))
    with pytest.raises(RuleError, match="no number to call from"):
        send(aws, "voice", place=without)
    assert aws.calls == []


def test_nobody_but_a_contact_is_asked(aws: RecordedAws) -> None:
    """A channel that the worker's own file does not give to this contact is a stranger's: nothing goes there."""
    action = ContactCode(aws, StatusPageClient("http://127.0.0.1:9", ""))
    known = organisation()
    for channel in ({"kind": "sms", "address": "+61491570999"}, {"kind": "email", "address": "cto@example.com"}):
        params = {"organisation": "Axis", "contact": "cto", "role": "cto", "channel": channel}
        with pytest.raises(RuleError, match="no such channel"):
            action.refuse(known, ContactCodeParams.model_validate(params))
    own = known.contact("cto")
    assert own is not None
    given: dict[str, Any] = {
        "organisation": "Axis",
        "contact": "cto",
        "role": "cto",
        "channel": own.channels[0].model_dump(),
    }
    action.refuse(known, ContactCodeParams.model_validate(given))

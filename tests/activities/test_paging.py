from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from botocore.exceptions import ClientError

from activities.action import RuleError
from activities.aws.shared.error_mapping import kind_of
from activities.channels import telephone
from activities.channels.kinds import CALLED, CHANNELS
from activities.channels.paging import Pager
from activities.channels.sent import Attempt
from activities.channels.telephone import short_text
from domain.config.environment import Notifications
from domain.config.organisation import Channel
from domain.model.activity_io import Paged
from domain.model.calls import PageCall
from domain.values.errors import FINAL, ErrorKind
from sandbox.aws import messages
from sandbox.aws.sms_voice import SmsVoiceBackend
from sandbox.runtime.outbox import Outbox
from tests.activities.aws_calls import RecordedAws, recorded_aws
from tests.activities.scopes import CALLS_FROM, NOW
from tests.activities.telephones import telephones
from tests.activities.world import LEDGER

SMS = Channel(kind="sms", address="+61491570006")
VOICE = Channel(kind="voice", address="+61491570006")
EMAIL = Channel(kind="email", address="lead@example.com")
CONTEXT = {
    "incident": "inc-20261123-7f3k",
    "role": "devops-lead",
    "subject": "P0 System outage inc-20261123-7f3k",
}
INVALID_REQUEST, QUOTA_EXCEEDED, NOT_FOUND = ErrorKind.INVALID_REQUEST, ErrorKind.QUOTA_EXCEEDED, ErrorKind.NOT_FOUND


@pytest.fixture
def aws() -> Iterator[RecordedAws]:
    with recorded_aws() as clients:
        clients.client("sesv2").create_email_identity(EmailIdentity="incidents@example.com")
        clients.calls.clear()
        telephones()
        yield clients


def page(*channels: Channel, **changes: Any) -> PageCall:
    fields: dict[str, Any] = {
        "page_id": "inc-20261123-7f3k/page/1",
        "incident": "inc-20261123-7f3k",
        "to": "lead",
        "role": "devops-lead",
        "channels": channels,
        "subject": "P0 System outage inc-20261123-7f3k",
        "body": "Acknowledge: incident ack inc-20261123-7f3k",
        "ledger_table": LEDGER,
        "speed": 1,
    }
    sender = {"mail_sender": "incidents@example.com", "sms_sender": "INCIDENT", "voice_sender": CALLS_FROM}
    sender |= {name: changes.pop(name) for name in list(changes) if name in Notifications.model_fields}
    return PageCall.model_validate(fields | changes | {"sender": sender})


def paged(aws: RecordedAws, call: PageCall) -> Paged:
    return Pager(aws).page(call, Attempt(1, NOW, NOW))


def test_sms_carries_who_and_what(aws: RecordedAws) -> None:
    """A page by SMS is transactional and tells incident, role and subject beside its text."""
    taken = paged(aws, page(SMS, EMAIL))
    [sent] = aws.sent("SendTextMessage")
    assert taken.channel == "sms"
    assert taken.reference
    assert sent == {
        "DestinationPhoneNumber": "+61491570006",
        "OriginationIdentity": "INCIDENT",
        "MessageType": "TRANSACTIONAL",
        "MessageBody": short_text(page()),
        "Context": CONTEXT,
    }
    assert not aws.sent("SendEmail")


def test_a_call_says_all_of_it(aws: RecordedAws) -> None:
    """A page by voice is read out whole, from the number that the environment names."""
    taken = paged(aws, page(VOICE, EMAIL))
    [sent] = aws.sent("SendVoiceMessage")
    assert (taken.channel, bool(taken.reference)) == ("voice", True)
    assert sent == {
        "DestinationPhoneNumber": "+61491570006",
        "OriginationIdentity": CALLS_FROM,
        "MessageBodyTextType": "TEXT",
        "MessageBody": "P0 System outage inc-20261123-7f3k. Acknowledge: incident ack inc-20261123-7f3k",
        "Context": CONTEXT,
    }


def test_without_a_number_to_call_from_the_next_channel_is_taken(aws: RecordedAws) -> None:
    """Nothing is asked of AWS then; where it was the only channel, what is missing is named."""
    assert paged(aws, page(VOICE, SMS, voice_sender=None)).channel == "sms"
    with pytest.raises(RuleError, match=r"notifications\.voice_sender"):
        paged(aws, page(VOICE, voice_sender=None))
    assert not aws.sent("SendVoiceMessage")


@pytest.mark.parametrize("channel", [SMS, VOICE])
def test_texts_and_calls_go_by_the_configuration_set(aws: RecordedAws, channel: Channel) -> None:
    """Without one nobody learns what became of them; one that is not there is refused, and the next channel sends."""
    telephones().sets["incidents"] = []
    assert paged(aws, page(channel, text_configuration_set="incidents")).channel == channel.kind
    assert paged(aws, page(channel, EMAIL, text_configuration_set="gone")).channel == "email"


def test_without_a_sender_aws_chooses(aws: RecordedAws) -> None:
    """In some countries there are no sender ids: then none is named, and the account's own number is shown."""
    telephones().own("+12025550100", "SMS")
    assert paged(aws, page(Channel(kind="sms", address="+12025550143"), sms_sender=None)).channel == "sms"
    assert "OriginationIdentity" not in aws.sent("SendTextMessage")[0]


@pytest.mark.parametrize("subject", ["  P0", "P" * 900, " " * 801 + "P0", ""])
def test_context_is_given_as_aws_takes_it(aws: RecordedAws, subject: str) -> None:
    """White space around a value or more than 800 characters of it lose no page."""
    assert paged(aws, page(SMS, subject=subject)).channel == "sms"


@pytest.mark.parametrize(
    ("fault", "channel", "code", "kind"),
    [
        (lambda a: a.opted_out["Default"].add("+61491570006"), SMS, "ConflictException", INVALID_REQUEST),
        (lambda a: setattr(a, "tier", "SANDBOX"), SMS, "ConflictException", INVALID_REQUEST),
        (lambda a: setattr(a, "tier", "SANDBOX"), VOICE, "ConflictException", INVALID_REQUEST),
        (lambda a: a.spent.update(TEXT=1), SMS, "ServiceQuotaExceededException", QUOTA_EXCEEDED),
        (lambda a: a.spent.update(VOICE=1), VOICE, "ServiceQuotaExceededException", QUOTA_EXCEEDED),
        (lambda a: a.senders.update({("INCIDENT", "AU"): False}), SMS, "ValidationException", INVALID_REQUEST),
        (lambda a: a.senders.clear(), SMS, "ResourceNotFoundException", NOT_FOUND),
        (lambda a: a.own(CALLS_FROM, "VOICE", status="PENDING"), VOICE, "ConflictException", INVALID_REQUEST),
        (lambda a: a.own(CALLS_FROM, "SMS"), VOICE, "ConflictException", INVALID_REQUEST),
        (lambda a: a.numbers.clear(), VOICE, "ResourceNotFoundException", NOT_FOUND),
    ],
)
def test_what_aws_refuses_is_final_and_the_next_channel_is_taken(
    aws: RecordedAws, fault: Callable[[SmsVoiceBackend], Any], channel: Channel, code: str, kind: ErrorKind
) -> None:
    """Somebody who opted out, a spend limit, a sender that may not send: no repeat helps, and no page is lost."""
    fault(telephones())
    assert paged(aws, page(channel, EMAIL)).channel == "email"
    with pytest.raises(ClientError, match=code) as refused:
        paged(aws, page(channel))
    assert kind_of(refused.value) is kind
    assert kind in FINAL


def test_email_carries_who_and_what(aws: RecordedAws) -> None:
    """A page by mail carries the whole text, and incident and role as tags."""
    taken = paged(aws, page(EMAIL))
    [sent] = aws.sent("SendEmail")
    assert taken.channel == "email"
    assert sent["Content"]["Simple"]["Body"]["Text"]["Data"] == "Acknowledge: incident ack inc-20261123-7f3k"
    assert sent["EmailTags"] == [
        {"Name": "incident", "Value": "inc-20261123-7f3k"},
        {"Name": "role", "Value": "devops-lead"},
    ]


def test_mail_is_tagged_as_ses_takes_it(aws: RecordedAws, tmp_path: Path) -> None:
    """SES refuses a tag with a dot or an at sign in it: nothing that an organisation names a role by loses a page."""
    messages.install(Outbox(tmp_path / "outbox.jsonl"))
    assert paged(aws, page(EMAIL, role="on.call@night")).channel == "email"
    assert aws.sent("SendEmail")[0]["EmailTags"][1] == {"Name": "role", "Value": "on-call-night"}


def test_mail_goes_by_the_configuration_set(aws: RecordedAws, tmp_path: Path) -> None:
    """Without one nobody learns that a mail bounced; one that is not there is refused, and the next channel sends."""
    messages.install(Outbox(tmp_path / "outbox.jsonl"))
    aws.client("sesv2").create_configuration_set(ConfigurationSetName="incidents")
    assert paged(aws, page(EMAIL, mail_configuration_set="incidents")).channel == "email"
    assert aws.sent("SendEmail")[0]["ConfigurationSetName"] == "incidents"
    assert paged(aws, page(EMAIL, SMS, mail_configuration_set="gone")).channel == "sms"


def test_a_failed_channel_falls_to_the_next(aws: RecordedAws) -> None:
    """When a contact's first channel fails, the next one is tried in the same attempt."""
    aws.fail("SendTextMessage", "ConflictException")
    assert paged(aws, page(SMS, EMAIL)).channel == "email"
    assert len(aws.sent("SendTextMessage")) == 1


def test_a_channel_that_cannot_be_reached_falls_to_the_next(aws: RecordedAws) -> None:
    """Any failure moves on, an unreachable service as much as a refusal."""

    def unreachable(_params: dict[str, Any]) -> Any:
        raise ConnectionError

    aws.answer("SendTextMessage", unreachable)
    assert paged(aws, page(SMS, EMAIL)).channel == "email"


@pytest.mark.parametrize(("times", "channel"), [(1, "sms"), (2, "sms"), (3, "email")])
def test_a_text_that_is_throttled_is_sent_a_moment_later(
    aws: RecordedAws, monkeypatch: pytest.MonkeyPatch, times: int, channel: str
) -> None:
    """A number sends few messages a second and a round of pages goes out at once: mail wakes nobody."""
    monkeypatch.setattr(telephone, "PAUSES", (0.0, 0.0))
    telephones().throttled = times
    assert paged(aws, page(SMS, EMAIL)).channel == channel
    assert len(aws.sent("SendTextMessage")) == min(times + 1, 3)


def test_all_channels_failing_is_an_error(aws: RecordedAws) -> None:
    """A page that nobody took raises the last channel's error, so that it is tried again."""
    aws.fail("SendTextMessage", "ConflictException")
    aws.fail("SendEmail", "MessageRejected")
    with pytest.raises(ClientError, match="MessageRejected"):
        paged(aws, page(SMS, EMAIL))


def test_no_channel_is_refused(aws: RecordedAws) -> None:
    """A contact who cannot be reached at all is told of, not passed over."""
    with pytest.raises(RuleError, match="lead has no channel"):
        paged(aws, page())


@pytest.mark.parametrize("subject", ["P0 System outage inc-20261123-7f3k", "Portal down " * 20])
@pytest.mark.parametrize("body", ["", "Acknowledge it. " * 30])
def test_short_text(subject: str, body: str) -> None:
    """An SMS fits one message and always says which incident it is about."""
    text = short_text(page(SMS, subject=subject, body=body))
    assert len(text) <= 140
    assert "inc-20261123-7f3k" in text


def test_every_kind_of_channel_can_be_paged_by() -> None:
    """What a contact may name as a channel is what pages can be sent by, and nothing else."""
    assert set(CHANNELS) == set(CALLED) == set(get_args(Channel.model_fields["kind"].annotation))

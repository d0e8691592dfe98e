from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from botocore.exceptions import ClientError

from activities.action import RuleError
from activities.channels.paging import CHANNELS, Pager
from activities.channels.sms import short_text
from domain.config.organisation import Channel
from domain.model.activity_io import PageCall
from sandbox.aws import messages
from sandbox.runtime.outbox import Outbox
from tests.activities.aws_calls import RecordedAws, recorded_aws

SMS = Channel(kind="sms", address="+61491570006")
EMAIL = Channel(kind="email", address="lead@example.com")


@pytest.fixture
def aws() -> Iterator[RecordedAws]:
    with recorded_aws() as clients:
        clients.client("sesv2").create_email_identity(EmailIdentity="incidents@example.com")
        clients.calls.clear()
        yield clients


def page(*channels: Channel, **changes: Any) -> PageCall:
    fields: dict[str, Any] = {
        "page_id": "inc-20261123-7f3k/page/1",
        "incident": "inc-20261123-7f3k",
        "to": "lead",
        "role": "devops-lead",
        "channels": channels,
        "sender_mail": "incidents@example.com",
        "sender_sms": "INCIDENT",
        "subject": "P0 System outage inc-20261123-7f3k",
        "body": "Acknowledge: incident ack inc-20261123-7f3k",
    }
    return PageCall.model_validate(fields | changes)


def test_sms_carries_who_and_what(aws: RecordedAws) -> None:
    """A page by SMS is transactional and tells incident, role and subject beside its text."""
    paged = Pager(aws).page(page(SMS, EMAIL))
    [sent] = aws.sent("Publish")
    attributes = {name: value["StringValue"] for name, value in sent["MessageAttributes"].items()}
    assert paged.channel == "sms"
    assert paged.reference
    assert sent["PhoneNumber"] == "+61491570006"
    assert attributes == {
        "AWS.SNS.SMS.SenderID": "INCIDENT",
        "AWS.SNS.SMS.SMSType": "Transactional",
        "incident": "inc-20261123-7f3k",
        "role": "devops-lead",
        "subject": "P0 System outage inc-20261123-7f3k",
    }
    assert not aws.sent("SendEmail")


def test_email_carries_who_and_what(aws: RecordedAws) -> None:
    """A page by mail carries the whole text, and incident and role as tags."""
    paged = Pager(aws).page(page(EMAIL))
    [sent] = aws.sent("SendEmail")
    assert paged.channel == "email"
    assert sent["Content"]["Simple"]["Body"]["Text"]["Data"] == "Acknowledge: incident ack inc-20261123-7f3k"
    assert sent["EmailTags"] == [
        {"Name": "incident", "Value": "inc-20261123-7f3k"},
        {"Name": "role", "Value": "devops-lead"},
    ]


def test_mail_is_tagged_as_ses_takes_it(aws: RecordedAws, tmp_path: Path) -> None:
    """SES refuses a tag with a dot or an at sign in it: nothing that an organisation names a role by loses a page."""
    messages.install(Outbox(tmp_path / "outbox.jsonl"))
    assert Pager(aws).page(page(EMAIL, role="on.call@night")).channel == "email"
    assert aws.sent("SendEmail")[0]["EmailTags"][1] == {"Name": "role", "Value": "on-call-night"}


def test_mail_goes_by_the_configuration_set(aws: RecordedAws, tmp_path: Path) -> None:
    """Without one nobody learns that a mail bounced; one that is not there is refused, and the next channel sends."""
    messages.install(Outbox(tmp_path / "outbox.jsonl"))
    aws.client("sesv2").create_configuration_set(ConfigurationSetName="incidents")
    assert Pager(aws).page(page(EMAIL, mail_configuration_set="incidents")).channel == "email"
    assert aws.sent("SendEmail")[0]["ConfigurationSetName"] == "incidents"
    assert Pager(aws).page(page(EMAIL, SMS, mail_configuration_set="gone")).channel == "sms"


def test_a_failed_channel_falls_to_the_next(aws: RecordedAws) -> None:
    """When a contact's first channel fails, the next one is tried in the same attempt."""
    aws.fail("Publish", "OptedOut")
    assert Pager(aws).page(page(SMS, EMAIL)).channel == "email"
    assert len(aws.sent("Publish")) == 1


def test_a_channel_that_cannot_be_reached_falls_to_the_next(aws: RecordedAws) -> None:
    """Any failure moves on, an unreachable service as much as a refusal."""

    def unreachable(_params: dict[str, Any]) -> Any:
        raise ConnectionError

    aws.answer("Publish", unreachable)
    assert Pager(aws).page(page(SMS, EMAIL)).channel == "email"


def test_all_channels_failing_is_an_error(aws: RecordedAws) -> None:
    """A page that nobody took raises the last channel's error, so that it is tried again."""
    aws.fail("Publish", "OptedOut")
    aws.fail("SendEmail", "MessageRejected")
    with pytest.raises(ClientError, match="MessageRejected"):
        Pager(aws).page(page(SMS, EMAIL))


def test_no_channel_is_refused(aws: RecordedAws) -> None:
    """A contact who cannot be reached at all is told of, not passed over."""
    with pytest.raises(RuleError, match="lead has no channel"):
        Pager(aws).page(page())


@pytest.mark.parametrize("subject", ["P0 System outage inc-20261123-7f3k", "Portal down " * 20])
@pytest.mark.parametrize("body", ["", "Acknowledge it. " * 30])
def test_short_text(subject: str, body: str) -> None:
    """An SMS fits one message and always says which incident it is about."""
    text = short_text(page(SMS, subject=subject, body=body))
    assert len(text) <= 140
    assert "inc-20261123-7f3k" in text


def test_every_kind_of_channel_can_be_paged_by() -> None:
    """What a contact may name as a channel is what pages can be sent by, and nothing else."""
    assert {channel.kind for channel in CHANNELS} == set(get_args(Channel.model_fields["kind"].annotation))

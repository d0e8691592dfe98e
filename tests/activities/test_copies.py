"""How often one page goes out: an answer that was lost is waited for, three copies an hour at most, whatever fails."""

from collections.abc import Iterator
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from temporalio.exceptions import ApplicationError

from activities.channels import quick_table
from activities.channels.paging import Pager
from activities.channels.sent import Attempt
from domain.config.organisation import Channel
from domain.model.activity_io import Paged
from domain.model.calls import PageCall
from tests.activities.aws_calls import RecordedAws, recorded_aws
from tests.activities.scopes import NOW
from tests.activities.telephones import telephones
from tests.activities.test_paging import EMAIL, SMS, VOICE, page
from tests.activities.world import LEDGER

MINUTE = timedelta(minutes=1)
LOST = ReadTimeoutError(endpoint_url="https://sms-voice.ap-southeast-2.amazonaws.com")
TEXT, MAIL = "SendTextMessage", "SendEmail"


@pytest.fixture
def aws() -> Iterator[RecordedAws]:
    with recorded_aws() as clients:
        clients.client("sesv2").create_email_identity(EmailIdentity="incidents@example.com")
        keys: Any = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
        kinds: Any = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
        clients.client("dynamodb").create_table(
            TableName=LEDGER, BillingMode="PAY_PER_REQUEST", KeySchema=keys, AttributeDefinitions=kinds
        )
        telephones()
        clients.calls.clear()
        yield clients


class Sender:
    """The attempts of one page, each by Temporal's number and time; a worker that died knows nothing of the last."""

    def __init__(self, aws: RecordedAws, *channels: Channel, **changes: Any) -> None:
        self.aws = aws
        self.pager = Pager(aws)
        self.call: PageCall = page(*channels, **{"ledger_table": LEDGER} | changes)
        self.number = 0
        self.at = NOW

    def attempt(self, after: timedelta = timedelta()) -> Paged:
        self.number += 1
        self.at += after
        return self.pager.page(self.call, Attempt(self.number, self.at, NOW))

    def waits(self, after: timedelta = timedelta()) -> timedelta:
        """How long it is told to wait; it has to."""
        with pytest.raises(ApplicationError) as error:
            self.attempt(after)
        assert not error.value.non_retryable
        assert error.value.next_retry_delay is not None
        return error.value.next_retry_delay

    def die(self) -> None:
        self.pager = Pager(self.aws)


def lose(aws: RecordedAws, *operations: str) -> None:
    """Their answers are lost, after AWS has done it or before: nobody knows."""

    def lost(_asked: dict[str, Any]) -> Any:
        raise LOST

    for operation in operations:
        aws.answer(operation, lost)


@pytest.mark.parametrize("dies", [False, True], ids=["the same worker", "another worker"])
def test_a_lost_answer_is_waited_for(aws: RecordedAws, dies: bool) -> None:
    """Not sent again at once: after five minutes, then after half an hour: three an hour."""
    sender = Sender(aws, SMS)
    lose(aws, TEXT)
    for after, waits, copies in (
        (0, 5, 1),
        (1, 4, 1),
        (4, 30, 2),
        (1, 29, 2),
        (29, 25, 3),
        (24, 1, 3),
        (1, 5, 3),
        (5, 30, 4),
    ):
        assert sender.waits(after * MINUTE) == waits * MINUTE
        assert len(aws.sent(TEXT)) == copies
        if dies:
            sender.die()


@pytest.mark.parametrize("dies", [False, True], ids=["the same worker", "another worker"])
def test_what_was_taken_is_not_sent_again(aws: RecordedAws, dies: bool) -> None:
    """The answer to Temporal was lost, or the worker died with it: the page's own answer is on record."""
    sender = Sender(aws, SMS)
    first = sender.attempt()
    if dies:
        sender.die()
    assert sender.attempt() == first
    assert len(aws.sent(TEXT)) == 1


def test_another_channel_takes_over_at_once(aws: RecordedAws) -> None:
    """A channel that does not answer may be dead: who is to be woken is reached by the next."""
    lose(aws, TEXT)
    assert Sender(aws, SMS, EMAIL).attempt().channel == "email"


def test_of_many_channels_three_copies_go_out_an_hour(aws: RecordedAws) -> None:
    """Whatever fails, and however many addresses somebody has."""
    lose(aws, TEXT, MAIL, "SendVoiceMessage")
    sender = Sender(aws, SMS, VOICE, EMAIL, Channel(kind="sms", address="+61491570007"))
    waits = sender.waits()
    for _ in range(20):
        waits = sender.waits(waits / 2)
    sent_out = [name for name, _ in aws.calls if name in {TEXT, MAIL, "SendVoiceMessage"}]
    assert sender.at - NOW < 60 * MINUTE
    assert len(sent_out) == 3


def test_of_twenty_pages_each_goes_out(aws: RecordedAws) -> None:
    """There is no bound on what one person gets."""
    for number in range(20):
        Sender(aws, SMS, page_id=f"inc-20261123-7f3k/page/{number}").attempt()
    assert len(aws.sent(TEXT)) == 20


@pytest.mark.parametrize("error", [EndpointConnectionError(endpoint_url="x"), "ThrottlingException"])
def test_what_never_went_out_is_no_copy(aws: RecordedAws, error: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where AWS could not be reached, or refused it, it is sent again as soon as there is another attempt."""
    monkeypatch.setattr("activities.channels.telephone.PAUSES", ())

    def fails(_asked: dict[str, Any]) -> Any:
        raise error

    if isinstance(error, str):
        aws.fail(TEXT, error)
    else:
        aws.answer(TEXT, fails)
    sender = Sender(aws, SMS)
    for _ in range(5):
        with pytest.raises(Exception, match=r"Throttl|Could not connect"):
            sender.attempt()
        sender.die()
    aws.answer(TEXT, lambda _: None)
    assert sender.attempt().channel == "sms"


def test_a_sandboxs_clocks_wait_less(aws: RecordedAws) -> None:
    """What is waited for is counted by the incident's own clocks."""
    lose(aws, TEXT)
    assert Sender(aws, SMS, speed=60).waits() == 5 * MINUTE / 60


def test_two_attempts_at_once_send_one_copy(aws: RecordedAws) -> None:
    """One that was given up lives on beside its successor: whoever puts the copy on record sends it."""
    one, other = Sender(aws, SMS), Sender(aws, SMS)

    def meanwhile(_asked: dict[str, Any]) -> Any:
        aws.answer(TEXT, lambda _: None)
        assert other.waits() == 5 * MINUTE

    aws.answer(TEXT, meanwhile)
    one.attempt()
    assert len(aws.sent(TEXT)) == 1


@pytest.fixture
def silent(aws: RecordedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that does not answer for longer than a page waits."""
    monkeypatch.setattr(quick_table, "PATIENCE_SECONDS", 0.05)

    def closed(_asked: dict[str, Any]) -> Any:
        raise ConnectionClosedError(endpoint_url="https://dynamodb.ap-southeast-2.amazonaws.com")

    for operation in ("PutItem", "Query"):
        aws.answer(operation, closed)


@pytest.mark.usefixtures("silent")
def test_a_page_does_not_wait_for_the_table(aws: RecordedAws) -> None:
    """It goes out, and the process knows its copies."""
    assert Sender(aws, SMS).attempt().channel == "sms"
    lose(aws, TEXT)
    sender = Sender(aws, SMS, page_id="inc-20261123-7f3k/page/2")
    assert [sender.waits(after * MINUTE) for after in (0, 5)] == [5 * MINUTE, 30 * MINUTE]


@pytest.mark.usefixtures("silent")
def test_without_the_table_a_new_process_counts_temporals_attempts(aws: RecordedAws) -> None:
    """Each earlier attempt may have sent it: three copies an hour even then."""
    lose(aws, TEXT)
    sender = Sender(aws, SMS)
    for _ in range(6):
        sender.waits()
        sender.die()
    assert len(aws.sent(TEXT)) == 3


def test_a_table_that_hangs_holds_a_page_up_for_a_moment(aws: RecordedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second or two, once; then the table is left alone."""
    monkeypatch.setattr(quick_table, "PATIENCE_SECONDS", 0.05)
    asked, gate = 0, Event()

    def hang(_asked: dict[str, Any]) -> Any:
        nonlocal asked
        asked += 1
        gate.wait()
        raise LOST

    aws.answer("PutItem", hang)
    assert Sender(aws, SMS).attempt().channel == "sms"
    gate.set()
    assert asked == 1

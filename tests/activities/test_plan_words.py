"""A page about a plan ends with the words of the plan on record, whatever its text says, and waits for no record."""

from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from activities.changes.plans import MadePlan, Plans
from activities.channels import quick_table
from activities.channels.paging import Pager
from activities.channels.plan_words import UNREAD
from activities.channels.sent import Attempt
from activities.channels.telephone import short_text
from activities.channels.words import addressed
from activities.ledger.table import Table
from domain.config.organisation import Channel
from domain.model.activity_io import PageRequest, PlanNamed
from domain.model.calls import PageCall
from domain.model.plan import Plan
from domain.values.words import in_words
from tests.activities.aws_calls import RecordedAws, recorded_aws
from tests.activities.scopes import NOW, environment, scope
from tests.activities.telephones import telephones
from tests.activities.test_paging import EMAIL, SMS, VOICE, page
from tests.activities.world import LEDGER, create_table
from tests.domain.changing import plan
from tests.house import FixedHouse, about

INCIDENT = "inc-20261123-7f3k"
PLAN = plan()
WORDS = f"Words: {in_words(PLAN.digest)}"
NAMED = PlanNamed(step="rollback", generation=1, digest=PLAN.digest)
FALSE = "Words: zoo zoo zoo zoo"


@pytest.fixture
def aws() -> Iterator[RecordedAws]:
    with recorded_aws() as clients:
        clients.client("sesv2").create_email_identity(EmailIdentity="incidents@example.com")
        create_table(clients.client("dynamodb"))
        telephones()
        keep(clients, PLAN)
        clients.calls.clear()
        yield clients


def keep(aws: RecordedAws, made: Plan, generation: int = 1) -> None:
    """Put a plan on record as the hands do."""
    on_record = MadePlan(plan=made, params={}, requested_by="development-lead", at=NOW)
    Plans(Table(aws, LEDGER)).put(INCIDENT, "rollback", generation, on_record)


def said(aws: RecordedAws, channel: Channel, named: PlanNamed | None = NAMED, **changes: Any) -> str:
    """The text that goes out."""
    call: PageCall = page(channel, **{"plan": named, "body": f"Impact: none\n{FALSE}", **changes})
    Pager(aws).page(call, Attempt(1, NOW, NOW))
    if channel is EMAIL:
        (sent,) = aws.sent("SendEmail")
        return str(sent["Content"]["Simple"]["Body"]["Text"]["Data"])
    (sent,) = aws.sent("SendTextMessage" if channel is SMS else "SendVoiceMessage")
    return str(sent["MessageBody"])


def last_words(text: str) -> str:
    return text[text.rindex("Words: ") :]


@pytest.mark.parametrize("channel", [SMS, VOICE, EMAIL])
def test_words_of_the_plan_on_record_stand_last(aws: RecordedAws, channel: Channel) -> None:
    """However the page goes out; what its text says of words comes before."""
    assert last_words(said(aws, channel)) == WORDS
    assert len(aws.sent("GetItem")) == 1


@pytest.mark.parametrize("channel", [SMS, VOICE, EMAIL])
@pytest.mark.parametrize("title", ["Portal down " * 400, "Outage"], ids=["long", "short"])
def test_nothing_cuts_them(aws: RecordedAws, channel: Channel, title: str) -> None:
    """A text message keeps to its limit, with the incident and the words whole; a call to what AWS reads out."""
    text = said(aws, channel, subject=f"DRILL [P0] {title}", body=f"DRILL {title}")
    assert last_words(text) == WORDS
    assert len(text) <= {SMS: 140, VOICE: 3000, EMAIL: 100_000}[channel]
    assert text.startswith("DRILL")
    assert channel is not SMS or INCIDENT in text


def test_the_longest_words_leave_room_for_the_incident() -> None:
    words = "Words: " + " ".join(["language"] * 4)
    text = short_text(page(SMS, subject="Portal down " * 20, body="Approve it " * 20, words=words))
    assert (len(text) <= 140, INCIDENT in text, text.endswith(words)) == (True, True, True)


@pytest.mark.parametrize("channel", [SMS, VOICE, EMAIL])
def test_a_page_about_no_plan_asks_for_none(aws: RecordedAws, channel: Channel) -> None:
    text = said(aws, channel, None, body="Acknowledge it")
    assert text.endswith("Acknowledge it")
    assert aws.sent("GetItem") == []


@pytest.mark.parametrize(
    "named",
    [
        NAMED.model_copy(update={"digest": plan(impact="another").digest}),
        NAMED.model_copy(update={"generation": 2}),
        NAMED.model_copy(update={"step": "promote"}),
        NAMED.model_copy(update={"digest": ""}),
    ],
    ids=["another plan", "another change", "another step", "no digest"],
)
def test_a_plan_that_the_hands_have_not_made_has_no_words(aws: RecordedAws, named: PlanNamed) -> None:
    """Whatever the request names: its reader is sent to the terminal."""
    assert last_words(said(aws, EMAIL, named)) == UNREAD


def test_an_altered_record_has_no_words(aws: RecordedAws) -> None:
    """The digest that stands beside a plan is not believed either."""
    keep(aws, PLAN.model_copy(update={"impact": "none at all"}), generation=3)
    assert last_words(said(aws, EMAIL, NAMED.model_copy(update={"generation": 3}))) == UNREAD


@pytest.mark.parametrize("channel", [SMS, VOICE, EMAIL])
def test_without_the_table_the_page_goes_out(aws: RecordedAws, channel: Channel) -> None:
    """It says where the words are; the table is not asked for anything else at once."""

    def closed(_asked: dict[str, Any]) -> Any:
        raise ConnectionClosedError(endpoint_url="https://dynamodb.ap-southeast-2.amazonaws.com")

    aws.answer("GetItem", closed)
    assert last_words(said(aws, channel)) == UNREAD
    assert (len(aws.sent("GetItem")), aws.sent("PutItem")) == (1, [])


def test_a_table_that_hangs_is_not_waited_for(aws: RecordedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is out while the table has still not answered."""
    monkeypatch.setattr(quick_table, "PATIENCE_SECONDS", 0.05)
    gate = Event()
    aws.answer("GetItem", lambda _asked: gate.wait() and None)
    try:
        assert last_words(said(aws, EMAIL)) == UNREAD
        assert not gate.is_set()
    finally:
        gate.set()


def test_a_request_brings_the_name_of_its_plan_and_no_words() -> None:
    """What is asked for stands in the page's text at most, before the line that the hands add."""
    asked = PageRequest(
        about=about(scope()),
        page_id=f"{INCIDENT}/page/1",
        message="page",
        to="cto",
        role="cto",
        reason="approval needed",
        ask=FALSE,
        plan=NAMED,
    )
    call = addressed(FixedHouse(environment()), PageRequest.model_validate({**asked.model_dump(), "words": FALSE}))
    assert (call.plan, call.words) == (NAMED, "")

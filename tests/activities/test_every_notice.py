"""Every error class at every call of what tells people and keeps the record: notices, pages, the ledger."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any

import pytest
from moto import mock_aws
from temporalio.exceptions import ApplicationError

from activities.catalogue import NOTICES
from activities.channels import telephone
from domain.config.organisation import Channel
from domain.model.activity_io import AppendCall, Paged, PageRequest
from domain.values.errors import ErrorKind
from tests.activities.ledger_worlds import ledger_and_vault, objects, place, table, verdict
from tests.activities.notice_worlds import NOTICE_WORLDS, NoticeWorld, missing_worlds, notice_world
from tests.activities.report_worlds import Played
from tests.activities.scopes import environment, scope
from tests.activities.telephones import telephones
from tests.activities.trial import named
from tests.activities.walk import Met, Walk
from tests.activities.wire import Sent
from tests.activities.wire_codes import ONE_A_CLASS
from tests.activities.world import WIRE, WorldClients
from tests.builders import declaration
from tests.house import FixedHouse, about, asked_by, asking, house_of, reached_by
from tests.records import INCIDENT

STATUSES = {
    420: (ErrorKind.TRANSIENT, False),
    429: (ErrorKind.TRANSIENT, False),
    500: (ErrorKind.TRANSIENT, False),
    503: (ErrorKind.TRANSIENT, False),
    401: (ErrorKind.ACCESS_DENIED, True),
    403: (ErrorKind.ACCESS_DENIED, True),
    400: (ErrorKind.INVALID_REQUEST, True),
    404: (ErrorKind.INVALID_REQUEST, True),
    422: (ErrorKind.INVALID_REQUEST, True),
}
SMS = Channel(kind="sms", address="+61491570006")
VOICE = Channel(kind="voice", address="+61491570006")
EMAIL = Channel(kind="email", address="lead@example.com")


_THROTTLED = "ThrottlingException"
_BY_TELEPHONE = frozenset({"SendTextMessage", "SendVoiceMessage"})


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telephone, "PAUSES", (0.0, 0.0))


def _codes(sent: Sent) -> tuple[str, ...]:
    """A telephone's message that is throttled goes out in the same attempt: `test_paging` shows it.

    Nor is a page held up by whatever becomes of its record: `test_copies` does.
    """
    if sent.service == "dynamodb":
        return ()
    return tuple(one for one in ONE_A_CLASS if one != _THROTTLED or sent.operation not in _BY_TELEPHONE)


@pytest.fixture(params=sorted(NOTICES))
def world(request: pytest.FixtureRequest) -> Iterator[NoticeWorld]:
    with notice_world(request.param) as made:
        yield made


def test_every_notice_has_a_world() -> None:
    """A notice that is added to the catalogue is held to this suite too, or whoever adds it is told what lacks."""
    assert missing_worlds() == ""
    assert set(NOTICE_WORLDS) == set(NOTICES)
    assert missing_worlds({"sms.shout": None}).endswith("sms.shout")


def test_every_call_of_a_notice_meets_every_error(world: NoticeWorld) -> None:
    """Whatever AWS answers, it leaves with its kind; once it goes through, it has been told once."""
    before = world.received()
    for met in Walk(world.send, lambda sent: () if sent.operation in world.optional else _codes(sent)):
        _came_out(met)
    _received_once(world, before)


@pytest.mark.parametrize("code", ONE_A_CLASS)
def test_what_may_fail_keeps_nothing_from_being_told(world: NoticeWorld, code: str) -> None:
    """What a notice can do without is done without, whatever the error."""
    before = world.received()
    with WIRE.listening(lambda sent: code if sent.operation in world.optional else None):
        world.send()
    _received_once(world, before)


def test_in_a_drill_a_notice_reaches_nobody(world: NoticeWorld) -> None:
    """No call is made but to look the incident up: the record says what would have been said, and to whom."""
    before, asked = world.received(), len(world.page.requests)
    with WIRE.listening(lambda _: None) as sent:
        told = world.send(mode="drill")
    assert {one.operation for one in sent} == {"GetItem"}
    assert (world.received(), len(world.page.requests)) == (before, asked)
    action = NOTICES[world.name]
    assert told.text.startswith(f"nothing (drill); to {action.audience}: ")
    assert len(told.text) > len(f"nothing (drill); to {action.audience}: ")


@pytest.mark.parametrize("notice", sorted(NOTICES))
def test_every_request_of_a_notice_meets_every_status(notice: str) -> None:
    """Whatever the status page answers, it leaves with its kind; once it goes through, it has been told once."""
    asked = _requests(notice)
    with notice_world(notice) as world:
        before = world.received()
        for position, (status, expected) in product(range(asked), STATUSES.items()):
            world.page.failures = [*[None] * position, (status, {})]
            with pytest.raises(ApplicationError) as failed:
                world.send()
            assert (failed.value.type, failed.value.non_retryable) == expected, (position, status)
        world.send()
        _received_once(world, before)


@pytest.mark.parametrize("channel", [SMS, VOICE, EMAIL], ids=["sms", "voice", "email"])
def test_a_page_meets_every_error(channel: Channel) -> None:
    """By one channel alone it fails with the error's kind, and goes out with the next attempt."""
    with _paging() as page:
        walk = Walk(lambda: page(channel), _codes)
        for met in walk:
            _came_out(met)
        assert walk.result.channel == channel.kind


@pytest.mark.parametrize("code", ONE_A_CLASS)
def test_a_page_that_one_channel_does_not_take_goes_by_the_next(code: str) -> None:
    """In the same attempt, whatever the error; each channel is asked once, so that there is time for the next.

    One that is throttled is asked again within seconds.
    """
    with _paging() as page, WIRE.listening(lambda sent: code if sent.operation == "SendTextMessage" else None) as sent:
        assert page(SMS, EMAIL).channel == "email"
        asked = ["SendTextMessage"] * (3 if code == _THROTTLED else 1)
        made = [(one.operation, one.repeats) for one in sent if one.service != "dynamodb"]
        assert made == [(one, False) for one in (*asked, "SendEmail")]


@pytest.mark.parametrize("first", ONE_A_CLASS)
@pytest.mark.parametrize("second", ONE_A_CLASS)
def test_a_page_is_given_up_only_when_every_channel_is_lost(first: str, second: str) -> None:
    """Where any channel may take it another time it is tried again, in whatever order they stand."""
    codes = {"SendTextMessage": first, "SendEmail": second}
    with _paging() as page, WIRE.listening(lambda sent: codes.get(sent.operation)):
        with pytest.raises(ApplicationError) as failed:
            page(SMS, EMAIL)
        assert failed.value.non_retryable == (first == second == "AccessDenied")
        passing = {"ThrottlingException", "InvalidDBInstanceState", "ConcurrentUpdateException"}
        if passing & {first, second}:
            assert any(code in failed.value.message for code in passing), failed.value


@pytest.mark.parametrize("anew", [False, True], ids=["at once", "one by one"])
def test_every_call_of_the_ledger_meets_every_error(anew: bool) -> None:
    """It fails with the error's kind, and another attempt leaves every entry and signed head once."""
    with ledger_and_vault() as clients:
        played = Played(declaration(environment=place()))
        played.say("acknowledge", "devops-lead")
        append = named(clients, house_of(played.incident.state.declaration))["ledger.append"]

        def write(last: int) -> Any:
            entries = list(played.entries)[:last]
            call = AppendCall(incident=INCIDENT, environment=place().name, epoch=1, entries=entries)
            return asked_by(INCIDENT).run(append, call)

        if anew:
            write(2)
        walk = Walk(lambda: write(4), lambda _: ONE_A_CLASS)
        for met in walk:
            _came_out(met)
        assert (walk.result.written, walk.result.epoch) == (4, 1)
        assert len([key for key, _ in table(clients) if key.startswith("chain#")]) == 4
        assert len(objects(clients)) == 1 + anew
        assert verdict(clients).flaws == []


def _requests(notice: str) -> int:
    """How many requests to the status page a notice makes when all goes well."""
    with notice_world(notice) as twin:
        made = len(twin.page.requests)
        twin.send()
        return len(twin.page.requests) - made


def _received_once(world: NoticeWorld, before: list[Any]) -> None:
    """One thing more has been told, and a repeat tells nothing, unless it is meant to tell it anew."""
    received = world.received()
    assert (Counter(received) - Counter(before)).total() == 1
    world.send()
    assert len(world.received()) == len(received) + world.anew


@contextmanager
def _paging() -> Iterator[Callable[..., Paged]]:
    """What pages by the channels that it is given."""
    with mock_aws():
        clients = WorldClients()
        clients.inner.client("sesv2").create_email_identity(EmailIdentity="incidents@example.com")
        telephones()

        def page(*channels: Channel) -> Paged:
            activity = named(clients, FixedHouse(environment(), reached_by(lead=channels)))["people.page"]
            call = PageRequest(
                about=about(scope()),
                page_id=f"{INCIDENT}/page/1",
                message="page",
                to="lead",
                role="devops-lead",
                reason="declared",
                ask="Acknowledge",
            )
            paged: Paged = asking(call).run(activity, call)
            return paged

        yield page


def _came_out(met: Met) -> None:
    assert met.error is not None, f"{met} went unnoticed"
    assert (met.error.type, met.error.non_retryable) == (met.kind.value, met.is_final), met

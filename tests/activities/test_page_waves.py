"""Several pages at once: everybody is tried, nobody waits for another's trouble, nobody is paged twice by a repeat."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from moto import mock_aws

from activities.registry import Activity
from domain.config.organisation import Channel
from domain.model.activity_io import PageRequest, Wave, WaveRequest
from tests.activities.scopes import environment, scope
from tests.activities.telephones import telephones
from tests.activities.trial import named
from tests.activities.wire import Sent
from tests.activities.world import WIRE, WorldClients
from tests.house import FixedHouse, about, asked_by, reached_by
from tests.records import INCIDENT

SMS = Channel(kind="sms", address="+61491570006")
HOUSE = FixedHouse(environment(), reached_by(reached=(SMS,)))


@pytest.fixture
def wave() -> Iterator[Activity]:
    with mock_aws():
        telephones()
        yield named(WorldClients(), HOUSE)["people.page_wave"]


def call(*channels: Channel | None) -> WaveRequest:
    """One page for each channel; None for somebody whom the worker does not know."""
    pages = [
        PageRequest(
            about=about(scope()),
            page_id=f"{INCIDENT}/page/{number}",
            message="page",
            to="nobody" if channel is None else "reached",
            role="devops-lead",
            reason="declared",
            ask="Acknowledge",
        )
        for number, channel in enumerate(channels, 1)
    ]
    return WaveRequest(pages=pages)


def _texts(sent: list[Sent]) -> list[str]:
    """What was sent to people; what keeps its record beside."""
    return [one.operation for one in sent if one.service != "dynamodb"]


def test_one_who_cannot_be_reached_is_named_by_his_place(wave: Activity) -> None:
    """The answer is in the order of the call, with a gap for whom no channel took; the others have their pages."""
    with WIRE.listening(lambda _: None) as sent:
        answer: Wave = asked_by(INCIDENT).run(wave, call(SMS, None, SMS))
        assert [paged is None for paged in answer.sent] == [False, True, False]
        assert _texts(sent) == ["SendTextMessage", "SendTextMessage"]


def test_a_repeat_pages_only_whom_the_attempt_before_did_not(wave: Activity) -> None:
    """What the heartbeats carried is not sent again, and is part of the answer."""
    activity = asked_by(INCIDENT)
    before = {f"{INCIDENT}/page/1": {"channel": "sms", "reference": "sent before"}}
    activity.info = replace(activity.info, heartbeat_details=[before], heartbeat_timeout=timedelta(seconds=5))
    with WIRE.listening(lambda _: None) as sent:
        answer: Wave = activity.run(wave, call(SMS, SMS))
        assert answer.sent[0] is not None
        assert answer.sent[0].reference == "sent before"
        assert _texts(sent) == ["SendTextMessage"]

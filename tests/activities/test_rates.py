"""One incident says no more to one person than it can have to say, whatever deadlines it was declared with."""

from datetime import timedelta

import pytest

from activities.channels.paging import Pager
from activities.channels.rates import MOST, Rates
from activities.channels.sent import Attempt
from activities.channels.words import addressed
from activities.house import House
from activities.strange_requests import Strange, StrangeRequestError
from domain.model.activity_io import PageRequest
from domain.model.calls import PageCall
from tests.activities.aws_calls import recorded_aws
from tests.activities.scopes import NOW, environment, scope
from tests.activities.telephones import telephones
from tests.activities.test_paging import SMS, page
from tests.house import FixedHouse, about

HOUR = timedelta(hours=1)


def message(number: int, **changes: object) -> PageCall:
    return page(SMS, page_id=f"inc-20261123-7f3k/page/{number}", **changes)


@pytest.fixture
def full() -> Rates:
    rates = Rates()
    for number in range(MOST):
        rates.take(message(number), NOW)
    return rates


def test_one_too_many_is_refused(full: Rates) -> None:
    """And noted as what none of ours asks for; one that was counted is tried as often as it needs."""
    with pytest.raises(
        StrangeRequestError, match="has had 100 messages of inc-20261123-7f3k within an hour"
    ) as refused:
        full.take(message(MOST), NOW + HOUR - timedelta(seconds=1))
    assert refused.value.kind is Strange.TOO_MANY
    full.take(message(0), NOW)


def test_others_are_told(full: Rates) -> None:
    """Twenty incidents are twenty pages, and each person has a number of their own."""
    full.take(message(MOST, incident="inc-20261123-0000"), NOW)
    full.take(message(MOST, to="another"), NOW)


@pytest.mark.parametrize(("speed", "later"), [(1.0, HOUR), (60.0, HOUR / 60)])
def test_an_hour_later_there_is_more_to_say(speed: float, later: timedelta) -> None:
    rates = Rates()
    for number in range(MOST):
        rates.take(message(number, speed=speed), NOW)
    with pytest.raises(StrangeRequestError):
        rates.take(message(MOST, speed=speed), NOW + later - timedelta(seconds=1))
    rates.take(message(MOST, speed=speed), NOW + later)


def test_what_is_refused_does_not_go_out() -> None:
    with recorded_aws() as aws:
        telephones()
        pager = Pager(aws)
        for number in range(MOST):
            pager._rates.take(message(number), NOW)
        with pytest.raises(StrangeRequestError):
            pager.page(message(MOST), Attempt(1, NOW, NOW))
        assert aws.sent("SendTextMessage") == []


@pytest.mark.parametrize(("kind", "goes_out"), [("production", False), ("staging", True)])
def test_nobody_is_told_of_a_drill_in_production(kind: str, goes_out: bool) -> None:
    """There is none, and whoever reads that something is an exercise leaves it alone."""
    house: House = FixedHouse(environment(kind=kind))
    asked = PageRequest(
        about=about(scope(mode="drill")), page_id="x", message="page", to="cto", role="cto", reason="r", ask="a"
    )
    if goes_out:
        assert addressed(house, asked).subject.startswith("DRILL")
        return
    with pytest.raises(StrangeRequestError, match="no drills in production"):
        addressed(house, asked)

"""Faults are injected and withdrawn by the function that the environment names, and by nothing in production."""

from typing import Any

import pytest
from moto import mock_aws
from temporalio.exceptions import ApplicationError

from domain.model.drill import FaultCall
from tests.activities.fake_lambda import FakeLambda
from tests.activities.scopes import environment
from tests.activities.trial import named
from tests.activities.world import WorldClients
from tests.house import FixedHouse, asking


def done(do: str, fake: FakeLambda, **where: Any) -> None:
    place = environment().model_copy(update={"kind": "staging", "faults": {"bad": "breaker"}, **where})
    call = FaultCall(id="staging/1", environment=place.name, fault="bad")
    with mock_aws():
        asking(call).run(named(WorldClients(instead={"lambda": fake}), FixedHouse(place))[f"drills.{do}"], call)


@pytest.mark.parametrize("do", ["inject", "withdraw"])
def test_the_function_is_told_what_to_do_and_under_which_id(do: str) -> None:
    fake = FakeLambda()
    done(do, fake)
    assert fake.asked == [("breaker", {"do": do, "fault": "bad", "drill": "staging/1"})]


@pytest.mark.parametrize("do", ["inject", "withdraw"])
def test_without_a_function_nothing_is_done(do: str) -> None:
    """Refused for good; that production's file can name none is the reader's rule."""
    fake = FakeLambda()
    with pytest.raises(ApplicationError, match="add it to its faults") as refused:
        done(do, fake, faults={})
    assert refused.value.non_retryable
    assert fake.asked == []


def test_a_function_that_failed_is_asked_again() -> None:
    """AWS answers 200 for it, with `FunctionError`; what it said stays out of the record."""
    with pytest.raises(ApplicationError, match="breaker failed to inject bad: Unhandled") as failed:
        done("inject", FakeLambda(failed="Unhandled"))
    assert (failed.value.type, failed.value.non_retryable) == ("Transient", False)


@pytest.mark.parametrize("do", ["inject", "withdraw"])
def test_another_account_is_left_alone(do: str) -> None:
    """Production may have a function of that name too: with its credentials nothing is asked."""
    fake = FakeLambda()
    with pytest.raises(ApplicationError, match=r"123456789012.*210987654321") as refused:
        done(do, fake, account="210987654321")
    assert (refused.value.non_retryable, fake.asked) == (True, [])

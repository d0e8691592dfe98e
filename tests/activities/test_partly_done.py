"""A change of several pieces that is refused one of them does the others, and says of each what came of it."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from temporalio.exceptions import ApplicationError

from activities.changes.runner import ChangeRunner
from domain.values.errors import ErrorKind
from tests.activities.catalogue_worlds import world_of, worlds, writes_of
from tests.activities.change_worlds import InOrder
from tests.activities.scopes import NOW
from tests.activities.tables import gathered
from tests.activities.trial import Trial
from tests.activities.wire import Sent
from tests.activities.world import WIRE

_DENIED, _THROTTLED = "AccessDeniedException", "ThrottlingException"


def _in_order() -> InOrder:
    return gathered("IN_ORDER", "InOrder")


def _composite() -> list[str]:
    return [name for name in sorted(worlds()) if writes_of(name) > 1 and name not in _in_order()]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Only now, when the files that have the worlds are all imported."""
    if "number" in metafunc.fixturenames:
        each = [(name, number) for name in _composite() for number in range(writes_of(name))]
        metafunc.parametrize(("name", "number"), each)
    elif "name" in metafunc.fixturenames:
        metafunc.parametrize("name", _composite())


def _is_first(number: int) -> bool:
    return number == 0


def _answering(code: str, which: Callable[[int], bool]) -> Callable[[Sent], str | None]:
    """Answer those writes of a change with `code` whose number, from 0, is meant; the ledger's are let through."""
    numbers = count()

    def instead(sent: Sent) -> str | None:
        return code if sent.writes and sent.service != "dynamodb" and which(next(numbers)) else None

    return instead


def test_what_is_said_not_to_be_made_of_pieces_writes_more_than_once() -> None:
    """No exception outlives its reason; every other change that writes more than once is tried below."""
    assert all(writes_of(name) > 1 for name in _in_order())


def test_one_refused_piece_keeps_no_other_from_being_done(name: str, number: int) -> None:
    """Whichever write is denied: all others are made, the piece is named with why, and the locks are free then."""
    with mock_aws():
        trial = Trial(world_of(name))
        with WIRE.listening(_answering(_DENIED, lambda one: one == number)):
            applied = trial.apply()
        ((piece, why),) = applied.refused.items()
        assert applied.outcome == "applied"
        assert why.startswith(f"{ErrorKind.ACCESS_DENIED}: AWS answered {_DENIED} to ")
        assert trial.effects == writes_of(name) - 1
        now, plan = trial.world.change.read(trial.call.scope, trial.call.plan), trial.call.plan
        assert {one for one in plan.changing if now[one] == plan.before[one]} == {piece}
        trial.world.settle()
        assert trial.verify().message
        assert trial.holders == set()


def test_what_was_done_can_be_undone(name: str) -> None:
    """Though a piece was refused, and though it is changed by somebody else meanwhile: it was never ours."""
    with mock_aws():
        trial = Trial(world_of(name))
        stood = trial.world.snapshot()
        with WIRE.listening(_answering(_DENIED, _is_first)):
            trial.apply()
        trial.world.settle()
        trial.verify()
        if not trial.call.plan.reversible:
            return
        trial.undoing()
        assert trial.apply().refused == {}
        trial.verify()
        assert trial.world.snapshot() == stood


def test_a_change_that_is_refused_everything_has_failed(name: str) -> None:
    """Nothing was done, so nothing was done in part."""
    with mock_aws():
        trial = Trial(world_of(name))
        with WIRE.listening(_answering(_DENIED, lambda _: True)), pytest.raises(ApplicationError) as failed:
            trial.apply()
        assert (failed.value.type, failed.value.non_retryable) == (ErrorKind.ACCESS_DENIED.value, True)
        assert trial.effects == 0


def test_what_may_pass_is_tried_again_for_some_minutes_and_then_told(name: str) -> None:
    """A piece that AWS throttles without end does not hide for half an hour that the others are done."""
    with mock_aws():
        trial = Trial(world_of(name))
        runner, change = ChangeRunner(trial.world.clients), trial.world.change
        for minute in (0, 4):
            with WIRE.listening(_answering(_THROTTLED, _is_first)), pytest.raises(ClientError, match=_THROTTLED):
                runner.apply(change, trial.call, NOW + timedelta(minutes=minute))
        with WIRE.listening(_answering(_THROTTLED, _is_first)):
            applied = runner.apply(change, trial.call, NOW + timedelta(minutes=6))
        (why,) = applied.refused.values()
        assert why.startswith(f"{ErrorKind.TRANSIENT}: ")
        assert trial.effects == writes_of(name) - 1

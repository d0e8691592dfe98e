"""What AWS must refuse, the plan refuses: every write of every change, and every refusal that AWS documents for it."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from moto import mock_aws
from temporalio.exceptions import ApplicationError

from activities.catalogue import CHANGES
from activities.permissions.dependents import DEPENDENTS
from domain.values.errors import ErrorKind
from tests.activities.change_worlds import ChangeWorld
from tests.activities.refusals import DOCUMENTED, PlanRefusals, Told, Undone, refusals_of
from tests.activities.tables import gathered
from tests.activities.trial import Trial
from tests.activities.variant_worlds import every_world_of
from tests.activities.wire import READS, Sent
from tests.activities.wire_codes import codes_of, operations_of
from tests.activities.world import WIRE
from tests.permissions.beside import BESIDE


def answers() -> PlanRefusals:
    return gathered("PLAN_REFUSALS", "PlanRefusals")


_DEPENDENT = {one for each in DEPENDENTS.values() for one in each.taken} | {
    one for asked in BESIDE.values() for each in asked.values() for one in each
}
"""Rights that only another operation needs: nothing of ours is called so."""


def writes(change: str) -> set[tuple[str, str]]:
    """Service and operation of every write of a change: what it declares, and what it makes in its worlds beside.

    The undo's writes are declared alone, and what is only made goes by another right. The ledger's are the mechanism's.
    """
    declared = operations_of(one for one in CHANGES[change].permissions if one not in _DEPENDENT)
    made = {(one.service, one.operation) for make in every_world_of(change) for one in _made(make)}
    return {one for one in declared | made if not one[1].startswith(READS) and one[0] != "dynamodb"}


def _made(make: Callable[[], ChangeWorld]) -> list[Sent]:
    """What is sent until the change is seen to be done, or not yet; nothing where the plan refuses it."""
    with mock_aws():
        try:
            trial = Trial(make())
        except ApplicationError:
            return []
        with WIRE.listening() as sent, suppress(ApplicationError):
            trial.apply()
            with WIRE.deaf():
                trial.world.settle()
            trial.verify()
        return sent


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_every_refusal_is_answered(change: str) -> None:
    """The plan refuses, or says what will not be done, or a sentence says why neither can be."""
    given, made = answers(), writes(change)
    assert [one for one in made if not codes_of(*one) and one[1] not in DOCUMENTED] == [], "name what AWS documents"
    missing = [
        (change, operation, code)
        for service, operation in sorted(made)
        for code in refusals_of(service, operation)
        if not {(change, operation, code), ("*", operation, code)} & given.keys()
    ]
    assert missing == [], "PLAN_REFUSALS lacks these"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Only now, when the files that have the tables are all imported."""
    if "refusal" in metafunc.fixturenames:
        metafunc.parametrize("refusal", sorted(key for key, one in answers().items() if not isinstance(one, str)))


def test_the_plan_knows(refusal: tuple[str, str, str]) -> None:
    """In the world that AWS would refuse, nothing is approved in vain: the plan ends in a refusal, or tells."""
    answer = answers()[refusal]
    assert not isinstance(answer, str)
    with mock_aws():
        if isinstance(answer, Told):
            assert answer.words in Trial(answer.world()).call.plan.impact
        elif isinstance(answer, Undone):
            _refused(_stands(answer).undoing)
        else:
            _refused(lambda: Trial(answer()))


def _stands(answer: Undone) -> Trial:
    trial = Trial(answer.world())
    assert not trial.apply().refused
    trial.world.settle()
    answer.comes(trial.world)
    return trial


def _refused(plan: Callable[[], Any]) -> None:
    with pytest.raises(ApplicationError) as refused:
        plan()
    assert refused.value.type == ErrorKind.REFUSED.value


def test_a_sentence_says_something() -> None:
    """Why a plan cannot know is a reason that a reader can check, and not a word to be rid of it."""
    assert [key for key, why in answers().items() if isinstance(why, str) and len(why.split()) < 5] == []

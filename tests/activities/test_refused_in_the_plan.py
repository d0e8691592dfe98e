"""What AWS must refuse, the plan refuses: every write of every change, and every refusal that AWS documents for it."""

import pytest
from moto import mock_aws
from temporalio.exceptions import ApplicationError

from activities.catalogue import CHANGES
from domain.values.errors import ErrorKind
from tests.activities.catalogue_worlds import world_of
from tests.activities.refusals import DOCUMENTED, PlanRefusals, Told, refusals_of
from tests.activities.tables import gathered
from tests.activities.trial import Trial
from tests.activities.wire_codes import codes_of
from tests.activities.world import WIRE


def answers() -> PlanRefusals:
    return gathered("PLAN_REFUSALS", "PlanRefusals")


def writes(change: str) -> set[tuple[str, str]]:
    """Service and operation of every write that the change makes in its world; the ledger's are the mechanism's."""
    with mock_aws():
        trial = Trial(world_of(change))
        with WIRE.listening() as sent:
            trial.apply()
        return {(one.service, one.operation) for one in sent if one.writes and one.service != "dynamodb"}


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
        else:
            with pytest.raises(ApplicationError) as refused:
                Trial(answer())
            assert refused.value.type == ErrorKind.REFUSED.value


def test_a_sentence_says_something() -> None:
    """Why a plan cannot know is a reason that a reader can check, and not a word to be rid of it."""
    assert [key for key, why in answers().items() if isinstance(why, str) and len(why.split()) < 5] == []

import pytest
from temporalio.exceptions import ApplicationError

from activities.action import RuleError
from activities.changes.runner import ChangeRunner
from domain.model.calls import PlanCall
from domain.model.plan import Plan, Verification
from tests.activities.dial import (
    OUTSIDE,
    STEP,
    CutError,
    Dial,
    held,
    intents,
    looking,
    planned,
)
from tests.activities.scopes import NOW, scope
from tests.activities.world import WorldClients


@pytest.fixture
def runner(clients: WorldClients) -> ChangeRunner:
    return ChangeRunner(clients)


@pytest.fixture
def dial(clients: WorldClients) -> Dial:
    return Dial(clients)


def test_verify_says_not_yet_until_it_is_so(runner: ChangeRunner, dial: Dial, clients: WorldClients) -> None:
    """Not yet is retryable and keeps the lock; done is on record, frees it, and can be asked again."""
    call = planned(runner, dial)
    dial.seen = Verification(done=False, message="still turning")
    runner.apply(dial, call, NOW)
    with pytest.raises(ApplicationError, match="still turning") as not_yet:
        runner.verify(dial, looking(call), NOW)
    assert (not_yet.value.type, not_yet.value.non_retryable) == ("NotYet", False)
    assert not_yet.value.next_retry_delay is not None
    assert held(clients)
    dial.seen = Verification(done=True, message="turned")
    for _ in range(2):
        assert runner.verify(dial, looking(call), NOW).message == "turned"
        assert intents(clients).outcome(call.scope.incident, STEP, 1) == "verified"
        assert not held(clients)


def test_a_failed_verification_is_final_and_frees_the_lock(
    runner: ChangeRunner, dial: Dial, clients: WorldClients
) -> None:
    """When waiting will not help, nobody waits."""
    call = planned(runner, dial)
    dial.seen = Verification(done=False, failed=True, message="it broke")
    runner.apply(dial, call, NOW)
    with pytest.raises(ApplicationError, match="it broke") as failed:
        runner.verify(dial, looking(call), NOW)
    assert (failed.value.type, failed.value.non_retryable) == ("VerificationFailed", True)
    assert intents(clients).outcome(call.scope.incident, STEP, 1) == "failed"
    assert not held(clients)


def undoing(plan: Plan) -> PlanCall:
    return PlanCall(scope=scope(), step=STEP, generation=2, params={}, undo=plan)


def test_an_undo_is_a_plan_like_any_other(runner: ChangeRunner, dial: Dial) -> None:
    """Undoing swaps before and after under a digest of its own, and applies the same way."""
    call = planned(runner, dial)
    runner.apply(dial, call, NOW)
    runner.verify(dial, looking(call), NOW)
    undo = runner.plan(dial, undoing(call.plan)).plan
    assert undo.is_sealed()
    assert undo.digest != call.plan.digest
    assert (undo.before, undo.after) == (call.plan.after, call.plan.before)
    back = call.model_copy(update={"plan": undo, "generation": 2, "holder": "inc-20261123-7f3k/turn/2"})
    assert runner.apply(dial, back, NOW).outcome == "applied"
    assert dial.world == {"left": 1, "right": 1}


def test_an_undo_never_overwrites_what_came_after(runner: ChangeRunner, dial: Dial) -> None:
    """Once the resource has moved on, there is nothing of ours left to undo; the refusal names the field."""
    call = planned(runner, dial)
    runner.apply(dial, call, NOW)
    dial.world["right"] = OUTSIDE
    with pytest.raises(RuleError, match=r"changed since \(right\)"):
        runner.plan(dial, undoing(call.plan))


def test_what_moves_by_itself_is_no_conflict_and_comes_back_as_it_last_was(runner: ChangeRunner, dial: Dial) -> None:
    """A field that moves may hold anything before, between and after; the undo restores what stood when we acted."""
    dial.moving = ("right",)
    call = planned(runner, dial)
    dial.world["right"] = 5
    dial.cut = "half"
    with pytest.raises(CutError):
        runner.apply(dial, call, NOW)
    dial.world["right"] = 6
    assert runner.apply(dial, call, NOW).outcome == "applied"
    dial.world["right"] = 7
    undo = runner.plan(dial, undoing(call.plan)).plan
    assert undo.after == {"left": 1, "right": 5}
    dial.world["left"] = OUTSIDE
    with pytest.raises(RuleError, match=r"changed since \(left\)"):
        runner.plan(dial, undoing(call.plan))


def test_what_cannot_be_reversed_is_not_undone(runner: ChangeRunner, dial: Dial) -> None:
    """A plan that says so keeps its word."""
    dial.reversible = False
    call = planned(runner, dial)
    runner.apply(dial, call, NOW)
    with pytest.raises(RuleError, match="cannot be undone"):
        runner.plan(dial, undoing(call.plan))


def test_a_plan_that_changes_nothing_tells_whose_doing_it_is(runner: ChangeRunner, dial: Dial) -> None:
    """The world is as wanted already: ours when an earlier generation meant it, else not."""
    dial.world = {"left": 2, "right": 2}
    call = PlanCall(scope=scope(), step=STEP, generation=2, params={"to": 2})
    assert runner.plan(dial, call).ours is False
    dial.world = {"left": 1, "right": 1}
    runner.apply(dial, planned(runner, dial), NOW)
    again = runner.plan(dial, call)
    assert again.plan.changes_nothing
    assert again.ours is True

from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.action import RuleError
from activities.changes.runner import ChangeRunner
from activities.ledger.table import Table
from activities.ledger.terms import SupersededError, Terms
from domain.model.activity_io import GivenUp, Mode
from domain.model.calls import ReleaseCall
from domain.model.plan import Verification
from tests.activities.dial import (
    Dial,
    planned,
)
from tests.activities.scopes import NOW, environment, scope
from tests.activities.world import WorldClients


@pytest.fixture
def runner(clients: WorldClients) -> ChangeRunner:
    return ChangeRunner(clients)


@pytest.fixture
def dial(clients: WorldClients) -> Dial:
    return Dial(clients)


def test_one_generation_carries_out_one_plan(runner: ChangeRunner, dial: Dial) -> None:
    """A second plan under a generation that has acted is refused."""
    call = planned(runner, dial)
    runner.apply(dial, call, NOW)
    other = planned(runner, dial, 3)
    with pytest.raises(RuleError, match="on record"):
        runner.apply(dial, other, NOW)
    assert dial.world == call.plan.after


def test_a_busy_resource_is_waited_for(runner: ChangeRunner, dial: Dial, clients: WorldClients) -> None:
    """Another incident's change keeps us out, retryably, naming itself; nothing is read or written meanwhile."""
    call = planned(runner, dial)
    dial.seen = Verification(done=False, message="still turning")
    runner.apply(dial, call.model_copy(update={"holder": "inc-other/turn/1"}), NOW)
    dial.written.clear()
    mine = planned(runner, dial, 3, scope(incident="inc-mine"))
    with pytest.raises(ApplicationError, match="inc-other/turn/1") as busy:
        runner.apply(dial, mine, NOW)
    assert (busy.value.type, busy.value.non_retryable) == ("ResourceBusy", False)
    assert busy.value.next_retry_delay is not None
    assert dial.written == []
    runner.release(
        ReleaseCall(scope=call.scope, step="turn", generation=1, holder="inc-other/turn/1", locks=call.plan.locks),
        NOW,
    )
    assert runner.apply(dial, mine, NOW).outcome == "applied"


REJECTED = GivenUp(status="rejected", reason="cto: look first", by="cto")


def test_what_was_given_up_is_never_begun(runner: ChangeRunner, dial: Dial, clients: WorldClients) -> None:
    """Nobody approves it after all, in whichever life; one that is over gives nothing up that is the next one's."""
    call = planned(runner, dial)
    of_it = {"scope": call.scope, "step": call.step, "generation": call.generation, "holder": call.holder}
    given_up = ReleaseCall(**of_it, locks=call.plan.locks, given_up=REJECTED)
    Terms(Table(clients, call.scope.environment.ledger_table)).take(call.scope.incident, "the next run")
    with pytest.raises(SupersededError):
        runner.release(given_up, NOW)
    following = call.model_copy(update={"term": 2})
    for _ in range(2):
        runner.release(given_up.model_copy(update={"term": 2}), NOW)
    with pytest.raises(RuleError, match="was given up: ask for a new change"):
        runner.apply(dial, following, NOW)
    assert dial.written == []


@pytest.mark.parametrize(("mode", "says"), [("dry-run", "dry run"), ("drill", "production")])
def test_a_rehearsal_applies_nothing(
    runner: ChangeRunner, dial: Dial, clients: WorldClients, mode: Mode, says: str
) -> None:
    """A dry run ends with its plan anywhere, a drill in production; not even a lock is taken."""
    call = planned(runner, dial, where=scope(mode=mode))
    with pytest.raises(RuleError, match=says):
        runner.apply(dial, call, NOW)
    assert dial.written == []
    assert clients.calls == []


@pytest.mark.parametrize("change", [{"impact": "Harmless."}, {"digest": ""}, {"after": {"left": 7, "right": 7}}])
def test_what_was_not_approved_is_not_applied(runner: ChangeRunner, dial: Dial, change: dict[str, Any]) -> None:
    """A plan that was touched after its digest was made is refused."""
    call = planned(runner, dial)
    with pytest.raises(RuleError, match="digest"):
        runner.apply(dial, call.model_copy(update={"plan": call.plan.model_copy(update=change)}), NOW)
    assert dial.written == []


def test_another_actions_plan_is_refused(runner: ChangeRunner, dial: Dial) -> None:
    """A plan is carried out by the action that made it."""
    call = planned(runner, dial)
    foreign = call.plan.model_copy(update={"action": "test.other"}).sealed()
    with pytest.raises(RuleError, match=r"test\.other"):
        runner.apply(dial, call.model_copy(update={"plan": foreign}), NOW)


def test_the_wrong_account_is_refused_and_asked_for_once(
    runner: ChangeRunner, dial: Dial, clients: WorldClients
) -> None:
    """Credentials of another account than the environment's change nothing; both are named."""
    elsewhere = scope(environment=environment(account="210987654321"))
    with pytest.raises(RuleError, match=r"123456789012.*210987654321"):
        runner.apply(dial, planned(runner, dial, where=elsewhere), NOW)
    assert dial.written == []
    runner.apply(dial, planned(runner, dial), NOW)
    assert clients.calls.count("sts.get_caller_identity") == 1

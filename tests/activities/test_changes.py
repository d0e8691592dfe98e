import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from activities.action import RuleError
from activities.aws.shared.bearers import Bearer
from activities.aws.shared.clients import AwsClients, own_session
from activities.changes.runner import ChangeRunner
from domain.model.activity_io import Applied
from domain.model.calls import PlanCall, ReleaseCall
from domain.model.plan import State, Verification
from domain.values import limits
from tests.activities.dial import (
    ARN,
    OUTSIDE,
    STEP,
    CutError,
    Dial,
    Point,
    held,
    intents,
    planned,
)
from tests.activities.scopes import NOW, REGION, scope
from tests.activities.world import WorldClients, ledger_clients


@pytest.fixture
def runner(clients: WorldClients) -> ChangeRunner:
    return ChangeRunner(clients)


@pytest.fixture
def dial(clients: WorldClients) -> Dial:
    return Dial(clients)


def test_a_plan_is_sealed_and_writes_nothing(runner: ChangeRunner, dial: Dial, clients: WorldClients) -> None:
    """Planning only looks: the digest binds what it saw, and the ledger stays untouched."""
    call = planned(runner, dial)
    assert call.plan.is_sealed()
    assert call.plan.before == {"left": 1, "right": 1}
    assert clients.calls == []


def test_parameters_the_action_does_not_take_are_refused(runner: ChangeRunner, dial: Dial) -> None:
    """A misspelt parameter never becomes a plan."""
    with pytest.raises(ValidationError, match="too"):
        runner.plan(dial, PlanCall(scope=scope(), step=STEP, generation=1, params={"too": 2}))


def test_a_plan_that_no_record_could_hold_is_refused(
    runner: ChangeRunner, dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything happened, with its size and what to do; one of just the limit is taken."""
    size = limits.size(planned(runner, dial).plan.model_dump(mode="json"))
    monkeypatch.setattr(limits, "PLAN", size)
    assert planned(runner, dial).plan.is_sealed()
    monkeypatch.setattr(limits, "PLAN", size - 1)
    with pytest.raises(RuleError, match=f"the plan has {size} bytes, and {size - 1} at most .* ask for less"):
        planned(runner, dial)
    assert dial.written == []


def test_what_was_applied_can_be_undone_whatever_its_size(
    runner: ChangeRunner, dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An undo says a little more than the plan that it reverses: that does not stand in its way."""
    call = planned(runner, dial)
    runner.apply(dial, call, NOW)
    monkeypatch.setattr(limits, "PLAN", 1)
    undo = PlanCall(scope=scope(), step=STEP, generation=2, params={}, undo=call.plan)
    assert runner.plan(dial, undo).plan.after == call.plan.before


def test_applying_puts_the_intent_on_record_and_keeps_the_lock(
    runner: ChangeRunner, dial: Dial, clients: WorldClients
) -> None:
    """The change is made once, its intent stands with everything an auditor asks, the lock waits for verify."""
    call = planned(runner, dial)
    dial.seen = Verification(done=False, message="still turning")
    assert runner.apply(dial, call, NOW) == Applied(outcome="applied", ours=True)
    assert dial.written == ["left", "right"]
    intent = intents(clients).get(call.scope.incident, STEP, 1)
    assert intent is not None
    assert (intent.action_id, intent.digest, intent.target) == (call.action_id, call.plan.digest, ARN)
    assert (intent.before, intent.after) == (call.plan.before, call.plan.after)
    assert (intent.approvers, intent.at) == (("cto",), NOW)
    assert held(clients)


def test_what_is_in_force_at_once_is_verified_at_once(runner: ChangeRunner, dial: Dial, clients: WorldClients) -> None:
    """The look after the write is enough: its outcome is on record and the lock free, and a repeat says the same."""
    call = planned(runner, dial)
    for _ in range(2):
        assert runner.apply(dial, call, NOW).verified == "turned"
        assert intents(clients).outcome(call.scope.incident, STEP, 1) == "verified"
        assert not held(clients)
    assert dial.written == ["left", "right"]


def test_what_takes_long_is_not_looked_at_while_it_is_applied(runner: ChangeRunner, dial: Dial) -> None:
    """To look is its work: that has an attempt of its own, of up to twelve hours."""
    dial.takes_long = True
    assert runner.apply(dial, planned(runner, dial), NOW).verified is None


def test_applied_twice_acts_once(runner: ChangeRunner, dial: Dial) -> None:
    """A second apply of the same generation looks the effect up."""
    call = planned(runner, dial)
    runner.apply(dial, call, NOW)
    again = runner.apply(dial, call, NOW)
    assert (again.outcome, again.ours) == ("applied", True)
    assert dial.written == ["left", "right"]


def test_it_acts_in_a_session_that_names_who_approved(
    runner: ChangeRunner, dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it acts for the first time or goes on: CloudTrail says of each write for whom it was."""
    bearers: list[Bearer] = []

    def borne(one: Bearer) -> boto3.Session:
        bearers.append(one)
        return own_session(REGION)

    acting = AwsClients(own_session(REGION), REGION, borne)
    monkeypatch.setattr(dial, "_die", lambda point: point in ("intended", "half") and acting.client("sts"))
    call = planned(runner, dial)
    runner.apply(dial, call, NOW)
    [one] = bearers
    assert one.name == ",".join((call.scope.incident, *call.approvers))
    assert (one.source_identity, one.reads) == (call.approvers[0], False)
    assert dict(one.tags)["step"] == STEP


def test_what_somebody_else_did_is_not_claimed(runner: ChangeRunner, dial: Dial, clients: WorldClients) -> None:
    """The world is `after` without our intent: done, not ours, nothing written, lock free."""
    call = planned(runner, dial)
    dial.world = dict(call.plan.after)
    applied = runner.apply(dial, call, NOW)
    assert (applied.outcome, applied.ours) == ("already-done", False)
    assert dial.written == []
    assert intents(clients).get(call.scope.incident, STEP, 1) is None
    assert not held(clients)


@pytest.mark.parametrize("world", [{"left": OUTSIDE, "right": 1}, {"left": 2, "right": 1}, {"left": 1}])
def test_anything_else_is_stale_without_our_intent(
    runner: ChangeRunner, dial: Dial, clients: WorldClients, world: State
) -> None:
    """What differs from `before` before we began is somebody else's: told, never overwritten, lock free."""
    call = planned(runner, dial)
    dial.world = dict(world)
    applied = runner.apply(dial, call, NOW)
    assert (applied.outcome, applied.observed) == ("stale", world)
    assert dial.written == []
    assert intents(clients).get(call.scope.incident, STEP, 1) is None
    assert not held(clients)


@pytest.mark.parametrize(
    ("cut", "rewritten"),
    [
        ("acquired", ["left", "right"]),
        ("intended", ["left", "right"]),
        ("half", ["left", "left", "right"]),
        ("acted", ["left", "right"]),
    ],
)
def test_a_process_killed_anywhere_is_finished_by_the_next(
    runner: ChangeRunner, dial: Dial, cut: Point, rewritten: list[str]
) -> None:
    """Killed before the intent, after it, half way or before the answer: the next attempt ends as one would have."""
    call = planned(runner, dial)
    dial.cut = cut
    with pytest.raises(CutError):
        runner.apply(dial, call, NOW)
    applied = runner.apply(dial, call, NOW)
    assert (applied.outcome, applied.ours) == ("applied", True)
    assert dial.world == call.plan.after
    assert dial.written == rewritten


@pytest.mark.parametrize("cut", ["intended", "half", "acted"])
def test_what_came_in_between_is_never_overwritten(
    runner: ChangeRunner, dial: Dial, clients: WorldClients, cut: Point
) -> None:
    """After our intent too, a value that is neither before nor after makes the plan stale."""
    call = planned(runner, dial)
    dial.cut = cut
    with pytest.raises(CutError):
        runner.apply(dial, call, NOW)
    dial.world["right"] = OUTSIDE
    dial.written.clear()
    assert runner.apply(dial, call, NOW).outcome == "stale"
    assert dial.written == []
    assert not held(clients)


Event = st.sampled_from(["acquired", "intended", "half", "acted", "outside-left", "outside-right", "through"])


@given(events=st.lists(Event, max_size=6), to=st.integers(1, 3))
@settings(max_examples=40)
def test_whatever_happens_the_end_is_one_effect_or_none(events: list[str], to: int) -> None:
    """Through any sequence of kills and foreign writes: no foreign value is overwritten; without one, `after` stands.

    The intent is on record before anything is written.
    """
    with ledger_clients() as clients:
        _play(clients, events, to)


def _play(clients: WorldClients, events: list[str], to: int) -> None:
    dial, runner = Dial(clients), ChangeRunner(clients)
    where = scope()
    call = planned(runner, dial, to, where)
    for event in events:
        if event.startswith("outside"):
            dial.world[event.removeprefix("outside-")] = OUTSIDE
            continue
        dial.cut = event if event != "through" else None  # type: ignore[assignment]
        foreign = OUTSIDE in dial.world.values()
        before = len(dial.written)
        try:
            outcome: str | None = runner.apply(dial, call, NOW).outcome
        except CutError:
            outcome = None
        if foreign:
            assert outcome in ("stale", None)
            assert len(dial.written) == before
        if dial.written:
            assert intents(clients).get(where.incident, STEP, 1) is not None
    dial.cut = None
    foreign = OUTSIDE in dial.world.values()
    last = runner.apply(dial, call, NOW)
    runner.release(
        ReleaseCall(scope=where, step=call.step, generation=call.generation, holder=call.holder, locks=call.plan.locks),
        NOW,
    )
    assert last.outcome == "stale" if foreign else dial.world == call.plan.after

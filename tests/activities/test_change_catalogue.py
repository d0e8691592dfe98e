from collections.abc import Iterator
from typing import Any, Literal

import pytest
from moto import mock_aws

from activities.action import RuleError
from activities.catalogue import CHANGES
from activities.changes.runner import ChangeRunner
from domain.config.approval import ApprovalClass
from domain.model.calls import ApplyCall, PlanCall, VerifyCall
from domain.model.plan import Plan
from domain.values.ids import action_id, change_workflow_id
from tests.activities.catalogue_worlds import missing_worlds, world_of, worlds, writes_of
from tests.activities.change_worlds import ChangeWorld
from tests.activities.scopes import NOW
from tests.activities.world import LostError

STEP = "the-step"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every change, or every write of each; only now, when the files that have the worlds are all imported."""
    if "lose" in metafunc.fixturenames:
        losses = [(name, number) for name in sorted(CHANGES) for number in range(writes_of(name))]
        metafunc.parametrize(("world", "lose"), losses, indirect=["world"])
    elif "world" in metafunc.fixturenames:
        metafunc.parametrize("world", sorted(CHANGES), indirect=True)


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[ChangeWorld]:
    with mock_aws():
        yield world_of(request.param)


@pytest.fixture
def runner(world: ChangeWorld) -> ChangeRunner:
    return ChangeRunner(world.clients)


@pytest.fixture
def effects(world: ChangeWorld) -> list[Any]:
    """What the world came to be, in order: one more entry each time that a write changed something."""
    seen = [world.snapshot()]

    def look() -> None:
        if (now := world.snapshot()) != seen[-1]:
            seen.append(now)

    world.clients.before_write = look
    return seen


def planned(runner: ChangeRunner, world: ChangeWorld, generation: int = 1, undo: Plan | None = None) -> ApplyCall:
    incident = world.scope.incident
    asked = PlanCall(scope=world.scope, step=STEP, generation=generation, params=world.params, undo=undo)
    return ApplyCall(
        scope=world.scope,
        step=STEP,
        generation=generation,
        action_id=action_id(incident, STEP, generation),
        holder=change_workflow_id(incident, STEP, generation),
        plan=runner.plan(world.change, asked).plan,
        approvers=("technical-manager",),
    )


def verified(runner: ChangeRunner, world: ChangeWorld, call: ApplyCall) -> str:
    world.settle()
    fields = ("scope", "step", "generation", "action_id", "holder", "plan")
    return runner.verify(world.change, VerifyCall(**{name: getattr(call, name) for name in fields}), NOW).message


def counted(world: ChangeWorld, effects: list[Any]) -> int:
    world.clients.before_write()
    return len(effects) - 1


def test_every_change_has_a_world() -> None:
    """A change that is added to the catalogue is held to every suite over it, or whoever adds it is told what lacks."""
    assert missing_worlds() == ""
    assert set(worlds()) == set(CHANGES)
    assert "for ecs.unheard_of" in missing_worlds({"ecs.unheard_of": None})


def test_a_plan_reads_and_can_be_read(runner: ChangeRunner, world: ChangeWorld, effects: list[Any]) -> None:
    """A plan writes nothing, and says what, where and to what end, in a class of its action; the next is the same."""
    plan = planned(runner, world).plan
    assert world.clients.writes == []
    assert counted(world, effects) == 0
    assert plan.before.keys() == plan.after.keys()
    assert plan.approval_class in world.change.classes
    assert not plan.changes_nothing
    assert plan.target.startswith("arn:aws:")
    assert plan.target in plan.locks
    assert plan.summary
    assert plan.impact
    assert plan.approval_class is world.change.classes[0]
    assert planned(runner, world).plan == plan


def test_what_has_no_undo_is_declared(runner: ChangeRunner, world: ChangeWorld) -> None:
    """What a plan says, its action says before there is one: nobody tries a change that could not be taken back."""
    assert planned(runner, world).plan.reversible is not bool(world.change.irreversible)


def test_a_plan_of_an_undeclared_class_is_refused(
    runner: ChangeRunner, world: ChangeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A class that lint could not have looked at never comes up for approval."""
    undeclared = next(one for one in ApprovalClass if one not in world.change.classes)
    plan = world.change.plan
    monkeypatch.setattr(
        world.change, "plan", lambda *asked: plan(*asked).model_copy(update={"approval_class": undeclared})
    )
    with pytest.raises(RuleError, match="which it does not declare"):
        planned(runner, world)


def test_applied_twice_has_one_effect(runner: ChangeRunner, world: ChangeWorld, effects: list[Any]) -> None:
    """A second apply makes no further write at all; the world verifies, twice too."""
    call = planned(runner, world)
    assert runner.apply(world.change, call, NOW).outcome == "applied"
    writes = list(world.clients.writes)
    again = runner.apply(world.change, call, NOW)
    assert (again.outcome, again.ours) == ("applied", True)
    assert world.clients.writes == writes
    assert len(writes) == writes_of(world.change.name) == counted(world, effects)
    assert verified(runner, world, call) == verified(runner, world, call)


@pytest.mark.parametrize("when", ["unsent", "unanswered"])
def test_a_lost_answer_is_looked_up(
    runner: ChangeRunner, world: ChangeWorld, effects: list[Any], when: Literal["unsent", "unanswered"], lose: int
) -> None:
    """Whichever write breaks, before or after it took effect, the retry ends with each effect exactly once."""
    writes = writes_of(world.change.name)
    call = planned(runner, world)
    world.clients.lose, world.clients.when = lose, when
    with pytest.raises(LostError):
        runner.apply(world.change, call, NOW)
    made = len(world.clients.writes)
    retried = runner.apply(world.change, call, NOW + world.waits)
    assert (retried.outcome, retried.ours) == ("applied", True)
    if when == "unanswered" and lose == writes - 1 and world.tells:
        assert len(world.clients.writes) == made
    assert counted(world, effects) == writes
    assert verified(runner, world, call)


def test_a_foreign_change_makes_it_stale(runner: ChangeRunner, world: ChangeWorld) -> None:
    """Somebody else changed it after the plan: told what stands, and nothing is written."""
    call = planned(runner, world)
    world.meddle()
    stands = world.snapshot()
    applied = runner.apply(world.change, call, NOW)
    assert applied.outcome == "stale"
    assert applied.observed not in (call.plan.before, call.plan.after)
    assert world.clients.writes == []
    assert world.snapshot() == stands


def test_a_foreign_change_after_our_intent_makes_it_stale_too(runner: ChangeRunner, world: ChangeWorld) -> None:
    """Somebody else changed it between two attempts of ours: not overwritten."""
    call = planned(runner, world)
    world.clients.lose, world.clients.when = 0, "unsent"
    with pytest.raises(LostError):
        runner.apply(world.change, call, NOW)
    world.meddle()
    made = len(world.clients.writes)
    assert runner.apply(world.change, call, NOW).outcome == "stale"
    assert len(world.clients.writes) == made


def test_somebody_elses_same_change_is_not_claimed(runner: ChangeRunner, world: ChangeWorld) -> None:
    """Another incident did it meanwhile: already done, not ours, nothing written."""
    call = planned(runner, world)
    other = world.scope.model_copy(update={"incident": "inc-other"})
    theirs = call.model_copy(update={"scope": other, "holder": "inc-other/the-step/1"})
    runner.apply(world.change, theirs, NOW)
    verified(runner, world, theirs)
    made = len(world.clients.writes)
    applied = runner.apply(world.change, call, NOW)
    assert (applied.outcome, applied.ours) == ("already-done", False)
    assert len(world.clients.writes) == made


def test_undone_it_is_as_it_was(runner: ChangeRunner, world: ChangeWorld, effects: list[Any]) -> None:
    """Undoing restores exactly what stood there, with as many effects as doing had; what cannot be, is refused."""
    stood = world.snapshot()
    call = planned(runner, world)
    runner.apply(world.change, call, NOW)
    verified(runner, world, call)
    if not call.plan.reversible:
        with pytest.raises(RuleError):
            planned(runner, world, generation=2, undo=call.plan)
        assert "undone" in call.plan.impact
        return
    back = planned(runner, world, generation=2, undo=call.plan)
    for _ in range(2):
        assert runner.apply(world.change, back, NOW).outcome == "applied"
    assert world.snapshot() == stood
    assert counted(world, effects) == len(world.clients.writes) == 2 * writes_of(world.change.name)
    assert verified(runner, world, back)

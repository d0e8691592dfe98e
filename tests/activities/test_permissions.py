"""What an action says it may do in AWS: all that it does."""

import pytest
from moto import mock_aws

from activities.catalogue import CHANGES
from activities.changes.runner import ChangeRunner
from tests.activities.catalogue_worlds import world_of
from tests.activities.scopes import NOW
from tests.activities.test_change_catalogue import planned, verified
from tests.activities.world import WIRE
from tests.iam import needed


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_a_change_does_nothing_that_it_does_not_name(change: str) -> None:
    """From plan to undo, every operation is among the permissions of the action."""
    with mock_aws():
        world = world_of(change)
        runner = ChangeRunner(world.clients)
        with WIRE.listening() as sent:
            call = planned(runner, world)
            runner.apply(world.change, call, NOW)
            with WIRE.deaf():
                world.settle()
            verified(runner, world, call)
            if call.plan.reversible:
                runner.apply(world.change, planned(runner, world, generation=2, undo=call.plan), NOW)
        made = {f"{one.service}:{one.operation}" for one in sent}
    assert needed(made) - set(CHANGES[change].permissions) == set()

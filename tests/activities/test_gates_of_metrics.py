"""A gate that reads CloudWatch's metrics opens by all of its figures, never by a part of them."""

import pytest
from moto import mock_aws

from activities.action import RuleError
from activities.catalogue import CHANGES
from tests.activities.change_worlds import Worlds
from tests.activities.tables import gathered
from tests.activities.unread import Partial


def _worlds() -> Worlds:
    return gathered("CHANGE_WORLDS", "Worlds")


@pytest.mark.parametrize(
    "name", [name for name in sorted(CHANGES) if "cloudwatch:GetMetricData" in CHANGES[name].permissions]
)
def test_part_of_a_metric_opens_no_gate(name: str) -> None:
    """The newest figure may stand in what was left out: how far a replica is behind, how full a database is."""
    with mock_aws():
        world = _worlds()[name][0]()
        params = world.change.params.model_validate(world.params)
        assert world.change.plan(world.scope, params).after
        with pytest.raises(RuleError, match="CloudWatch"):
            CHANGES[name](Partial(world.clients)).plan(world.scope, params)

"""What autoscaling does is suspect where it is hindered or does the wrong thing, and not where it has nothing to do."""

from typing import Any

import pytest

from activities.action import ServiceParams
from activities.aws.ecs.autoscaling_activities import ScalingActivities
from domain.model.finding import Finding, FindingStatus
from tests.activities.ecs_cases import Figures, Scaling, activity, scaled
from tests.activities.scopes import NOW

OK, SUSPECT = FindingStatus.OK, FindingStatus.SUSPECT


def look(*activities: dict[str, Any], desired: int = 3, cpu: float = 20, **target: Any) -> Finding:
    seen = scaled(Scaling(*activities, **target), Figures(cpu=cpu), desired)
    return ScalingActivities(seen.clients).observe(seen.scope, ServiceParams(**seen.params), NOW)


@pytest.mark.parametrize(
    "reason", ["AlreadyAtMinCapacity", "AlreadyAtDesiredCapacity", "AutoScalingAnticipatedFlapping"]
)
def test_idle_at_its_minimum_is_well(reason: str) -> None:
    """An idle service answers so all day long: nothing is wrong with it."""
    finding = look(activity(reason=reason), desired=2)
    assert (finding.status, finding.facts["not_scaled"]) == (OK, [reason])


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        ({"desired": 2, "cpu": 97}, "it stands at its minimum, and its tasks are 97 % busy"),
        ({"desired": 8}, "it stands at its maximum"),
        ({"SuspendedState": {"DynamicScalingOutSuspended": True}}, "scaling is suspended"),
    ],
)
def test_what_keeps_it_from_scaling_is_suspect(seen: dict[str, Any], words: str) -> None:
    """At its minimum though its tasks are busy, at its maximum, suspended: each is told."""
    finding = look(activity(), **seen)
    assert finding.status is SUSPECT
    assert words in finding.summary


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (activity("Failed"), "1 activities failed"),
        (activity("Unfulfilled"), "1 activities failed"),
        (activity(reason="AlreadyAtMaxCapacity"), "1 could not scale (AlreadyAtMaxCapacity)"),
        (activity(reason="TargetServicePutResourceAsUnscalable"), "(TargetServicePutResourceAsUnscalable)"),
    ],
)
def test_an_activity_that_came_to_nothing_is_suspect(one: dict[str, Any], words: str) -> None:
    """It failed, or the limits or the service stood in its way."""
    finding = look(one)
    assert finding.status is SUSPECT
    assert words in finding.summary


def test_a_fixed_size_is_no_maximum_that_is_reached() -> None:
    """With minimum and maximum alike it stands where it shall."""
    assert look(activity(), desired=3, MinCapacity=3, MaxCapacity=3).status is OK

"""What was rolled back is left there: asked for twice, or while ECS takes the deployment back by itself."""

import pytest

from tests.e2e.account import PROBES, Fault, Portal
from tests.e2e.chain import assert_whole
from tests.e2e.house import House
from tests.e2e.wire import Wire
from tests.e2e.workers import Worker
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]


def trip(house: House) -> None:
    """Let ECS give the watched deployment up at this moment."""
    house.run("sandbox", "break", "deployment-rolled-back", "--data-dir", str(house.data_dir))


def asked(house: House, incident: str) -> str:
    """Ask for a rollback, and give the digest of its plan."""
    digest: str = house.json("change", incident, "rollback")["plan"]["digest"]
    return digest


def assert_well(house: House, portal: Portal, fault: Fault) -> None:
    service = portal.service()
    assert service["taskDefinition"] == fault.good
    assert [one["rolloutState"] for one in service["deployments"]] == ["COMPLETED"]
    until(house.healthy, "the portal answers")


def test_a_rollback_asked_for_twice_never_goes_forward(house: House, aws: Wire, worker: Worker) -> None:
    """The second finds its work done, in this incident and in another: the revision that answers 503 stays away."""
    portal = Portal(house)
    fault = portal.break_()
    incident = house.start("Portal answers 503, and two people roll it back")
    house.run("approve", incident, "rollback", "--digest", asked(house, incident), "--as", "technical-manager")
    house.change(incident, "applied")
    deployed, calls = portal.deployed(), len(aws.calls)
    house.run("change", incident, "rollback")
    again = house.change(incident, "already-done", number=2)
    assert again["plan"]["before"] == again["plan"]["after"] == {"task_definition": fault.good}
    other = house.start("Portal answered 503, says somebody else")
    house.run("change", other, "rollback")
    house.change(other, "already-done")
    assert aws.count("ecs.UpdateService", calls) == 0
    assert portal.deployed() == deployed
    assert_well(house, portal, fault)


def test_a_breaker_that_trips_after_the_approval_is_left_alone(house: House, aws: Wire, worker: Worker) -> None:
    """ECS goes back by itself at the moment in which we would: one way back, one deployment, and nothing overridden."""
    portal = Portal(house)
    fault, calls = portal.break_("outage-watched-deploy"), len(aws.calls)
    incident = house.start("Portal answers 503 while ECS watches")
    house.run("ack", incident)
    digest = asked(house, incident)
    deployed = portal.deployed()
    aws.trap("ecs.DescribeServices", "before", lambda: trip(house))
    house.run("approve", incident, "rollback", "--digest", digest, "--as", "technical-manager")
    change = house.change(incident, "already-done")
    assert change["plan"]["after"] == {"task_definition": fault.good}
    assert aws.count("ecs.UpdateService", calls) == aws.count("ecs.StopServiceDeployment", calls) == 0
    until(portal.steady, "ECS has gone back")
    assert portal.deployed() == deployed
    assert_well(house, portal, fault)
    house.run("change", incident, "rollback")
    house.change(incident, "already-done", number=2)
    assert_whole(house.timeline(incident))


def test_what_ecs_takes_back_is_not_planned_over(house: House, aws: Wire, worker: Worker) -> None:
    """Asked for while ECS goes back: refused with the reason, and nothing is written."""
    portal = Portal(house)
    fault, calls = portal.break_("outage-watched-deploy"), len(aws.calls)
    incident = house.start("Portal answers 503 and ECS has seen it")
    house.findings(incident, PROBES)
    aws.trap("ecs.ListServiceDeployments", "before", lambda: trip(house))
    refused = house.call("change", incident, "rollback")
    assert refused.returncode != 0
    assert "ECS is rolling backend back by itself" in refused.stdout + refused.stderr
    assert aws.count("ecs.UpdateService", calls) == aws.count("ecs.StopServiceDeployment", calls) == 0
    until(portal.steady, "ECS has gone back")
    assert_well(house, portal, fault)

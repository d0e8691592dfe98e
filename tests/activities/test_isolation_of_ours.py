"""An isolation never cuts off what the orchestrator runs on: by its groups, by its addresses, by its names."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from activities.action import RuleError
from activities.aws.network.network_isolate import IsolateNetwork, IsolateParams
from domain.model.plan import Plan
from tests.activities.breach_worlds import Estate, isolated
from tests.activities.change_worlds import ChangeWorld
from tests.activities.scopes import scope

_OTHERS = "198.51.100.7"


@pytest.fixture(autouse=True)
def _aws() -> Iterator[None]:
    with mock_aws():
        yield


def planned(world: ChangeWorld) -> Plan:
    return IsolateNetwork(world.clients).plan(world.scope, IsolateParams.model_validate(world.params))


def runs_on(world: ChangeWorld, **ours: Any) -> None:
    """Let the file say what the orchestrator runs on."""
    there = world.scope.environment
    world.scope = scope(environment=type(there).model_validate(there.model_dump() | {"orchestrator": ours}))


def worker(estate: Estate, subnet: str | None = None) -> dict[str, Any]:
    """A network interface of a worker's, in the application's subnet unless another is given."""
    group = estate.client.create_security_group(GroupName="own", Description="o", VpcId=estate.vpc)["GroupId"]
    made = estate.client.create_network_interface(SubnetId=subnet or estate.subnet, Groups=[group])
    return dict(made["NetworkInterface"])


def another_subnet(estate: Estate) -> str:
    """One of the same VPC, behind a network ACL of its own."""
    ec2 = estate.client
    subnet = ec2.create_subnet(VpcId=estate.vpc, CidrBlock="10.0.2.0/24")["Subnet"]["SubnetId"]
    acl = ec2.create_network_acl(VpcId=estate.vpc)["NetworkAcl"]["NetworkAclId"]
    [standing] = ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])[
        "NetworkAcls"
    ]
    [one] = [each for each in standing["Associations"] if each["SubnetId"] == subnet]
    ec2.replace_network_acl_association(AssociationId=one["NetworkAclAssociationId"], NetworkAclId=acl)
    return str(subnet)


def named(interface: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    """The ways in which a file may name a worker's place."""
    return {
        "its group": {"resources": [interface["Groups"][0]["GroupId"]]},
        "itself": {"resources": [interface["NetworkInterfaceId"]]},
        "its address": {"addresses": [f"{interface['PrivateIpAddress']}/32"]},
        "its network": {"addresses": ["10.0.0.0/16"]},
        "its subnet": {"resources": [interface["SubnetId"]]},
    }


@pytest.mark.parametrize("how", ["its group", "itself", "its address", "its network", "its subnet"])
def test_a_worker_in_there_is_not_cut_off(how: str) -> None:
    """Whichever way the file says that it is ours."""
    world, _, estate = isolated()
    runs_on(world, **named(worker(estate))[how])
    with pytest.raises(RuleError, match=r"is protected|the orchestrator's own"):
        planned(world)
    assert world.clients.writes == []


@pytest.mark.parametrize("how", ["its group", "its address"])
def test_one_that_comes_in_while_people_vote_is_not_cut_off(how: str) -> None:
    """The plan was made before; it is looked at once more before the first write."""
    world, _, estate = isolated()
    plan = planned(world)
    runs_on(world, **named(worker(estate))[how])
    with pytest.raises(RuleError, match=r"is protected|the orchestrator's own"):
        world.change.refuse_late(world.scope, plan)


def test_what_is_somewhere_else_holds_nothing_up() -> None:
    """An address that nothing in there has, and no one's either."""
    world, _, estate = isolated()
    worker(estate)
    runs_on(world, addresses=[f"{_OTHERS}/32"])
    plan = planned(world)
    world.change.refuse_late(world.scope, plan)
    assert "dns_firewall" in plan.after


@pytest.mark.parametrize("how", ["its group", "its address"])
def test_a_worker_beside_it_keeps_its_names(how: str) -> None:
    """A DNS firewall is before the whole VPC: where ours is in another of its subnets all is cut off but names.

    One that comes there while people vote is seen too.
    """
    world, _, estate = isolated()
    before = planned(world)
    assert before.after["dns_firewall"] is not None
    runs_on(world, **named(worker(estate, another_subnet(estate)))[how])
    plan = planned(world)
    assert "dns_firewall" not in plan.after
    assert f"Stays open: DNS, which all of {estate.vpc} would lose" in plan.impact
    world.change.act(world.scope, plan)
    assert estate.firewalls() == []
    with pytest.raises(RuleError, match=r"is protected|the orchestrator's own"):
        world.change.refuse_late(world.scope, before)

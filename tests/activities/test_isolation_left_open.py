"""What an isolation leaves open is told before anybody approves it: names, and what a full network ACL cannot take."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.activities.breach_worlds import FIREWALL, isolated
from tests.activities.scopes import scope
from tests.activities.test_isolation import deny, planned


@pytest.fixture(autouse=True)
def _aws() -> Iterator[None]:
    with mock_aws():
        yield


def test_dns_is_refused_where_the_network_names_a_firewall() -> None:
    """Network ACLs let every name through to the resolver; an undo takes the firewall's group away again."""
    world, _, estate = isolated()
    estate.firewall("theirs", 101)
    plan = planned(world)
    assert "The DNS firewall refuses every name in all of" in plan.impact
    assert "decide first: theirs" in plan.impact
    world.change.act(world.scope, plan)
    assert estate.firewalls() == [(FIREWALL, 102), ("theirs", 101)]
    world.change.act(world.scope, plan.reversed())
    assert estate.firewalls() == [("theirs", 101)]


def test_dns_that_goes_on_is_told() -> None:
    """Without a firewall in the environment, or with no room for it, who approves reads that names still leave."""
    world, _, estate = isolated()
    for number in range(5):
        estate.firewall(f"group-{number}", 200 + number)
    plan = planned(world)
    assert "the DNS firewall is left as it is" in plan.impact
    assert plan.after["dns_firewall"] is None
    world.scope = scope(environment=world.scope.environment.model_copy(update={"networks": {}}))
    assert "DNS goes on, by which data can leave" in planned(world).impact


@pytest.mark.parametrize(("standing", "denied"), [(19, [False, True]), (20, [True])])
def test_a_full_network_acl_is_told_and_the_rest_is_cut(standing: int, denied: list[bool]) -> None:
    """AWS takes so many entries a direction and no more: what there is no room for is no part of the plan."""
    world, _, estate = isolated()
    entry = {"NetworkAclId": estate.acl, "Egress": False, "Protocol": "6", "RuleAction": "allow"}
    for number in range(standing - 1):  # one that allows all is there
        ports = {"From": 8000 + number, "To": 8000 + number}
        estate.client.create_network_acl_entry(
            **entry, RuleNumber=200 + number, CidrBlock="10.0.0.0/8", PortRange=ports
        )
    plan = planned(world)
    told = f"network ACL {estate.acl} has 20 of 20 ingress entries: it is full"
    assert (told in plan.impact) == (standing == 20)
    world.change.act(world.scope, plan)
    assert [egress for _, egress, _ in deny(estate)] == denied
    assert estate.ingress(estate.backend) == []
    assert world.change.verify(world.scope, plan).done

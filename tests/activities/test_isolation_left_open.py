"""What an isolation leaves open is told before anybody approves it: names, and what a full network ACL cannot take."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from moto import mock_aws

from sandbox.aws.rollout import PACE
from tests.activities.breach_worlds import FIREWALL, isolated
from tests.activities.scopes import scope
from tests.activities.test_block_in_force import GEO, group, rule
from tests.activities.test_isolation import deny, planned
from tests.activities.trial import Trial
from tests.activities.world import WIRE


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


def test_a_dns_firewall_counts_once_it_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS shows an association before it filters and while it goes: neither is in force, put up or taken down."""
    world, _, _ = isolated()
    plan = planned(world)
    for each in (plan, plan.reversed()):
        monkeypatch.setattr(PACE, "rollout", timedelta(hours=1))
        world.change.act(world.scope, each)
        assert world.change.read(world.scope, each) == each.after
        seen = world.change.verify(world.scope, each)
        assert (seen.done, seen.failed) == (False, False)
        assert f"DNS firewall is {'UPDATING' if each is plan else 'DELETING'}" in seen.message
        monkeypatch.setattr(PACE, "rollout", timedelta())
        assert world.change.verify(world.scope, each).done


def test_a_priority_is_free_once_its_rule_group_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is being taken away still holds it, and AWS refuses it to another."""
    world, _, estate = isolated()
    estate.firewall("theirs", 101)
    monkeypatch.setattr(PACE, "rollout", timedelta(hours=1))
    (theirs,) = estate.resolver.list_firewall_rule_group_associations(VpcId=estate.vpc)["FirewallRuleGroupAssociations"]
    estate.resolver.disassociate_firewall_rule_group(FirewallRuleGroupAssociationId=theirs["Id"])
    plan = planned(world)
    assert "decide first" not in plan.impact
    world.change.act(world.scope, plan)
    assert (FIREWALL, 102) in estate.firewalls()


def test_dns_that_goes_on_is_told() -> None:
    """Without a firewall in the environment, or with no room for it, who approves reads that names still leave."""
    world, _, estate = isolated()
    for number in range(5):
        estate.firewall(f"group-{number}", 200 + number)
    plan = planned(world)
    assert "the DNS firewall is left as it is" in plan.impact
    assert "refuses every name" not in plan.impact
    assert plan.after["dns_firewall"] is None
    world.scope = scope(environment=world.scope.environment.model_copy(update={"networks": {}}))
    assert "DNS goes on, by which data can leave" in planned(world).impact


@pytest.mark.parametrize(("standing", "denied"), [(19, [False, True]), (20, [True])])  # the last one counts
def test_a_full_network_acl_is_told_and_the_rest_is_cut(standing: int, denied: list[bool]) -> None:
    """AWS takes so many entries a direction and no more: what there is no room for is no part of the plan."""
    world, _, estate = isolated()
    entry = {"NetworkAclId": estate.acl, "Egress": False, "Protocol": "6", "RuleAction": "allow"}
    for number in range(standing - 2):  # one that allows all is there, and the last, which denies by default
        ports = {"From": 8000 + number, "To": 8000 + number}
        estate.client.create_network_acl_entry(
            **entry, RuleNumber=200 + number, CidrBlock="10.0.0.0/8", PortRange=ports
        )
    plan = planned(world)
    told = f"network ACL {estate.acl} has 20 of 20 ingress entries of IPv4: it is full"
    assert (told in plan.impact) == (standing == 20)
    assert ("denies everything" in f"{plan.summary} {plan.impact}") == (standing == 19)
    world.change.act(world.scope, plan)
    assert [egress for _, egress, _ in deny(estate)] == denied
    assert estate.ingress(estate.backend) == []
    assert world.change.verify(world.scope, plan).done


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ("GetServiceQuota", "its quota may not be read"),
        ("ListFirewallRuleGroupAssociations", "what the DNS firewall holds may not be read"),
        ("GetRuleGroup", "Which rules of the web ACL allow may not be read"),
    ],
)
def test_what_may_not_be_read_is_told_and_the_rest_is_cut(operation: str, words: str) -> None:
    """A look that only completes the plan is no reason to leave the application open."""
    world, waf, estate = isolated()
    waf.write(Rules=[rule(0, group(waf, rule(1, GEO)), None)])
    with WIRE.listening(lambda sent: "AccessDeniedException" if sent.operation == operation else None) as sent:
        plan = planned(world)
    assert operation in {one.operation for one in sent}
    assert words in plan.impact
    assert "names no dns_firewall" not in plan.impact
    world.change.act(world.scope, plan)
    assert [egress for _, egress, _ in deny(estate)] == [False, True]


def test_a_source_that_is_gone_keeps_no_other_out() -> None:
    """A group that nothing names any more can be deleted; EC2 refuses a call that names it whole."""
    world, _, estate = isolated()
    stood = estate.ingress(estate.backend)
    bastion = str(estate.client.create_security_group(GroupName="b", Description="b", VpcId=estate.vpc)["GroupId"])
    for port in (22, 2222):
        permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "UserIdGroupPairs": [{"GroupId": bastion}]}
        estate.client.authorize_security_group_ingress(GroupId=estate.backend, IpPermissions=[permission])
    trial = Trial(world)
    assert trial.apply().refused == {}
    estate.client.delete_security_group(GroupId=bastion)
    trial.undoing()
    ((piece, why),) = trial.apply().refused.items()
    assert (piece, "InvalidGroup.NotFound" in why) == (estate.backend, True)
    assert estate.ingress(estate.backend) == stood

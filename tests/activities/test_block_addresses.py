from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto import mock_aws
from pydantic import ValidationError

from activities.action import RuleError
from activities.aws.network.wafv2_block_addresses import BlockAddresses, BlockParams
from activities.changes.runner import ChangeRunner
from domain.config.approval import ApprovalClass
from domain.model.calls import ApplyCall
from domain.model.plan import Plan
from tests.activities.breach_worlds import (
    ATTACKER_V4,
    ATTACKER_V6,
    SET_V4,
    SET_V6,
    THEIRS_V4,
    THEIRS_V6,
    Waf,
    block,
    where,
)
from tests.activities.change_worlds import ChangeWorld
from tests.activities.scopes import NOW, scope

SOMEBODY_ELSES = "192.0.2.77/32"


@pytest.fixture(autouse=True)
def _aws() -> Iterator[None]:
    with mock_aws():
        yield


def planned(world: ChangeWorld, **instead: Any) -> Plan:
    params = BlockParams.model_validate({**world.params, **instead})
    return BlockAddresses(world.clients).plan(world.scope, params)


def held(world: ChangeWorld, name: str = SET_V4) -> list[str]:
    found: list[str] = world.snapshot()[0 if name == SET_V4 else 1]
    return found


def put(world: ChangeWorld, addresses: list[str]) -> None:
    """Somebody else's write to the IPv4 set."""
    waf = world.clients.inner.client("wafv2")
    found = next(one for one in waf.list_ip_sets(Scope="REGIONAL")["IPSets"] if one["Name"] == SET_V4)
    place = {"Name": SET_V4, "Scope": "REGIONAL", "Id": found["Id"]}
    waf.update_ip_set(**place, Addresses=addresses, LockToken=waf.get_ip_set(**place)["LockToken"])


def applying(world: ChangeWorld, plan: Plan) -> ApplyCall:
    return ApplyCall(
        scope=world.scope, step="s", generation=1, action_id="a", holder="h", plan=plan.sealed(), approvers=()
    )


def test_every_other_address_stays() -> None:
    """The set is added to, never replaced; IPv4 and IPv6 go to their own sets, whose description stays."""
    world = block()
    world.change.act(world.scope, planned(world))
    assert held(world) == sorted([THEIRS_V4, ATTACKER_V4])
    assert held(world, SET_V6) == sorted([THEIRS_V6, ATTACKER_V6])
    waf = world.clients.inner.client("wafv2")
    assert {one["Description"] for one in waf.list_ip_sets(Scope="REGIONAL")["IPSets"]} == {"known bad"}


def test_another_address_between_plan_and_apply_is_kept() -> None:
    """Somebody else blocking another address meanwhile neither makes the plan stale nor is lost."""
    world = block()
    call = applying(world, planned(world))
    put(world, [THEIRS_V4, SOMEBODY_ELSES])
    assert ChangeRunner(world.clients).apply(world.change, call, NOW).outcome == "applied"
    assert held(world) == sorted([THEIRS_V4, SOMEBODY_ELSES, ATTACKER_V4])


def test_a_write_in_between_is_merged_again() -> None:
    """The lock token is lost to somebody else four times: each time the set is read and merged again."""
    world = block(ATTACKER_V4)
    times = iter(range(4))

    def meddle() -> None:
        if (number := next(times, None)) is not None:
            put(world, [THEIRS_V4, *(f"192.0.2.{one}/32" for one in range(number + 1))])

    world.clients.before_write = meddle
    world.change.act(world.scope, planned(world))
    assert held(world) == sorted([THEIRS_V4, ATTACKER_V4, *(f"192.0.2.{one}/32" for one in range(4))])


def test_it_gives_up_after_five_conflicts() -> None:
    """Without end it would hide that somebody's automation fights ours; Temporal tries again later."""
    world = block(ATTACKER_V4)
    numbers = iter(range(100))
    world.clients.before_write = lambda: put(world, [THEIRS_V4, f"192.0.2.{next(numbers)}/32"])
    plan = planned(world)
    call = applying(world, plan)
    with pytest.raises(world.clients.inner.client("wafv2").exceptions.WAFOptimisticLockException):
        ChangeRunner(world.clients).apply(world.change, call, NOW)
    assert len(world.clients.writes) == 5
    assert ATTACKER_V4 not in held(world)


def test_an_undo_removes_ours_alone() -> None:
    """What stood there before us, and what came after us, stays; so does what others had blocked of ours."""
    world = block(ATTACKER_V4, THEIRS_V4)
    plan = planned(world)
    assert "stood there before" in plan.impact
    world.change.act(world.scope, plan)
    put(world, [*held(world), SOMEBODY_ELSES])
    world.change.act(world.scope, plan.reversed())
    assert held(world) == sorted([THEIRS_V4, SOMEBODY_ELSES])
    assert world.change.verify(world.scope, plan.reversed()).done


def test_what_is_blocked_already_changes_nothing() -> None:
    """All of it stands there: the plan says so."""
    world = block(THEIRS_V4)
    assert planned(world).changes_nothing


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("198.51.100.7", ("198.51.100.7/32",)),
        ("198.51.100.7, 198.51.100.7/32,2001:DB8:0::1", ("198.51.100.7/32", "2001:db8::1/128")),
        (["198.51.100.77/25"], ("198.51.100.0/25",)),
        (["192.0.2.1/32", "203.0.113.9/32"], ("192.0.2.1/32", "203.0.113.9/32")),
    ],
)
def test_addresses_are_normalised(given: Any, found: tuple[str, ...]) -> None:
    """However people write them, the same addresses are the same plan; documentation networks are addresses too."""
    params = BlockParams.model_validate({"web_acl": "portal", "addresses": given})
    assert params.addresses == found


@pytest.mark.parametrize("given", [[], "", "198.51.100.300", "attacker.example", "198.51.100.0/33"])
def test_what_is_no_address_is_no_parameter(given: Any) -> None:
    """The model refuses it before anything is asked of AWS."""
    with pytest.raises(ValidationError, match="addresses"):
        BlockParams.model_validate({"web_acl": "portal", "addresses": given})


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("10.1.2.3", "private or reserved"),
        ("192.168.0.0/16", "private or reserved"),
        ("127.0.0.1", "private or reserved"),
        ("100.64.0.9", "private or reserved"),
        ("169.254.169.254", "private or reserved"),
        ("::1", "private or reserved"),
        ("fd00::1", "private or reserved"),
        ("::ffff:198.51.100.7", "private or reserved"),
        ("192.0.0.0/8", "private or reserved"),
        ("0.0.0.0/0", "far too wide"),
        ("8.0.0.0/7", "far too wide"),
        ("2000::/3", "far too wide"),
        ("203.0.113.70", "protected"),
        ("203.0.113.0/24", "protected"),
    ],
)
def test_what_must_not_be_blocked_is_refused(address: str, why: str) -> None:
    """Nobody approves locking ourselves out, or half of the world."""
    world = block(address)
    world.scope = scope(environment=where(protected={"addresses": ["203.0.113.64/28"]}))
    with pytest.raises(RuleError, match=why):
        planned(world)
    assert world.clients.writes == []


def test_our_own_elastic_address_is_refused() -> None:
    """Blocking the NAT gateway's address would cut the portal's own tasks off."""
    world = block()
    mine = world.clients.inner.client("ec2").allocate_address(Domain="vpc")["PublicIp"]
    with pytest.raises(RuleError, match="elastic address of this account"):
        planned(world, addresses=[mine])


@pytest.mark.parametrize(
    ("addresses", "grave"),
    [
        (["198.51.100.0/25"], False),
        (["198.51.100.0/24"], True),
        (["2001:db8:1::/49"], False),
        (["2001:db8:1::/48"], True),
        ([f"198.51.100.{one}" for one in range(20)], False),
        ([f"198.51.100.{one}" for one in range(21)], True),
    ],
)
def test_wide_or_many_need_an_approver(addresses: list[str], grave: bool) -> None:
    """Bystanders live in wide networks: then somebody must agree."""
    plan = planned(block(), addresses=addresses)
    assert plan.approval_class is (ApprovalClass.A2 if grave else ApprovalClass.A1)


def _detached(waf: Waf) -> None:
    waf.client.disassociate_web_acl(ResourceArn=waf.client.get_web_acl(**_place(waf))["WebACL"]["ARN"])
    for acl in (where().load_balancers["portal"].arn,):
        waf.client.disassociate_web_acl(ResourceArn=acl)


def _place(waf: Waf) -> dict[str, str]:
    return {"Name": waf.acl["Name"], "Scope": "REGIONAL", "Id": waf.acl["Id"]}


@pytest.mark.parametrize(
    ("spoil", "why"), [(Waf.only_count, "no rule of web ACL axis-waf blocks"), (_detached, "protects no load")]
)
def test_a_block_without_effect_is_refused(spoil: Callable[[Waf], None], why: str) -> None:
    """An address in a set that no rule blocks, or before nothing of ours, is not blocked: nobody shall think so."""
    world = block()
    waf = Waf.__new__(Waf)
    waf.client = world.clients.inner.client("wafv2")
    waf.acl = waf.client.list_web_acls(Scope="REGIONAL")["WebACLs"][0]
    waf.sets = {one["Name"]: one for one in waf.client.list_ip_sets(Scope="REGIONAL")["IPSets"]}
    spoil(waf)
    with pytest.raises(RuleError, match=why):
        planned(world)


def test_a_full_set_is_refused() -> None:
    """AWS takes 10,000 networks; one more is told before it is tried."""
    world = block(ATTACKER_V4)
    plan = planned(world)
    put(world, [f"198.18.{one // 250}.{one % 250}/32" for one in range(10_000)])
    call = applying(world, plan)
    with pytest.raises(RuleError, match="10001"):
        ChangeRunner(world.clients).apply(world.change, call, NOW)
    assert world.clients.writes == []


def test_ipv6_needs_a_set_of_its_own() -> None:
    """Where the environment names none, that is said."""
    world = block(ATTACKER_V6)
    plain = where(web_acls={"portal": {"name": "axis-waf", "log_group": "aws-waf-logs-axis", "ip_set": SET_V4}})
    world.scope = scope(environment=plain)
    with pytest.raises(RuleError, match="ip_set_v6"):
        planned(world)


def test_sets_are_found_on_later_pages() -> None:
    """An account may have more address sets than one page lists."""
    world = block(ATTACKER_V4)
    waf = world.clients.inner.client("wafv2")
    for number in range(120):
        waf.create_ip_set(Name=f"a-{number}", Scope="REGIONAL", IPAddressVersion="IPV4", Addresses=[])
    assert planned(world).after[ATTACKER_V4]


def test_verified_only_while_a_rule_blocks() -> None:
    """The addresses are there but the rule only counts: that is a failure, not success."""
    world = block()
    plan = planned(world)
    world.change.act(world.scope, plan)
    assert world.change.verify(world.scope, plan).done
    world.meddle()
    seen = world.change.verify(world.scope, plan)
    assert (seen.done, seen.failed) == (False, True)

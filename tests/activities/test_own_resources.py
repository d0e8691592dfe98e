"""What is the orchestrator's own no change touches: every change of the catalogue, each kind of what is ours."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from activities.action import RuleError
from activities.aws.shared.addresses import BLOCKED
from activities.catalogue import CHANGES
from activities.changes.own import own, refuse_own
from activities.logical_names import all_marks
from domain.config.environment import Environment, Evidence
from domain.config.orchestrator import Orchestrator
from tests.activities.catalogue_worlds import world_of
from tests.activities.scopes import ACCOUNT, REGION, environment
from tests.activities.test_gates_at_apply import Asked
from tests.sandbox.worlds import shipped

_AT = f"{REGION}:{ACCOUNT}"
NAMED = {
    "the cluster": (f"arn:aws:ecs:{_AT}:cluster/incident", f"arn:aws:ecs:{_AT}:service/incident/worker"),
    "a service": (f"arn:aws:ecs:{_AT}:service/tools/worker", f"arn:aws:ecs:{_AT}:service/tools/worker"),
    "Temporal's database": (f"arn:aws:rds:{_AT}:db:temporal", f"arn:aws:rds:{_AT}:db:temporal"),
    "a member of its cluster": (f"arn:aws:rds:{_AT}:db:temporal-*", f"arn:aws:rds:{_AT}:db:temporal-2"),
    "a user": (f"arn:aws:iam::{ACCOUNT}:user/deployer", f"arn:aws:iam::{ACCOUNT}:user/deployer"),
    "a key": (f"arn:aws:kms:{_AT}:key/1b2c3d4e", f"arn:aws:kms:{_AT}:key/1b2c3d4e"),
    "a bucket": ("arn:aws:s3:::incident-files", "arn:aws:s3:::incident-files/maintenance.html"),
    "a bucket by its name": ("arn:aws:s3:::incident-files", "incident-files"),
    "the workers' group": ("sg-0123456789abcdef0", f"arn:aws:ec2:{_AT}:security-group/sg-0123456789abcdef0"),
    "the group by its id": (f"arn:aws:ec2:{_AT}:security-group/sg-0123456789abcdef0", "sg-0123456789abcdef0"),
    "a subnet": ("subnet-0123456789abcdef0", "subnet-0123456789abcdef0"),
    "an interface": ("eni-0123456789abcdef0", f"arn:aws:ec2:{_AT}:network-interface/eni-0123456789abcdef0"),
    "a network ACL": ("acl-0123456789abcdef0", "acl-0123456789abcdef0 ingress 10"),
    "the VPC": ("vpc-0123456789abcdef0", f"arn:aws:ec2:{_AT}:vpc/vpc-0123456789abcdef0"),
    "a set of addresses": (
        f"arn:aws:wafv2:{_AT}:regional/ipset/workers/*",
        f"arn:aws:wafv2:{_AT}:regional/ipset/workers/1b2c",
    ),
    "a load balancer": (
        f"arn:aws:elasticloadbalancing:{_AT}:loadbalancer/app/temporal/50dc",
        f"arn:aws:elasticloadbalancing:{_AT}:loadbalancer/app/temporal/50dc",
    ),
    "a parameter": (f"arn:aws:ssm:{_AT}:parameter/incident/*", f"arn:aws:ssm:{_AT}:parameter/incident/temporal"),
}
"""What a file may name of ours, and how a plan may name it then."""
DERIVED = {
    "the ledger's table": f"arn:aws:dynamodb:{_AT}:table/incident-ledger",
    "a role of the workers": f"arn:aws:iam::{ACCOUNT}:role/incident-production-remediate-ecs",
    "a policy of the workers": f"arn:aws:iam::{ACCOUNT}:policy/incident-production-boundary",
    "the workers' log": f"arn:aws:logs:{_AT}:log-group:/incident/production:*",
    "the alarm on the workers' signs of life": f"arn:aws:cloudwatch:{_AT}:alarm:incident-production-heartbeat",
    "what mails are sent by": f"arn:aws:ses:{_AT}:identity/example.com",
}
"""What is ours by what the file says already, in every environment."""
VAULT = {
    "the evidence bucket": "arn:aws:s3:::vault/reports/x",
    "a key of the evidence": f"arn:aws:kms:{_AT}:alias/vault",
    "a key that signs the ledger": f"arn:aws:kms:{_AT}:alias/heads",
}
_EVIDENCE = Evidence(bucket="vault", kms_key="alias/vault", signing_key="alias/heads", earlier_signing_keys=("old",))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every change; only now, when the files that have the worlds are all imported."""
    if "asked" in metafunc.fixturenames:
        metafunc.parametrize("asked", sorted(CHANGES), indirect=True)


@pytest.fixture
def asked(request: pytest.FixtureRequest) -> Iterator[Asked]:
    """A change that is planned and approved, in an environment with a vault of its own."""
    with mock_aws():
        yield Asked(world_of(request.param))


def derived(name: str, place: Environment) -> str:
    """A name of ours as it is in an environment."""
    return name.replace("incident-ledger", place.ledger_table).replace("production", place.name)


def with_ours(place: Environment, *resources: str) -> Environment:
    return place.model_copy(update={"orchestrator": Orchestrator(resources=resources)})


_WHY = "is the orchestrator's own|is protected"
"""Some actions have a gate of their own before, which says so in other words."""


def refused(asked: Asked) -> None:
    """Neither planned nor carried out, and nothing begun."""
    assert asked.is_refused("the orchestrator's own", "is protected")
    with pytest.raises(RuleError, match=_WHY):
        asked.plan_anew()


def test_what_a_plan_names_of_ours_is_found(asked: Asked) -> None:
    """Wherever it does: as target, among its locks, as a field, or in its context."""
    place, plan, change = asked.house.place, asked.plan, asked.world.change
    ours = [(with_ours(place, file), name) for file, name in NAMED.values()]
    ours += [(place, derived(name, place)) for name in DERIVED.values()]
    for one, name in ours:
        for fields in (
            {"target": name},
            {"locks": (*plan.locks, name)},
            {"before": plan.before | {name: 1}, "after": plan.after | {name: 2}},
            {"context": plan.context | {"deep": [{"in": name}]}},
        ):
            with pytest.raises(RuleError, match="is the orchestrator's own"):
                refuse_own(change, one, plan.model_copy(update=fields))


def test_a_plan_of_what_is_ours_is_refused(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever action makes it, when it is planned and when it is to be carried out."""
    table = derived(DERIVED["the ledger's table"], asked.house.place)
    asked.planned_as(monkeypatch, context=asked.plan.context | {"beside": table})
    refused(asked)


def test_what_has_become_ours_is_refused(asked: Asked) -> None:
    """By the file as it stands when the change is planned, and again when it is to be carried out."""
    asked.house.place = with_ours(asked.house.place, asked.plan.locks[-1])
    refused(asked)


def test_what_a_plan_on_record_touches_is_refused_too(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though what would be planned by now touches it no more: it is the one on record that is carried out."""
    asked.house.place = with_ours(asked.house.place, asked.plan.target)
    monkeypatch.setattr("activities.changes.runner.refuse_own", lambda *_: None)
    assert asked.is_refused("is the orchestrator's own", "is protected")


def test_the_vault_is_for_evidence_alone(asked: Asked) -> None:
    """What preserves evidence puts it there; every other change is refused, and evidence wherever else is ours."""
    place = asked.house.place.model_copy(update={"evidence": _EVIDENCE})
    for name in VAULT.values():
        plan = asked.plan.model_copy(update={"context": {"to": name}, "target": asked.plan.target})
        there = asked.world.change.evidence and "heads" not in name
        plain = plan.model_copy(update={"locks": ("x",), "before": {}, "after": {}, "target": name})
        if there:
            refuse_own(asked.world.change, place, plain)
        else:
            with pytest.raises(RuleError, match="is the orchestrator's own"):
                refuse_own(asked.world.change, place, plain)


def test_an_undo_takes_back_what_has_become_ours(asked: Asked) -> None:
    """What we did stands there: nothing is better left so because the file has come to name it."""
    if not asked.plan.reversible:
        return
    asked.apply()
    asked.world.settle()
    asked.house.place = with_ours(asked.house.place, asked.plan.target)
    assert asked.plan_undo().before == asked.plan.after


def test_all_that_is_ours_is_found() -> None:
    """Each by the name that a plan would have for it, and as what it is."""
    place = environment(evidence=_EVIDENCE.model_dump())
    for what, name in {**DERIVED, **VAULT}.items():
        assert [one.what for one in own(place) if one.is_touched_by(name)] == [what], name
    earlier = f"arn:aws:kms:{_AT}:key/old"
    assert [one.what for one in own(place) if one.is_touched_by(earlier)] == ["a key that signs the ledger"]


def test_what_is_only_called_alike_is_not_ours() -> None:
    """Neither what begins like it, nor another kind of thing of its name, nor another environment's."""
    place = with_ours(
        environment(evidence=_EVIDENCE.model_dump()), f"arn:aws:ecs:{_AT}:cluster/incident", "sg-0123456789abcdef0"
    )
    for name in (
        f"arn:aws:dynamodb:{_AT}:table/incident-ledger-copy",
        f"arn:aws:rds:{_AT}:db:incident-ledger",
        f"arn:aws:ecs:{_AT}:service/incidents/worker",
        f"arn:aws:iam::{ACCOUNT}:role/incident-staging-remediate",
        f"arn:aws:cloudwatch:{_AT}:alarm:incident-production-heartbeat-of-the-portal",
        "arn:aws:s3:::vault-of-the-portal",
        "sg-0123456789abcdef01",
        "incident",
        "vaults",
    ):
        assert [one for one in own(place) if one.is_touched_by(name)] == [], name


def test_the_shipped_runbooks_touch_nothing_of_ours(asked: Asked) -> None:
    """The sandbox's own file names vault, table and roles as an organisation's does: its changes are none of them."""
    seen = shipped()
    refuse_own(asked.world.change, asked.house.place, asked.plan)
    assert {one.what for one in own(seen)} >= {*DERIVED, *VAULT}


def _blocked(action: Any) -> list[str]:
    return [name for name, field in action.params.model_fields.items() if BLOCKED in all_marks(field)]


def test_every_parameter_that_is_addresses_is_held_against_ours() -> None:
    """One that is added is marked, or whoever adds it is told."""
    named = {name: [one for one in change.params.model_fields if "address" in one] for name, change in CHANGES.items()}
    assert {name: _blocked(change) for name, change in CHANGES.items()} == named


@pytest.mark.parametrize("block", ["198.51.100.0/24", "198.51.100.7/32", "198.51.0.0/16"])
@pytest.mark.parametrize("name", sorted(name for name, change in CHANGES.items() if _blocked(change)))
def test_no_change_blocks_an_address_of_ours(name: str, block: str) -> None:
    """Of a worker or of Temporal: alone, in a network of ours, or in one that ours lies in."""
    with mock_aws():
        world = world_of(name)
        world.params |= {field: ["198.51.100.0/24"] for field in _blocked(world.change)}
        asked = Asked(world)
        asked.house.place = asked.house.place.model_copy(update={"orchestrator": Orchestrator(addresses=(block,))})
        assert asked.is_refused(f"overlaps {block}, the orchestrator's own address")
        with pytest.raises(RuleError, match="the orchestrator's own address"):
            asked.plan_anew()

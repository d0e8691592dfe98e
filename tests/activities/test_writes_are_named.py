"""Whatever a change writes to its plan names: so it is locked, and held against what is the orchestrator's own."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from moto import mock_aws

from activities.action import PartlyDoneError, RuleError
from activities.catalogue import CHANGES
from activities.changes.own import Own, named_in
from activities.changes.runner import ChangeRunner
from tests.activities.change_worlds import ChangeWorld
from tests.activities.test_change_catalogue import planned
from tests.activities.variant_worlds import every_world_of
from tests.activities.world import LEDGER, WIRE
from tests.permissions.calls import Call
from tests.permissions.requests import requests_of

_MADE = "it is made by the change, under a name of ours or of AWS's"
_PART = "it is a part of what the plan names"
UNNAMED = {
    "application-autoscaling:RegisterScalableTarget": "its id is AWS's, and it is the service's, which the plan names",
    "cloudwatch:PutAlarmMuteRule on alarm-mute-rule": _MADE,
    "cloudwatch:PutAlarmMuteRule on alarm": "the call names alarms by what they are called, the plan by ARN",
    "ec2:AuthorizeSecurityGroupIngress on security-group-rule": _PART,
    "ec2:CreateFlowLogs on vpc-flow-log": _MADE,
    "ecs:StopServiceDeployment on service-deployment": _PART,
    "rds:AddTagsToResource on db": "it is the promoted replica, which the plan renames",
    "rds:CopyDBSnapshot on snapshot": _MADE,
    "rds:CreateDBClusterSnapshot on cluster": "it is read",
    "rds:CreateDBSnapshot on db": "it is read",
    "rds:ModifyDBInstance on db": "it is the promoted replica, which the plan renames",
    "rds:RestoreDBInstanceFromDBSnapshot on snapshot": "it is read",
    "route53resolver:AssociateFirewallRuleGroup on firewall-rule-group-association": _MADE,
    "wafv2:UpdateWebACL on ipset": "the web ACL's rules refer to it, and it stays as it is",
}
"""By IAM action and kind of resource, what no plan needs to name, with the reason."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every world of every change; only now, when the files that have them are all imported."""
    if "world" in metafunc.fixturenames:
        worlds = [(name, number) for name in sorted(CHANGES) for number in range(len(list(every_world_of(name))))]
        metafunc.parametrize("world", worlds, indirect=True, ids=[f"{name}-{number}" for name, number in worlds])


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[ChangeWorld]:
    name, number = request.param
    with mock_aws():
        yield list(every_world_of(name))[number]()


def written(world: ChangeWorld) -> tuple[list[str], dict[str, str]]:
    """What the plan names, and what carrying it out writes to: by ARN, under which IAM action and of which kind."""
    plan = planned(ChangeRunner(world.clients), world).plan
    with WIRE.listening() as sent, suppress(PartlyDoneError):
        world.change.act(world.scope, plan)
    found: dict[str, str] = {}
    for one in sent:
        if one.writes and one.operation != "Invoke" and one.asked.get("TableName") != LEDGER:
            call = Call("any", world.scope.environment, one.service, one.operation, one.asked)
            own = [asked for asked in requests_of(call) if asked.action.endswith(f":{one.operation}")]
            for asked in own:
                found[asked.resource.removesuffix(":*")] = f"{asked.action} on {_kind(asked.resource)}"
    return list(named_in(plan)), found


def _kind(arn: str) -> str:
    """What an ARN is of: `db`, `ipset`; for S3 the bucket."""
    resource = arn.split(":", 5)[-1]
    return resource.removeprefix("regional/").removeprefix("global/").replace("/", ":").split(":")[0]


def _without_key(arn: str) -> str:
    """An object is in its bucket, and that is what has an owner."""
    return arn.partition("/")[0] if arn.startswith("arn:aws:s3:") else arn


def test_what_is_written_is_named(world: ChangeWorld) -> None:
    try:
        names, found = written(world)
    except RuleError:  # what cannot be planned there writes nothing
        return
    missing = {
        arn: how
        for arn, how in found.items()
        if how not in UNNAMED
        and how.partition(" on ")[0] not in UNNAMED
        and not any(Own(_without_key(arn), "").is_touched_by(name) for name in names)
    }
    if world.change.evidence:  # its place is the vault, which no plan of it is refused for
        evidence = world.scope.environment.evidence
        missing = {arn: how for arn, how in missing.items() if not (evidence and f":::{evidence.bucket}/" in arn)}
    assert missing == {}

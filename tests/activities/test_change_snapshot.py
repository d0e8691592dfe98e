import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from moto import mock_aws
from moto.rds.models import rds_backends
from temporalio.exceptions import ApplicationError

from activities.action import RuleError
from activities.catalogue import CHANGES
from activities.changes.runner import ChangeRunner
from domain.model.calls import ApplyCall
from sandbox.aws.rollout import PACE
from tests.activities.change_worlds import ChangeWorld
from tests.activities.evidence_worlds import (
    CLUSTER,
    DATABASE,
    FORENSIC_ACCOUNT,
    FORENSIC_KEY,
    cluster_snapshot,
    snapshot,
    snapshot_scope,
)
from tests.activities.scopes import ACCOUNT, NOW, REGION, environment, scope
from tests.activities.test_change_catalogue import planned, verified
from tests.activities.variant_worlds import member_snapshot
from tests.activities.world import WIRE

_RDS_NAME = re.compile(r"[a-z](?!.*--)[a-z0-9-]{0,253}[a-z0-9]")


@pytest.fixture
def world() -> Iterator[ChangeWorld]:
    with mock_aws():
        yield snapshot()


@pytest.fixture
def runner(world: ChangeWorld) -> ChangeRunner:
    return ChangeRunner(world.clients)


def in_moto(identifier: str) -> Any:
    return rds_backends[ACCOUNT][REGION].database_snapshots[identifier]


def test_the_name_is_the_incidents_and_the_next_request_gets_the_next(runner: ChangeRunner, world: ChangeWorld) -> None:
    """Planned twice it is one snapshot; asked for again, once it is taken, it is another."""
    call = planned(runner, world)
    assert call.plan.context["identifier"] == f"ir-{world.scope.incident}-{DATABASE}-1"
    assert planned(runner, world).plan.digest == call.plan.digest
    runner.apply(world.change, call, NOW)
    verified(runner, world, call)
    assert planned(runner, world, generation=2).plan.context["identifier"].endswith(f"{DATABASE}-2")


@pytest.mark.parametrize("incident", ["inc--20261123-", "INC_2026/11", "x" * 400])
def test_a_name_is_one_that_rds_takes(runner: ChangeRunner, world: ChangeWorld, incident: str) -> None:
    """Whatever the incident is called, the name keeps to RDS's rules."""
    world.scope = world.scope.model_copy(update={"incident": incident})
    call = planned(runner, world)
    assert _RDS_NAME.fullmatch(call.plan.context["identifier"])
    assert runner.apply(world.change, call, NOW).outcome == "applied"


def test_it_is_waited_for_until_it_is_available(runner: ChangeRunner, world: ChangeWorld) -> None:
    """While RDS is at it: not yet, and the next look is not at once, or a long one would use its attempts up."""
    call = planned(runner, world)
    PACE.rollout = timedelta(days=1)
    runner.apply(world.change, call, NOW)
    waits(runner, world, call, "is creating")
    in_moto(call.plan.context["identifier"]).status = "available"
    waits(runner, world, call, "copy is copying", seconds=2)
    waits(runner, world, call, "copy is copying")
    PACE.rollout = timedelta.resolution
    assert "is available" in verified(runner, world, call)


def waits(runner: ChangeRunner, world: ChangeWorld, call: ApplyCall, words: str, seconds: float = 20) -> None:
    """One look, which comes too early."""
    with pytest.raises(ApplicationError, match=words) as waiting:
        verified(runner, world, call)
    assert (waiting.value.type, waiting.value.non_retryable) == ("NotYet", False)
    assert waiting.value.next_retry_delay is not None
    assert waiting.value.next_retry_delay.total_seconds() == seconds


@pytest.mark.parametrize("broken", ["failed", None])
def test_a_snapshot_that_failed_or_is_gone_is_told(
    runner: ChangeRunner, world: ChangeWorld, broken: str | None
) -> None:
    """RDS gave up, or somebody deleted it: waiting will not help."""
    call = planned(runner, world)
    runner.apply(world.change, call, NOW)
    if broken:
        in_moto(call.plan.context["identifier"]).status = broken
    else:
        identifier = call.plan.context["identifier"]
        world.clients.inner.client("rds").delete_db_snapshot(DBSnapshotIdentifier=identifier)
    with pytest.raises(ApplicationError, match=broken or "gone") as failed:
        verified(runner, world, call)
    assert failed.value.type == "VerificationFailed"


def test_the_impact_tells_of_the_pause(runner: ChangeRunner, world: ChangeWorld) -> None:
    """In one zone the database pauses; with a standby it does not; one that is busy is waited for."""
    assert "pause, for seconds" in planned(runner, world).plan.impact
    instance = rds_backends[ACCOUNT][REGION].databases[DATABASE]
    instance.multi_az = True
    assert "nothing pauses" in planned(runner, world).plan.impact
    instance.status = "rebooting"
    assert "takes no snapshot while it is rebooting" in planned(runner, world).plan.impact


@pytest.mark.parametrize(("status", "instead"), [("stopped", "start it"), ("failed", "automated backups are kept")])
def test_what_does_not_become_available_by_itself_is_refused(
    runner: ChangeRunner, world: ChangeWorld, status: str, instead: str
) -> None:
    """RDS takes a snapshot only of what is available: waiting would never end."""
    rds_backends[ACCOUNT][REGION].databases[DATABASE].status = status
    with pytest.raises(RuleError, match=instead):
        planned(runner, world)


def test_a_database_that_is_not_there_is_final(runner: ChangeRunner, world: ChangeWorld) -> None:
    """A name that RDS does not know ends the plan with its own error."""
    world.scope = snapshot_scope(identifier="nowhere")
    with pytest.raises(world.clients.inner.client("rds").exceptions.DBInstanceNotFoundFault):
        planned(runner, world)


def test_what_preserves_evidence() -> None:
    """These, and no others, run on the queue whose role can change nothing else."""
    assert {name for name, change in CHANGES.items() if change.evidence} == {"rds.snapshot", "s3.preserve_logs"}


def kept(runner: ChangeRunner, world: ChangeWorld) -> tuple[ApplyCall, str]:
    """A snapshot taken, copied and shared, and what is said of it."""
    call = planned(runner, world)
    runner.apply(world.change, call, NOW)
    return call, verified(runner, world, call)


def restorers(world: ChangeWorld, name: str) -> list[str]:
    """Which accounts may restore a snapshot."""
    rds = world.clients.inner.client("rds")
    answer = rds.describe_db_snapshot_attributes(DBSnapshotIdentifier=name)["DBSnapshotAttributesResult"]
    return next(one["AttributeValues"] for one in answer["DBSnapshotAttributes"] if one["AttributeName"] == "restore")


def test_a_breachs_snapshot_is_copied_and_shared_with_the_forensic_account_alone(
    runner: ChangeRunner, world: ChangeWorld
) -> None:
    """AWS's own key lets nobody else restore it; the copy is under ours. A second look copies and shares nothing."""
    call, said = kept(runner, world)
    name = call.plan.context["identifier"]
    assert said.endswith(f"shared with account {FORENSIC_ACCOUNT} alone")
    assert restorers(world, f"{name}-copy") == [FORENSIC_ACCOUNT]
    assert restorers(world, name) == []
    key = world.clients.inner.client("kms").describe_key(KeyId=FORENSIC_KEY)["KeyMetadata"]["Arn"]
    assert in_moto(f"{name}-copy").kms_key_id == key
    verified(runner, world, call)
    assert world.clients.writes == [
        "rds.create_db_snapshot",
        "rds.copy_db_snapshot",
        "rds.modify_db_snapshot_attribute",
    ]


def test_rds_shares_nothing_that_its_own_key_encrypts(runner: ChangeRunner, world: ChangeWorld) -> None:
    """Why there is a copy at all."""
    call = planned(runner, world)
    runner.apply(world.change, call, NOW)
    rds = world.clients.inner.client("rds")
    asked = {"AttributeName": "restore", "ValuesToAdd": [FORENSIC_ACCOUNT]}
    with pytest.raises(rds.exceptions.ClientError, match="InvalidParameterValue"):
        rds.modify_db_snapshot_attribute(DBSnapshotIdentifier=call.plan.context["identifier"], **asked)


def test_a_copy_that_others_may_restore_is_told(runner: ChangeRunner, world: ChangeWorld) -> None:
    """Shared with one account and no other: whoever shares it further is found out."""
    call, _ = kept(runner, world)
    asked = {"AttributeName": "restore", "ValuesToAdd": ["111122223333"]}
    name = f"{call.plan.context['identifier']}-copy"
    world.clients.inner.client("rds").modify_db_snapshot_attribute(DBSnapshotIdentifier=name, **asked)
    with pytest.raises(ApplicationError, match="shared with 111122223333 too") as found:
        verified(runner, world, call)
    assert found.value.type == "VerificationFailed"


def test_a_copy_of_somebody_elses_is_not_taken_for_ours(runner: ChangeRunner, world: ChangeWorld) -> None:
    """Another key, or another incident, under the name of our copy."""
    call = planned(runner, world)
    runner.apply(world.change, call, NOW)
    rds, name = world.clients.inner.client("rds"), call.plan.context["identifier"]
    rds.copy_db_snapshot(SourceDBSnapshotIdentifier=name, TargetDBSnapshotIdentifier=f"{name}-copy")
    with pytest.raises(ApplicationError, match="another one than was asked for"):
        verified(runner, world, call)


@pytest.mark.parametrize("operation", ["CopyDBSnapshot", "ModifyDBSnapshotAttribute"])
def test_a_copy_that_is_refused_does_not_hide_the_snapshot(
    runner: ChangeRunner, world: ChangeWorld, operation: str
) -> None:
    """The evidence is kept, in this account alone: who reads that the change failed reads that too."""
    call = planned(runner, world)
    runner.apply(world.change, call, NOW)
    denied = WIRE.listening(lambda sent: "AccessDenied" if sent.operation == operation else None)
    with denied, pytest.raises(ApplicationError) as failed:
        verified(runner, world, call)
    assert failed.value.type == "AccessDenied"
    assert f"snapshot {call.plan.context['identifier']} is available" in failed.value.message
    assert f"AWS answered AccessDenied to {operation}" in failed.value.message


@pytest.mark.parametrize("make", [cluster_snapshot, partial(member_snapshot, named=True)])
def test_a_cluster_is_kept_as_a_whole(make: Callable[[], ChangeWorld]) -> None:
    """RDS takes no snapshot of a member: the cluster's own call is used, whichever of the two is asked for."""
    with mock_aws():
        world = make()
        call, said = kept(ChangeRunner(world.clients), world)
    assert call.plan.target.split(":")[-2:] == ["cluster-snapshot", f"ir-{world.scope.incident}-{CLUSTER}-1"]
    assert len(f"{call.plan.context['identifier']}-copy") <= 63
    assert said.endswith(f"shared with account {FORENSIC_ACCOUNT} alone")
    assert world.clients.writes[0] == "rds.create_db_cluster_snapshot"


def test_a_member_whose_cluster_the_file_does_not_name_is_refused() -> None:
    """No role may keep that: the plan says what to name, before anybody approves in vain."""
    with mock_aws():
        world = member_snapshot(named=False)
        with pytest.raises(RuleError, match=f"primary is a member of cluster {CLUSTER}: name that"):
            planned(ChangeRunner(world.clients), world)


def test_without_a_forensic_account_it_stays_as_it_was_taken(runner: ChangeRunner, world: ChangeWorld) -> None:
    """And whoever reads the plan knows that nobody else can restore it."""
    world.scope = scope()
    call = planned(runner, world)
    assert "NOT copied" in call.plan.impact
    runner.apply(world.change, call, NOW)
    assert verified(runner, world, call).endswith("not copied: the environment names no forensic account")
    assert world.clients.writes == ["rds.create_db_snapshot"]


def test_a_copy_keeps_its_number(runner: ChangeRunner, world: ChangeWorld) -> None:
    """Somebody deleted what it is a copy of: the next snapshot is another, whose copy the old one is not taken for."""
    call, _ = kept(runner, world)
    name = call.plan.context["identifier"]
    world.clients.inner.client("rds").delete_db_snapshot(DBSnapshotIdentifier=name)
    assert planned(runner, world, generation=2).plan.context["identifier"] == f"{name.removesuffix('-1')}-2"


def test_a_key_that_nobody_could_share_by_keeps_no_snapshot_from_being_taken(
    runner: ChangeRunner, world: ChangeWorld
) -> None:
    """One that is switched off, or not there: that is told. AWS's own is refused when the environment is read."""
    kms = world.clients.inner.client("kms")
    kms.disable_key(KeyId=kms.describe_key(KeyId=FORENSIC_KEY)["KeyMetadata"]["KeyId"])
    call = planned(runner, world)
    assert "is Disabled" in call.plan.impact
    runner.apply(world.change, call, NOW)
    assert "is Disabled" in verified(runner, world, call)
    kms.delete_alias(AliasName=FORENSIC_KEY)
    assert "there is no key" in planned(runner, world).plan.impact
    with pytest.raises(ValueError, match="cannot be shared"):
        environment(evidence={"snapshots": {"account": FORENSIC_ACCOUNT, "kms_key": "alias/aws/rds"}})


def test_a_full_account_is_refused(runner: ChangeRunner, world: ChangeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without room for a copy it is taken all the same; without any the plan says what to do."""
    monkeypatch.setenv("MOTO_RDS_SNAPSHOT_LIMIT", "1")
    assert "0 of at most 1 manual snapshots are there, and 2 more are needed" in planned(runner, world).plan.impact
    monkeypatch.setenv("MOTO_RDS_SNAPSHOT_LIMIT", "0")
    with pytest.raises(RuleError, match="0 of at most 0 manual snapshots"):
        planned(runner, world)

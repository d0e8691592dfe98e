"""Snapshots of what is not encrypted: RDS treats those of clusters and of instances differently."""

import pytest
from moto import mock_aws
from moto.rds.models import rds_backends

from activities.changes.runner import ChangeRunner
from tests.activities.evidence_worlds import (
    DATABASE,
    FORENSIC_ACCOUNT,
    FORENSIC_KEY,
    plain_cluster_snapshot,
    snapshot,
    unencrypted,
)
from tests.activities.scopes import ACCOUNT, REGION
from tests.activities.test_change_catalogue import verified
from tests.activities.test_change_snapshot import kept


def test_of_a_cluster_that_is_not_encrypted_the_snapshot_itself_is_shared() -> None:
    """RDS encrypts no copy of it, and shares it as it stands: the plan says so, and a second look does nothing."""
    with mock_aws():
        world = plain_cluster_snapshot()
        call, said = kept(ChangeRunner(world.clients), world)
        name, rds = call.plan.context["identifier"], world.clients.inner.client("rds")
        with pytest.raises(rds.exceptions.ClientError, match="InvalidParameterCombination"):
            rds.copy_db_cluster_snapshot(
                SourceDBClusterSnapshotIdentifier=name,
                TargetDBClusterSnapshotIdentifier=f"{name}-copy",
                KmsKeyId=FORENSIC_KEY,
            )
        verified(ChangeRunner(world.clients), world, call)
    assert "primary is NOT encrypted" in call.plan.impact
    assert "shared as it stands with account 210987654321" in call.plan.impact
    assert said == f"snapshot {name} is available, not encrypted and shared with account {FORENSIC_ACCOUNT} alone"
    assert world.clients.writes == ["rds.create_db_cluster_snapshot", "rds.modify_db_cluster_snapshot_attribute"]


def test_an_instance_that_is_not_encrypted_has_an_encrypted_copy() -> None:
    """Of instances RDS encrypts the copy all the same."""
    with mock_aws():
        world = snapshot()
        unencrypted(rds_backends[ACCOUNT][REGION].databases[DATABASE])
        call, said = kept(ChangeRunner(world.clients), world)
    name = call.plan.context["identifier"]
    assert f"{name} is available, not encrypted; snapshot {name}-copy is available, encrypted and shared" in said

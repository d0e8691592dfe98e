"""Further looks of probes and of preflight, at what the seeded account lacks: clusters, blue/green, our past."""

from collections.abc import Callable, Iterator

from activities.catalogue import PROBES
from activities.changes.runner import ChangeRunner
from domain.config.environment import Environment
from domain.config.runbook import ProbeStep, Runbook
from sandbox.runtime.aws_world import World as Account
from tests.activities.change_worlds import rollback
from tests.activities.database_worlds import restart
from tests.activities.test_ecs_past import applied
from tests.activities.unread import Look
from tests.activities.variant_worlds import blue_green

_CLUSTER = "portal-cluster"
_OF_CLUSTERS = "rds:DescribeDBClusters"


def after_our_rollback() -> Look:
    """The service was rolled back by an incident of ours."""
    world = rollback()
    applied(ChangeRunner(world.clients), world)
    return Look(world.clients, {"service": "backend"}, world.scope)


def shifting() -> Look:
    """ECS shifts the traffic of the service between two groups."""
    world = blue_green(restart)
    return Look(world.clients, {"service": "backend"}, world.scope)


VARIANT_LOOKS: dict[str, Callable[[], Look]] = {
    "ecs.recent_deployments": after_our_rollback,
    "elbv2.target_health": shifting,
}
"""By probe, one more look, called within moto's mock."""


def environments_of_clusters(account: Account) -> Iterator[Environment]:
    """The account's environment, whose databases are of a cluster now: named as such, or as a member of it."""
    asked = {
        "Engine": "postgres",
        "MasterUsername": "portal",
        "ManageMasterUserPassword": True,
        "AllocatedStorage": 100,
    }
    account.client("rds").create_db_cluster(
        DBClusterIdentifier=_CLUSTER, DBClusterInstanceClass="db.r6gd.large", StorageEncrypted=True, **asked
    )
    for changes in ({"identifier": _CLUSTER, "cluster": True}, {"identifier": f"{_CLUSTER}-instance-2"}):
        databases = {
            name: one.model_copy(update={"replica_of": None, **changes})
            for name, one in account.environment.databases.items()
        }
        yield account.environment.model_copy(update={"databases": databases})


def of_databases(runbooks: list[Runbook]) -> list[ProbeStep]:
    """One step of each probe that looks at databases."""
    steps = [step for runbook in runbooks for step in runbook.steps() if isinstance(step, ProbeStep)]
    return list({step.probe: step for step in steps if _OF_CLUSTERS in PROBES[step.probe].permissions}.values())

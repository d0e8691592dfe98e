"""What ECS and Application Auto Scaling may refuse of the changes of services, and how their plans know."""

from collections.abc import Callable
from typing import Any

from moto.ecs.models import ecs_backends

from tests.activities.breach_worlds import SERVICES, stop
from tests.activities.change_worlds import ChangeWorld, rollback, scale
from tests.activities.database_worlds import restart
from tests.activities.fake_ecs import CLUSTER, SERVICE
from tests.activities.refusals import PlanRefusals
from tests.activities.scopes import ACCOUNT, REGION
from tests.activities.upkeep_worlds import scale_out

_SERVICES = ("app.restart", "ecs.rollback_service", "ecs.scale_out", "ecs.scale_service", "ecs.stop_service")
_SCALED = ("ecs.scale_out", "ecs.scale_service", "ecs.stop_service")
_NOT_GIVEN = {
    "NamespaceNotFoundException": "no namespace is given: Service Connect stays as it is",
    "PlatformUnknownException": "no platform version is given: the service keeps its own",
    "PlatformTaskDefinitionIncompatibilityException": "the revision ran on the service's platform before",
    "UnsupportedFeatureException": "nothing is asked for that the service does not have already",
    "ClusterNotFoundException": "the plan describes the service first, and ends with AWS's own answer",
}
_TAKEN_BACK = {
    "ClientException": "it names a service deployment alone, which ECS listed as under way just before",
    "InvalidParameterException": "it names a service deployment, and the one stop type that there is",
    "ServiceDeploymentNotFoundException": "ECS listed it as under way just before",
}


def with_ecs(make: Callable[[], ChangeWorld], **traits: Any) -> Callable[[], ChangeWorld]:
    """A world whose service has these traits."""

    def made() -> ChangeWorld:
        world = make()
        for name, value in traits.items():
            setattr(world.clients.instead["ecs"], name, value)
        return world

    return made


def gone(make: Callable[[], ChangeWorld]) -> Callable[[], ChangeWorld]:
    """A world whose service was deleted, and is told beside the others as missing."""
    return with_ecs(make, gone=True)


def daemons() -> ChangeWorld:
    """One of the services runs one task on each instance."""
    world = stop()
    ecs_backends[ACCOUNT][REGION].services[f"{CLUSTER}:{SERVICES[0]}"].scheduling_strategy = "DAEMON"
    return world


def deleted() -> ChangeWorld:
    """One of the services is INACTIVE."""
    world = stop()
    world.clients.inner.client("ecs").delete_service(cluster=CLUSTER, service=SERVICES[0], force=True)
    return world


def _scaled(make: Callable[..., ChangeWorld]) -> dict[str, Callable[[], ChangeWorld] | str]:
    """What ECS may refuse where it is asked for a count: of a service that does not scale by itself."""

    def without() -> ChangeWorld:
        world = make(minimum=None)
        world.clients.inner.client("ecs").delete_service(cluster=CLUSTER, service=SERVICE, force=True)
        world.snapshot = lambda: None
        return world

    return {
        "InvalidParameterException": lambda: make(minimum=None, strategy="DAEMON"),
        "ClientException": "no revision is named, and the count is a whole number of one task at least",
        "ServiceNotActiveException": without,
        "ServiceNotFoundException": without,
    }


PLAN_REFUSALS: PlanRefusals = {
    **{(change, "UpdateService", code): why for change in _SERVICES for code, why in _NOT_GIVEN.items()},
    ("app.restart", "UpdateService", "InvalidParameterException"): with_ecs(restart, controller="CODE_DEPLOY"),
    ("app.restart", "UpdateService", "ClientException"): "no revision is named: the service's own is rolled out again",
    ("app.restart", "UpdateService", "ServiceNotFoundException"): gone(restart),
    ("app.restart", "UpdateService", "ServiceNotActiveException"): gone(restart),
    ("ecs.rollback_service", "UpdateService", "InvalidParameterException"): with_ecs(rollback, controller="EXTERNAL"),
    ("ecs.rollback_service", "UpdateService", "ClientException"): with_ecs(rollback, inactive={3}),
    ("ecs.rollback_service", "UpdateService", "ServiceNotFoundException"): gone(rollback),
    ("ecs.rollback_service", "UpdateService", "ServiceNotActiveException"): gone(rollback),
    # "The specified task isn't supported in this Region" is all that the model says of it; nothing is taken back of
    # what ECS does not deploy
    ("ecs.rollback_service", "StopServiceDeployment", "UnsupportedFeatureException"): with_ecs(
        rollback, controller="EXTERNAL"
    ),
    **{("ecs.rollback_service", "StopServiceDeployment", code): why for code, why in _TAKEN_BACK.items()},
    **{
        (change, "UpdateService", code): world
        for change, make in (("ecs.scale_service", scale), ("ecs.scale_out", scale_out))
        for code, world in _scaled(make).items()
    },
    ("ecs.stop_service", "UpdateService", "InvalidParameterException"): daemons,
    ("ecs.stop_service", "UpdateService", "ClientException"): "no revision is named, and 0 is a count that ECS takes",
    ("ecs.stop_service", "UpdateService", "ServiceNotFoundException"): deleted,
    ("ecs.stop_service", "UpdateService", "ServiceNotActiveException"): deleted,
    **{
        (change, "RegisterScalableTarget", "LimitExceededException"): (
            "only a target that is registered already is changed, which counts against no quota"
        )
        for change in _SCALED
    },
    ("ecs.scale_service", "RegisterScalableTarget", "ValidationException"): lambda: asking(scale(), 9),
    ("ecs.scale_out", "RegisterScalableTarget", "ValidationException"): lambda: asking(scale_out(), 9),
    ("ecs.stop_service", "RegisterScalableTarget", "ValidationException"): (
        "0 is a minimum that every ECS service takes, and below any maximum"
    ),
}


def asking(world: ChangeWorld, count: int) -> ChangeWorld:
    """One in which more tasks are asked for than autoscaling's maximum: a minimum above it is not valid."""
    world.params = world.params | {"count": count}
    return world

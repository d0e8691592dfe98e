"""Amazon ECS in the sandbox, through boto3: what an action can rely on there as in AWS."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.rollout import set_defect
from sandbox.faults.inject import FAULTS
from sandbox.runtime.aws_world import World
from sandbox.seed.services import register
from tests.sandbox.worlds import past, rollouts_finish


@pytest.fixture
def ecs(world: World) -> Any:
    return world.client("ecs")


@pytest.fixture
def named(world: World) -> dict[str, str]:
    backend = world.environment.services["backend"]
    return {"cluster": backend.cluster, "service": backend.service}


def described(ecs: Any, named: dict[str, str]) -> dict[str, Any]:
    answer: dict[str, Any] = ecs.describe_services(cluster=named["cluster"], services=[named["service"]])
    service: dict[str, Any] = answer["services"][0]
    return service


def rollout(service: dict[str, Any]) -> list[tuple[str, str, str, int]]:
    return [
        (one["status"], one["taskDefinition"].split("/")[-1], one["rolloutState"], one["runningCount"])
        for one in service["deployments"]
    ]


def register_next(world: World) -> str:
    return register(world, world.environment.services["backend"], "next")


FAMILY = "axis-imaging-backend-production"


def test_update_rolls_out(world: World, ecs: Any, named: dict[str, str]) -> None:
    """Another task definition is shown as PRIMARY by its full ARN next to the running one, and replaces it."""
    arn = register_next(world)
    updated = ecs.update_service(**named, taskDefinition=f"{FAMILY}:4")["service"]
    assert updated["taskDefinition"] == arn
    assert rollout(updated) == [
        ("PRIMARY", f"{FAMILY}:4", "IN_PROGRESS", 0),
        ("ACTIVE", f"{FAMILY}:3", "COMPLETED", 3),
    ]
    rollouts_finish()
    done = described(ecs, named)
    assert rollout(done) == [("PRIMARY", f"{FAMILY}:4", "COMPLETED", 3)]
    assert (done["runningCount"], done["pendingCount"]) == (3, 0)
    assert "deployment completed" in done["events"][0]["message"]


def test_history_names_every_deployment(world: World, ecs: Any, named: dict[str, str]) -> None:
    """Deployments are listed newest first with their task definitions, across pages."""
    register_next(world)
    ecs.update_service(**named, taskDefinition=FAMILY)
    backend = world.environment.services["backend"]
    found = past(world, backend).deployments
    assert [(one.status, (one.task_definition or "")[-2:]) for one in found] == [
        ("IN_PROGRESS", ":4"),
        ("SUCCESSFUL", ":3"),
        ("SUCCESSFUL", ":2"),
        ("SUCCESSFUL", ":1"),
    ]
    first = ecs.list_service_deployments(**named, maxResults=3)
    rest = ecs.list_service_deployments(**named, maxResults=3, nextToken=first["nextToken"])
    listed = [*first["serviceDeployments"], *rest["serviceDeployments"]]
    assert [one["serviceDeploymentArn"] for one in listed] == [one.arn for one in found]
    assert "nextToken" not in rest


def test_history_is_filtered(ecs: Any, named: dict[str, str]) -> None:
    """`status` and `createdAt` narrow the list."""
    assert ecs.list_service_deployments(**named, status=["STOPPED"])["serviceDeployments"] == []
    everything = ecs.list_service_deployments(**named)["serviceDeployments"]
    between = everything[0]["createdAt"] - timedelta(days=1)
    since = ecs.list_service_deployments(**named, createdAt={"after": between})["serviceDeployments"]
    assert since == everything[:1]
    earlier = ecs.list_service_deployments(**named, createdAt={"before": between})["serviceDeployments"]
    assert earlier == everything[1:]


def test_deployment_and_revision_are_described(ecs: Any, named: dict[str, str]) -> None:
    """A deployment leads to its revisions, a revision to its task definition and image; unknown ARNs fail softly."""
    brief = ecs.list_service_deployments(**named)["serviceDeployments"][0]
    asked = [brief["serviceDeploymentArn"], brief["serviceDeploymentArn"] + "0"]
    answer = ecs.describe_service_deployments(serviceDeploymentArns=asked)
    (deployment,) = answer["serviceDeployments"]
    assert answer["failures"] == [{"arn": asked[1], "reason": "MISSING"}]
    assert deployment["targetServiceRevision"]["runningTaskCount"] == 3
    revisions = ecs.describe_service_revisions(
        serviceRevisionArns=[deployment["targetServiceRevision"]["arn"], deployment["sourceServiceRevisions"][0]["arn"]]
    )["serviceRevisions"]
    assert [one["taskDefinition"][-2:] for one in revisions] == [":3", ":2"]
    assert revisions[0]["containerImages"][0]["image"].endswith(f"{FAMILY}:1.3.0")


def test_stop_rolls_back(world: World, ecs: Any, named: dict[str, str]) -> None:
    """ROLLBACK returns to the last successful revision; the deployment says so, and a repeat changes nothing."""
    set_defect(world.ecs.describe_task_definition(register_next(world)), "on-start")
    ecs.update_service(**named, taskDefinition=FAMILY)
    arn = ecs.list_service_deployments(**named)["serviceDeployments"][0]["serviceDeploymentArn"]
    for _ in range(2):
        assert ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")["serviceDeploymentArn"] == arn
    assert rollout(described(ecs, named)) == [("PRIMARY", f"{FAMILY}:3", "IN_PROGRESS", 3)]
    rollouts_finish()
    assert rollout(described(ecs, named)) == [("PRIMARY", f"{FAMILY}:3", "COMPLETED", 3)]
    (deployment,) = ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"]
    assert deployment["status"] == "ROLLBACK_SUCCESSFUL"
    assert deployment["rollback"]["serviceRevisionArn"] == deployment["sourceServiceRevisions"][0]["arn"]
    with pytest.raises(ClientError) as refused:
        ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ABORT")
    assert refused.value.response["Error"]["Code"] == "ConflictException"


def test_ecs_rolls_back_by_itself(world: World, ecs: Any, named: dict[str, str]) -> None:
    """A watched deployment that answers 503 is taken back: the earlier one is primary again, by its old id."""
    earlier = described(ecs, named)["deployments"][0]["id"]
    FAULTS["outage-watched-deploy"](world)
    assert not world.healthy()
    assert rollout(described(ecs, named)) == [("PRIMARY", f"{FAMILY}:5", "IN_PROGRESS", 3)]
    FAULTS["deployment-rolled-back"](world)
    service = described(ecs, named)
    assert rollout(service) == [
        ("PRIMARY", f"{FAMILY}:3", "IN_PROGRESS", 0),
        ("ACTIVE", f"{FAMILY}:5", "FAILED", 3),
    ]
    assert service["deployments"][0]["id"] == earlier
    assert service["events"][0]["message"].endswith(f"rolling back to deployment {earlier}.")
    assert not world.healthy()
    rollouts_finish()
    assert rollout(described(ecs, named)) == [("PRIMARY", f"{FAMILY}:3", "COMPLETED", 3)]
    assert world.healthy()
    newest = ecs.list_service_deployments(**named)["serviceDeployments"][0]
    assert newest["status"] == "ROLLBACK_SUCCESSFUL"


def test_broken_start_never_completes(world: World, ecs: Any, named: dict[str, str]) -> None:
    """A revision that cannot start stays IN_PROGRESS with failed tasks, while the earlier one keeps running."""
    set_defect(world.ecs.describe_task_definition(register_next(world)), "on-start")
    ecs.update_service(**named, taskDefinition=FAMILY)
    rollouts_finish()
    service = described(ecs, named)
    assert rollout(service) == [
        ("PRIMARY", f"{FAMILY}:4", "IN_PROGRESS", 0),
        ("ACTIVE", f"{FAMILY}:3", "COMPLETED", 3),
    ]
    assert service["deployments"][0]["failedTasks"] > 0
    assert world.healthy()


def test_newer_deployment_supersedes(world: World, ecs: Any, named: dict[str, str]) -> None:
    """A deployment started during another stops that one, which never counts as successful; nor does what both left."""
    register_next(world)
    ecs.update_service(**named, taskDefinition=f"{FAMILY}:4")
    ecs.update_service(**named, taskDefinition=f"{FAMILY}:2")
    rollouts_finish()
    assert rollout(described(ecs, named)) == [("PRIMARY", f"{FAMILY}:2", "COMPLETED", 3)]
    known = past(world, world.environment.services["backend"])
    found = known.deployments
    assert [one.status for one in found[:2]] == ["SUCCESSFUL", "STOPPED"]
    healthy = known.last_good()
    assert healthy
    assert (healthy.task_definition or "").endswith(":1")


def test_same_revision_is_no_deployment_unless_forced(ecs: Any, named: dict[str, str]) -> None:
    """Requesting the running revision starts no deployment; `forceNewDeployment` always does."""
    before = ecs.list_service_deployments(**named)["serviceDeployments"]
    ecs.update_service(**named, taskDefinition=f"{FAMILY}:3")
    assert ecs.list_service_deployments(**named)["serviceDeployments"] == before
    ecs.update_service(**named, forceNewDeployment=True)
    after = ecs.list_service_deployments(**named)["serviceDeployments"]
    assert len(after) == len(before) + 1
    assert rollout(described(ecs, named))[0] == ("PRIMARY", f"{FAMILY}:3", "IN_PROGRESS", 0)


def test_count_is_followed(ecs: Any, named: dict[str, str]) -> None:
    """The running count reaches the desired one after a rollout's time, down to none, without a deployment."""
    updated = ecs.update_service(**named, desiredCount=5)["service"]
    assert (updated["desiredCount"], updated["runningCount"], updated["pendingCount"]) == (5, 3, 2)
    rollouts_finish()
    assert described(ecs, named)["runningCount"] == 5
    ecs.update_service(**named, desiredCount=0)
    assert described(ecs, named)["runningCount"] == 0
    assert len(ecs.list_service_deployments(**named)["serviceDeployments"]) == 3


def test_update_refuses(ecs: Any, named: dict[str, str], subtests: pytest.Subtests) -> None:
    """An INACTIVE or unknown revision and a negative count are refused, and nothing changes."""
    ecs.deregister_task_definition(taskDefinition=f"{FAMILY}:1")
    before = described(ecs, named)
    refusals: list[tuple[dict[str, Any], str]] = [
        ({"taskDefinition": f"{FAMILY}:1"}, "ClientException"),
        ({"taskDefinition": f"{FAMILY}:99"}, "ClientException"),
        ({"desiredCount": -1}, "InvalidParameterException"),
    ]
    for asked, code in refusals:
        with subtests.test(asked=asked):
            with pytest.raises(ClientError) as refused:
                ecs.update_service(**named, **asked)
            assert refused.value.response["Error"]["Code"] == code
            assert described(ecs, named) == before


def test_update_refuses_what_does_not_suit_the_service(
    ecs: Any, named: dict[str, str], subtests: pytest.Subtests
) -> None:
    """A daemon takes no count; what others deploy takes no revision and no restart, and shows no deployments."""
    unsuited: list[tuple[dict[str, Any], dict[str, Any], str]] = [
        ({"schedulingStrategy": "DAEMON"}, {"desiredCount": 1}, "does not support a desired count"),
        ({"deploymentController": {"type": "CODE_DEPLOY"}}, {"forceNewDeployment": True}, "a CODE_DEPLOY deployment"),
        ({"deploymentController": {"type": "EXTERNAL"}}, {"taskDefinition": FAMILY}, "a EXTERNAL deployment"),
    ]
    for number, (trait, asked, says) in enumerate(unsuited):
        with subtests.test(trait=trait):
            place = {"cluster": named["cluster"], "service": f"odd-{number}"}
            made = ecs.create_service(
                cluster=place["cluster"], serviceName=place["service"], taskDefinition=FAMILY, **trait
            )["service"]
            with pytest.raises(ClientError, match=says):
                ecs.update_service(**place, **asked)
            if "deploymentController" in trait:
                assert made["deployments"] == []
                ecs.update_service(**place, desiredCount=2)
                with pytest.raises(ClientError, match="UnsupportedFeatureException"):
                    ecs.list_service_deployments(**place)


def test_autoscaling_keeps_counts_within_its_limits(world: World, ecs: Any, named: dict[str, str]) -> None:
    """Registering anything of a target brings the count to its minimum: a stopped service starts again."""
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{named['cluster']}/{named['service']}",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    ecs.update_service(**named, desiredCount=0)
    scaling = world.client("application-autoscaling")
    scaling.register_scalable_target(**target, SuspendedState={"DynamicScalingOutSuspended": True})
    assert described(ecs, named)["desiredCount"] == 2
    scaling.register_scalable_target(**target, MinCapacity=0)
    ecs.update_service(**named, desiredCount=0)
    scaling.register_scalable_target(**target, MaxCapacity=6)
    assert described(ecs, named)["desiredCount"] == 0


def test_update_refuses_a_deleted_service(ecs: Any, named: dict[str, str]) -> None:
    """A deleted service is INACTIVE and cannot be updated."""
    ecs.delete_service(**named, force=True)
    with pytest.raises(ClientError) as refused:
        ecs.update_service(**named, desiredCount=1)
    assert refused.value.response["Error"]["Code"] == "ServiceNotActiveException"


def test_task_definitions_are_sorted_and_paged(world: World, ecs: Any) -> None:
    """`sort=DESC` lists the newest revision first, by number and not by text; `maxResults` and tokens page."""
    for _ in range(8):
        register_next(world)
    shown: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = ecs.list_task_definitions(familyPrefix=FAMILY, sort="DESC", maxResults=4, **token)
        assert len(page["taskDefinitionArns"]) <= 4
        shown += [arn.split(":")[-1] for arn in page["taskDefinitionArns"]]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert shown == [str(number) for number in range(11, 0, -1)]

from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pydantic import ValidationError

from activities.aws.ecs.described_service import located
from activities.aws.ecs.ecs_history import history
from activities.aws.ecs.ecs_recent_deployments import RecentDeployments, RecentDeploymentsParams
from activities.aws.ecs.ecs_services import Services, ServicesParams
from domain.model.finding import Finding, FindingStatus
from tests.activities.given import Stubbed
from tests.activities.scopes import ACCOUNT, NOW, REGION, environment, scope

_ECS = f"arn:aws:ecs:{REGION}:{ACCOUNT}"
BACKEND = located(environment().services["backend"])


def ago(**units: float) -> datetime:
    return NOW - timedelta(**units)


def task(revision: int) -> str:
    return f"{_ECS}:task-definition/axis-backend:{revision}"


def brief(number: int, status: str, created: datetime, finished: datetime | None = None) -> dict[str, Any]:
    one = {
        "serviceDeploymentArn": f"{_ECS}:service-deployment/axis-cluster/axis-backend/{number}",
        "targetServiceRevisionArn": f"{_ECS}:service-revision/axis-cluster/axis-backend/{number}",
        "status": status,
        "createdAt": created,
        "startedAt": created,
    }
    return one | ({"finishedAt": finished} if finished else {})


def revisions(*numbers: int) -> dict[str, Any]:
    named = [f"{_ECS}:service-revision/axis-cluster/axis-backend/{number}" for number in numbers]
    return {
        "serviceRevisions": [
            {"serviceRevisionArn": arn, "taskDefinition": task(number)}
            for arn, number in zip(named, numbers, strict=True)
        ]
    }


def service(name: str = "axis-backend", **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "serviceName": name,
        "status": "ACTIVE",
        "serviceArn": f"{_ECS}:service/axis-cluster/{name}",
        "desiredCount": 3,
        "runningCount": 3,
        "pendingCount": 0,
        "taskDefinition": task(4),
        "deployments": [
            {"status": "ACTIVE", "taskDefinition": task(3)},
            {"status": "PRIMARY", "taskDefinition": task(4), "rolloutState": "COMPLETED"},
        ],
        "events": [
            {"id": "1", "createdAt": ago(minutes=5), "message": "(service axis-backend) has reached a steady state."}
        ],
    }
    return fields | changes


def look_at_services(*answered: dict[str, Any], names: tuple[str, ...] = ("backend",)) -> Finding:
    aws = Stubbed("ecs")
    aws.answer(
        "describe_services",
        {"services": list(answered), "failures": []},
        {"cluster": "axis-cluster", "services": [f"axis-{name}" for name in names]},
    )
    return Services(aws).observe(scope(), ServicesParams(services=names), NOW)


def test_services_that_run_what_they_should_are_ok() -> None:
    """A service with all its tasks is no suspect, and its events are counted, not quoted."""
    finding = look_at_services(service())
    assert (finding.status, finding.summary) == (FindingStatus.OK, "backend runs 3 of 3 tasks")
    assert finding.facts["services"]["backend"]["task_definition"] == task(4)
    assert finding.facts["services"]["backend"]["events"] == 1
    assert "steady state" not in finding.model_dump_json()


def test_a_service_that_ecs_does_not_know_is_suspect() -> None:
    """ECS reports a missing service beside the others and not as an error: it is told all the same."""
    aws = Stubbed("ecs")
    missing = {"arn": f"{_ECS}:service/axis-frontend", "reason": "MISSING"}
    aws.answer("describe_services", {"services": [service()], "failures": [missing]})
    finding = Services(aws).observe(scope(), ServicesParams(services=("backend", "frontend")), NOW)
    assert finding.status is FindingStatus.SUSPECT
    assert finding.summary == "backend runs 3 of 3 tasks; frontend is not known to ECS"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"runningCount": 1}, "backend runs only 1 of 3 tasks"),
        ({"desiredCount": 0, "runningCount": 0}, "backend is scaled to 0 tasks"),
        ({"status": "DRAINING"}, "backend is DRAINING"),
        (
            {"deployments": [{"status": "PRIMARY", "taskDefinition": task(4), "rolloutState": "FAILED"}]},
            "backend runs 3 of 3 tasks, its rollout failed",
        ),
    ],
)
def test_a_service_in_trouble_is_suspect(changes: dict[str, Any], words: str) -> None:
    """Too few tasks, none wanted, one that is going away and a failed rollout are each told."""
    finding = look_at_services(service(**changes))
    assert (finding.status, finding.summary) == (FindingStatus.SUSPECT, words)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (
            "was unable to place a task because no container instance met all of its requirements.",
            "no place for a task",
        ),
        ("was unable to place a task. Reason: Capacity is unavailable at this time.", "no place for a task"),
        ("was unable to place a task. Reason: You've reached the limit on the number of vCPUs", "a quota is reached"),
        ("(task 0a1b) failed to start: CannotPullContainerError: pull image manifest has been retried", "an image"),
        (
            "(task 0a1b) (port 80) is unhealthy in (target-group arn:x) due to (reason [503])",
            "health checks fail",
        ),
        ("(task 0a1b) failed container health checks.", "health checks fail"),
        ("is unable to consistently start tasks successfully.", "tasks do not start"),
        ("(deployment ecs-svc/1) deployment failed: tasks failed to start.", "a deployment failed"),
        ("rolling back to deployment ecs-svc/0.", "a deployment failed"),
        ("operations are being throttled. Will try again later.", "ECS throttles"),
        ("was unable to assume the role for the load balancer.", "a role cannot be assumed"),
    ],
)
def test_reasons_are_told_by_category_and_not_quoted(message: str, reason: str) -> None:
    """ECS says why in an event of fixed form: suspect although the counts are well, until it is steady again."""
    steady, trouble = ("has reached a steady state.", ago(hours=1)), (message, ago(minutes=50))

    def events(*told: tuple[str, datetime]) -> dict[str, Any]:
        return {"events": [{"createdAt": at, "message": f"(service axis-backend) {text}"} for text, at in told]}

    finding = look_at_services(service(**events(trouble, steady)))
    assert finding.status is FindingStatus.SUSPECT
    assert reason in finding.summary
    assert "arn:x" not in finding.model_dump_json()
    assert finding.facts["services"]["backend"]["events_unread"] == 0
    for calm in (events(steady, (message, ago(hours=2))), events((message, ago(hours=7)))):
        assert look_at_services(service(**calm)).status is FindingStatus.OK


def test_events_of_another_form_are_counted() -> None:
    """What ECS may have to say in a text that is not known is not all well, until it says that all is steady."""
    new = {"createdAt": ago(minutes=5), "message": "(service axis-backend) did something new."}
    steady = {"createdAt": ago(minutes=1), "message": "(service axis-backend) has reached a steady state."}
    finding, since = look_at_services(service(events=[new])), look_at_services(service(events=[steady, new]))
    assert (finding.status, finding.facts["unread"]) == (FindingStatus.UNKNOWN, 1)
    assert finding.summary == "backend runs 3 of 3 tasks, 1 event of an unknown form"
    assert (since.status, since.facts["unread"]) == (FindingStatus.OK, 0)


def test_everyday_events_are_understood() -> None:
    """They are no trouble, whatever things are called, and are read (ECS developer guide, service event messages)."""
    told = """has started 2 tasks: (task 0a1b).|has stopped 1 running tasks: (task 0a1b).|registered 2 targets in (x)
        |deregistered 1 targets in (target-group arn:x/failed-health-checks)|has begun draining connections on 1 tasks.
        |(deployment 1) deployment completed.|is AZ balanced with 1 tasks in a
        |is not AZ balanced with 2 tasks in a, 1 in b. AZ Rebalancing in progress."""
    events = [{"createdAt": ago(minutes=5), "message": f"(service quota-api) {one}"} for one in told.split("|")]
    assert look_at_services(service(events=events)).status is FindingStatus.OK


def test_at_least_one_service_is_named() -> None:
    """A step that names no service is refused, as it would find nothing wrong."""
    with pytest.raises(ValidationError):
        ServicesParams(services=())


def test_history_is_newest_first_over_all_pages() -> None:
    """Every page is read, whatever order ECS lists in; revisions are described at most twenty at a time, once each."""
    aws = Stubbed("ecs")
    listed = [brief(n, "SUCCESSFUL", ago(days=60 - n), ago(days=60 - n)) for n in range(1, 26)]
    again = brief(25, "SUCCESSFUL", ago(days=1))
    asked = {"cluster": "axis-cluster", "service": "axis-backend", "maxResults": 100}
    aws.answer("list_service_deployments", {"serviceDeployments": listed, "nextToken": "more"}, asked)
    aws.answer("list_service_deployments", {"serviceDeployments": [again]}, asked | {"nextToken": "more"})
    aws.answer("describe_service_revisions", revisions(*range(25, 5, -1)))
    aws.answer("describe_service_revisions", revisions(*range(5, 0, -1)))
    known = history(aws, BACKEND)
    assert [one.task_definition for one in known] == [task(25)] + [task(n) for n in range(25, 0, -1)]
    assert known[0].created_at == ago(days=1)
    aws.all_asked()


class WithLedger(Stubbed):
    """ECS as stubbed, and a ledger in which nothing is on record."""

    def client(self, service: str) -> Any:
        return Empty() if service == "dynamodb" else super().client(service)


class Empty:
    def get_paginator(self, operation: str) -> "Empty":
        assert operation == "query"
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"Items": []}]


def recent(*listed: dict[str, Any], within: str = "24h", **changes: Any) -> Finding:
    aws = WithLedger("ecs")
    aws.answer("describe_services", {"services": [service(**changes)]})
    aws.answer("list_service_deployments", {"serviceDeployments": list(listed)})
    aws.answer("describe_service_revisions", revisions(4, 3))
    aws.answer("describe_service_deployments", {"serviceDeployments": [{"statusReason": "by hand"}]})
    params = RecentDeploymentsParams.model_validate({"service": "backend", "within": within})
    return RecentDeployments(aws).observe(scope(), params, NOW + timedelta(minutes=1))


def test_a_deployment_shortly_before_the_incident_is_suspect() -> None:
    """The finding names what runs, when it finished, and the last healthy version to go back to."""
    newest = brief(4, "SUCCESSFUL", ago(minutes=30), ago(minutes=20))
    finding = recent(brief(3, "SUCCESSFUL", ago(days=9), ago(days=9)), newest)
    assert finding.status is FindingStatus.SUSPECT
    assert finding.summary == (
        "backend: last deployment, of axis-backend:4 (SUCCESSFUL), finished 20m before the incident, 23 Nov 03:10 UTC; "
        "last healthy before it: axis-backend:3, 14 Nov 03:30 UTC"
    )
    assert finding.facts["task_definition"] == task(4)
    assert finding.facts["deployment"]["finished_at"] == "2026-11-23T03:10:00Z"
    assert finding.facts["deployment"]["status_reason"] == "by hand"
    assert finding.facts["last_healthy"]["task_definition"] == task(3)
    assert finding.facts["deployments_in_window"] == 1


@pytest.mark.parametrize(
    ("created", "finished", "within", "status"),
    [
        (ago(days=3), ago(days=3), "24h", FindingStatus.OK),
        (ago(days=3), ago(days=3), "4d", FindingStatus.SUSPECT),
        (ago(hours=30), ago(hours=23), "24h", FindingStatus.SUSPECT),
        (ago(hours=24), None, "24h", FindingStatus.SUSPECT),
        (ago(days=3), NOW + timedelta(seconds=30), "24h", FindingStatus.SUSPECT),
    ],
)
def test_the_window_ends_where_the_incident_begins(
    created: datetime, finished: datetime | None, within: str, status: FindingStatus
) -> None:
    """What started or finished in the window, or was still rolling out when it broke, is suspect; older is not."""
    finding = recent(brief(4, "SUCCESSFUL", created, finished), brief(3, "SUCCESSFUL", ago(days=9)), within=within)
    assert finding.status is status


def test_a_rollout_that_never_ends_is_suspect() -> None:
    """A deployment that began long before and has not finished may be what breaks it now."""
    finding = recent(brief(4, "IN_PROGRESS", ago(days=3)), brief(3, "SUCCESSFUL", ago(days=9)))
    assert finding.status is FindingStatus.SUSPECT
    assert "began 3d before the incident and has not finished" in finding.summary


def test_what_was_deployed_during_the_incident_is_not_its_cause() -> None:
    """A rollback that people made after the declaration does not become the suspect."""
    finding = recent(brief(4, "SUCCESSFUL", NOW + timedelta(seconds=9)), brief(3, "SUCCESSFUL", ago(days=9)))
    assert finding.status is FindingStatus.OK
    assert finding.facts["deployment"]["task_definition"] == task(3)


@pytest.mark.parametrize(
    ("answered", "words"),
    [
        ([], "backend is not known to ECS"),
        ([service(deploymentController={"type": "CODE_DEPLOY"})], "backend is deployed by CODE_DEPLOY: look"),
    ],
)
def test_who_has_no_history_in_ecs_is_unknown(answered: list[dict[str, Any]], words: str) -> None:
    """Where ECS cannot tell what was deployed, the finding says where else to look instead of saying all is well."""
    aws = Stubbed("ecs")
    aws.answer("describe_services", {"services": answered})
    finding = RecentDeployments(aws).observe(scope(), RecentDeploymentsParams(service="backend"), NOW)
    assert finding.status is FindingStatus.UNKNOWN
    assert finding.summary.startswith(words)


def test_a_service_without_deployments_is_unknown() -> None:
    """ECS forgets after 90 days: no deployment listed does not mean that none was made."""
    aws = WithLedger("ecs")
    aws.answer("describe_services", {"services": [service()]})
    aws.answer("list_service_deployments", {"serviceDeployments": []})
    finding = RecentDeployments(aws).observe(scope(), RecentDeploymentsParams(service="backend"), NOW)
    assert finding.status is FindingStatus.UNKNOWN


def test_errors_of_ecs_pass() -> None:
    """What AWS refuses is not turned into a finding here: its kind is given in one place for all."""
    aws = Stubbed("ecs")
    aws.stubber.add_client_error("describe_services", "ClusterNotFoundException")
    with pytest.raises(ClientError, match="ClusterNotFoundException"):
        RecentDeployments(aws).observe(scope(), RecentDeploymentsParams(service="backend"), NOW)

"""What a service has been deployed as: its service deployments, with the task definition of each."""

from datetime import datetime
from typing import Any, NamedTuple

from activities.action import Clients
from activities.aws.shared.pages import Pages
from domain.model.plan import State

_PER_CALL = 20  # as many as DescribeServiceRevisions takes
_NEWEST = 200
GOING_BACK = frozenset({"ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"})
RUNNING = frozenset({"PENDING", "IN_PROGRESS"})
ENDED_BADLY = frozenset({"STOP_REQUESTED", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"}) | GOING_BACK
STATUSES = RUNNING | ENDED_BADLY | {"SUCCESSFUL"}
"""All that a service deployment can have (ECS API, ServiceDeploymentStatus)."""


class Deployment(NamedTuple):
    """One service deployment.

    `task_definition` is the full ARN that it was to bring up; None when ECS no longer describes the revision
    (those from before 25 October 2024). `status` is that of ECS: `SUCCESSFUL`, `IN_PROGRESS`, `STOPPED`,
    `ROLLBACK_SUCCESSFUL` and so on. A rolled-back deployment names what was tried, not what runs since.
    """

    arn: str
    status: str
    task_definition: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def ended_at(self) -> datetime:
        """When it finished; when it was created, while it has not or where ECS does not say."""
        return self.finished_at or self.created_at


def history(clients: Clients, at: State) -> list[Deployment]:
    """Read the service deployments of the last 90 days, newest first; the newest 200 of them.

    Reads only (`ecs:ListServiceDeployments`, `ecs:DescribeServiceRevisions`). Raises botocore's errors:
    `ServiceNotFoundException`, and `UnsupportedFeatureException` under the CODE_DEPLOY and EXTERNAL controllers.
    """
    listed = briefs(clients, at)[:_NEWEST]
    task_definitions = _task_definitions(clients.client("ecs"), [one.get("targetServiceRevisionArn") for one in listed])
    return [
        Deployment(
            arn=brief["serviceDeploymentArn"],
            status=brief["status"],
            task_definition=task_definitions.get(brief.get("targetServiceRevisionArn")),
            created_at=brief["createdAt"],
            started_at=brief.get("startedAt"),
            finished_at=brief.get("finishedAt"),
        )
        for brief in listed
    ]


def briefs(clients: Clients, at: State) -> list[dict[str, Any]]:
    """What ECS lists of a service's deployments, newest first (`ecs:ListServiceDeployments`)."""
    asked: dict[str, Any] = {"cluster": at["cluster"], "service": at["service"], "maxResults": 100}
    pages = Pages(clients.client("ecs").list_service_deployments, cursor="nextToken", **asked)
    return sorted(pages.items("serviceDeployments"), key=lambda brief: brief["createdAt"], reverse=True)


def undone(clients: Clients, at: State, since: str) -> str | None:
    """Say how the newest deployment since an instant ended, where it did not end well (`ecs:ListServiceDeployments`).

    A rollout that another replaced, or that ECS took back by itself, comes to nothing: waiting does not help it.
    """
    began = datetime.fromisoformat(since)
    newest = next((one for one in briefs(clients, at) if one["createdAt"] > began), None)
    if newest is None or newest["status"] not in ENDED_BADLY:
        return None
    return f"the deployment that was to bring it is {newest['status']}"


def _task_definitions(ecs: Any, revisions: list[str | None]) -> dict[str | None, str]:
    """Map revision ARNs to task definition ARNs; revisions that ECS fails to describe are left out."""
    wanted = list(dict.fromkeys(revision for revision in revisions if revision))
    found: dict[str | None, str] = {}
    for start in range(0, len(wanted), _PER_CALL):
        page = ecs.describe_service_revisions(serviceRevisionArns=wanted[start : start + _PER_CALL])
        found.update((one["serviceRevisionArn"], one["taskDefinition"]) for one in page["serviceRevisions"])
    return found

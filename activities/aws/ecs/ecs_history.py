"""What a service has been deployed as: its service deployments, with the task definition of each."""

from datetime import datetime
from typing import Any, NamedTuple

from activities.aws.shared.pages import Pages
from domain.config.environment import Service

_PER_CALL = 20  # as many as DescribeServiceRevisions takes
_NEWEST = 200


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


def history(ecs: Any, service: Service) -> list[Deployment]:
    """Read the service deployments of the last 90 days, newest first; the newest 200 of them.

    Reads only (`ecs:ListServiceDeployments`, `ecs:DescribeServiceRevisions`). Raises botocore's errors:
    `ServiceNotFoundException`, and `UnsupportedFeatureException` under the CODE_DEPLOY and EXTERNAL controllers.
    """
    where: dict[str, Any] = {"cluster": service.cluster, "service": service.service}
    pages = Pages(ecs.list_service_deployments, cursor="nextToken", **where, maxResults=100)
    found = pages.items("serviceDeployments")
    listed = sorted(found, key=lambda brief: brief["createdAt"], reverse=True)[:_NEWEST]
    task_definitions = _task_definitions(ecs, [brief.get("targetServiceRevisionArn") for brief in listed])
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


def last_healthy(history: list[Deployment], current: str) -> Deployment | None:
    """Find the newest successful deployment of another task definition than `current`, a full ARN.

    None when there is none. The second-newest registered revision is no answer: it may never have run.
    """
    others = (one for one in history if one.status == "SUCCESSFUL" and one.task_definition not in (None, current))
    return next(others, None)


def _task_definitions(ecs: Any, revisions: list[str | None]) -> dict[str | None, str]:
    """Map revision ARNs to task definition ARNs; revisions that ECS fails to describe are left out."""
    wanted = list(dict.fromkeys(revision for revision in revisions if revision))
    found: dict[str | None, str] = {}
    for start in range(0, len(wanted), _PER_CALL):
        page = ecs.describe_service_revisions(serviceRevisionArns=wanted[start : start + _PER_CALL])
        found.update((one["serviceRevisionArn"], one["taskDefinition"]) for one in page["serviceRevisions"])
    return found

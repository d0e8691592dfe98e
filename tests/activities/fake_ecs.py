"""One ECS service with a deployment history, which moto lacks; requests are checked against botocore's model."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.activities.checked import Checked
from tests.activities.scopes import ACCOUNT, BACKEND_TARGETS, REGION

CLUSTER, SERVICE = "axis-cluster", "axis-backend"
_ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}"
SERVICE_ARN = f"{_ARN}:service/{CLUSTER}/{SERVICE}"
_START = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)


def revision(number: int) -> str:
    """The full ARN of a task definition."""
    return f"{_ARN}:task-definition/{SERVICE}:{number}"


class FakeEcs(Checked):
    """Revision 5 runs and is the newest deployment; 1 to 3 ran well before it, 4 was registered but never deployed."""

    service = "ecs"

    def __init__(self) -> None:
        self.desired = self.running = 3
        self.controller = "ECS"
        self.inactive: set[int] = set()
        self.deployments: list[dict[str, Any]] = []
        self.primary, self.rollout = revision(5), "COMPLETED"
        for number, source in ((1, None), (2, 1), (3, 2), (5, 3)):
            self._deploy(revision(number), revision(source) if source else None, "SUCCESSFUL")

    def settle(self) -> None:
        """Let whatever is under way come to its end."""
        for one in self.deployments:
            if one["status"] == "ROLLBACK_REQUESTED":
                one["status"], self.primary = "ROLLBACK_SUCCESSFUL", one["source"]
            elif one["status"] == "IN_PROGRESS":
                one["status"] = "SUCCESSFUL"
        self.rollout = "COMPLETED"

    def describe_services(self, cluster: str, services: list[str]) -> dict[str, Any]:
        if (cluster, services) != (CLUSTER, [SERVICE]):
            return {"services": [], "failures": [{"arn": services[0], "reason": "MISSING"}]}
        older = {"status": "ACTIVE", "taskDefinition": revision(99), "rolloutState": "COMPLETED"}
        newest = {"id": f"ecs-svc/{len(self.deployments)}", "createdAt": self.deployments[-1]["createdAt"]}
        primary = {"status": "PRIMARY", "taskDefinition": self.primary, "rolloutState": self.rollout}
        rollouts = [older, primary | newest]
        service = {"serviceArn": SERVICE_ARN, "status": "ACTIVE", "deployments": rollouts}
        counts = {"desiredCount": self.desired, "runningCount": self.running}
        return {"services": [service | counts | {"deploymentController": {"type": self.controller}}], "failures": []}

    def update_service(
        self,
        cluster: str,
        service: str,
        taskDefinition: str | None = None,  # noqa: N803
        forceNewDeployment: bool = False,  # noqa: N803
    ) -> dict[str, Any]:
        assert (cluster, service) == (CLUSTER, SERVICE)
        wanted = taskDefinition or self.primary
        if forceNewDeployment or wanted != self.primary:
            self._deploy(wanted, self.primary, "IN_PROGRESS")
            self.primary, self.rollout = wanted, "IN_PROGRESS"
        return {}

    def stop_service_deployment(self, serviceDeploymentArn: str, stopType: str) -> dict[str, Any]:  # noqa: N803
        one = next(one for one in self.deployments if one["arn"] == serviceDeploymentArn)
        assert (one["status"], stopType) == ("IN_PROGRESS", "ROLLBACK")
        one["status"] = "ROLLBACK_REQUESTED"
        return {"serviceDeploymentArn": serviceDeploymentArn}

    def list_service_deployments(self, service: str, status: list[str] | None = None, **_: Any) -> dict[str, Any]:
        assert service == SERVICE
        return {
            "serviceDeployments": [
                {
                    "serviceDeploymentArn": one["arn"],
                    "targetServiceRevisionArn": _as_revision(one["target"]),
                    **{name: one[name] for name in ("status", "createdAt", "finishedAt")},
                }
                for one in self.deployments
                if status is None or one["status"] in status
            ]
        }

    def describe_service_deployments(self, serviceDeploymentArns: list[str]) -> dict[str, Any]:  # noqa: N803
        return {
            "serviceDeployments": [
                {
                    "serviceDeploymentArn": one["arn"],
                    "sourceServiceRevisions": [{"arn": _as_revision(one["source"])}] if one["source"] else [],
                    **{name: one[name] for name in ("status", "createdAt")},
                }
                for one in self.deployments
                if one["arn"] in serviceDeploymentArns
            ]
        }

    def describe_service_revisions(self, serviceRevisionArns: list[str]) -> dict[str, Any]:  # noqa: N803
        return {
            "serviceRevisions": [
                {"serviceRevisionArn": arn, "taskDefinition": revision(int(arn.rsplit("/", 1)[-1]))}
                for arn in serviceRevisionArns
            ]
        }

    def describe_task_definition(self, taskDefinition: str) -> dict[str, Any]:  # noqa: N803
        number = int(taskDefinition.rsplit(":", 1)[-1])
        status = "INACTIVE" if number in self.inactive else "ACTIVE"
        return {"taskDefinition": {"taskDefinitionArn": taskDefinition, "status": status}}

    def _deploy(self, target: str, source: str | None, status: str) -> None:
        count = len(self.deployments)
        created = _START + timedelta(days=count)
        self.deployments.append(
            {
                "arn": f"{_ARN}:service-deployment/{CLUSTER}/{SERVICE}/{count}",
                "status": status,
                "createdAt": created,
                "finishedAt": created + timedelta(minutes=6),
                "target": target,
                "source": source,
            }
        )


def _as_revision(task_definition: str) -> str:
    return f"{_ARN}:service-revision/{CLUSTER}/{SERVICE}/{task_definition.rsplit(':', 1)[-1]}"


class FakeTargets:
    """The health of one target group, which moto always calls healthy."""

    def __init__(self, *states: str) -> None:
        self.states = list(states)

    def describe_target_health(self, TargetGroupArn: str) -> dict[str, Any]:  # noqa: N803
        assert TargetGroupArn == BACKEND_TARGETS
        return {"TargetHealthDescriptions": [{"TargetHealth": {"State": state}} for state in self.states]}

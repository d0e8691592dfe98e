"""One ECS service with a deployment history, which moto lacks; requests are checked against botocore's model."""

from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from tests.activities.checked import Checked
from tests.activities.scopes import ACCOUNT, BACKEND_TARGETS, NOW, REGION

CLUSTER, SERVICE = "axis-cluster", "axis-backend"
_ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}"
SERVICE_ARN = f"{_ARN}:service/{CLUSTER}/{SERVICE}"
_START = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
_UNDER_WAY = ("IN_PROGRESS", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS")


def revision(number: int) -> str:
    """The full ARN of a task definition."""
    return f"{_ARN}:task-definition/{SERVICE}:{number}"


class FakeEcs(Checked):
    """Revision 5 runs and is the newest deployment; 1 to 3 ran well before it, 4 was registered but never deployed."""

    service = "ecs"

    def __init__(self) -> None:
        self.desired = self.running = 3
        self.count = -1
        self.controller = "ECS"
        self.strategy = "REPLICA"
        self.gone = False
        self.inactive: set[int] = set()
        self.forgotten: set[int] = set()  # "You can't describe a service revision that was created before […]"
        self.balancers: list[dict[str, Any]] = []
        self.deployments: list[dict[str, Any]] = []
        self.primary, self.rollout = revision(5), "COMPLETED"
        self.shown: dict[str, Any] = {}
        for number, source in ((1, None), (2, 1), (3, 2), (5, 3)):
            self._deploy(revision(number), revision(source) if source else None, "SUCCESSFUL")

    def settle(self) -> None:
        """Let whatever is under way come to its end."""
        for one in self.deployments:
            if one["status"] in _UNDER_WAY[1:]:
                one["status"] = "ROLLBACK_SUCCESSFUL"
                self._return_to(one["source"])
            elif one["status"] == "IN_PROGRESS":
                one["status"] = "SUCCESSFUL"
        self.rollout = "COMPLETED"

    def take_back(self) -> None:
        """Let ECS itself roll the newest deployment back, as a circuit breaker or an alarm makes it.

        The earlier deployment is primary again at once: "rolling back to deploymentId" (developer guide, deployment
        circuit breaker); the service deployment goes from ROLLBACK_IN_PROGRESS to ROLLBACK_SUCCESSFUL.
        """
        self.deployments[-1]["status"] = "ROLLBACK_IN_PROGRESS"
        self._return_to(self.deployments[-1]["source"])
        self.rollout = "IN_PROGRESS"

    def deploy(self, number: int) -> None:
        """Let somebody deploy a revision, and well."""
        self.update_service(cluster=CLUSTER, service=SERVICE, taskDefinition=revision(number))
        self.settle()

    def describe_services(self, cluster: str, services: list[str]) -> dict[str, Any]:
        if self.gone or (cluster, services) != (CLUSTER, [SERVICE]):
            return {"services": [], "failures": [{"arn": services[0], "reason": "MISSING"}]}
        older = {"status": "ACTIVE", "taskDefinition": revision(99), "rolloutState": "COMPLETED"}
        shown = {"id": f"ecs-svc/{self.shown['arn'].rsplit('/', 1)[-1]}", "createdAt": self.shown["createdAt"]}
        primary = {"status": "PRIMARY", "taskDefinition": self.primary, "rolloutState": self.rollout}
        service = {
            "serviceArn": SERVICE_ARN,
            "status": "ACTIVE",
            # "This is used only when a service uses the ECS deployment controller type" (the shape Deployment)
            "deployments": [older, primary | shown] if self.controller == "ECS" else [],
            "desiredCount": self.desired,
            "runningCount": self.running,
            "deploymentController": {"type": self.controller},
            "schedulingStrategy": self.strategy,
            "loadBalancers": self.balancers,
        }
        return {"services": [service], "failures": []}

    def update_service(
        self,
        cluster: str,
        service: str,
        taskDefinition: str | None = None,  # noqa: N803
        forceNewDeployment: bool = False,  # noqa: N803
        desiredCount: int | None = None,  # noqa: N803
    ) -> dict[str, Any]:
        assert (cluster, service) == (CLUSTER, SERVICE)
        if self.controller != "ECS" and (taskDefinition or forceNewDeployment):
            # UpdateService: only counts and the like "can be updated using this API" under CODE_DEPLOY and EXTERNAL
            raise _error("InvalidParameterException", "UpdateService")
        if desiredCount is not None:
            if self.strategy == "DAEMON":  # "deploys exactly one task on each active container instance" (Service)
                raise _error("InvalidParameterException", "UpdateService")
            self.desired = self.running = desiredCount
        wanted = taskDefinition or self.primary
        if forceNewDeployment or wanted != self.primary:
            for one in self.deployments:
                if one["status"] in _UNDER_WAY:  # "Usurped": a newer deployment replaces the one under way
                    one["status"] = "STOPPED"
            self._deploy(wanted, self.primary, "IN_PROGRESS")
            self.primary, self.rollout = wanted, "IN_PROGRESS"
        return {}

    def stop_service_deployment(self, serviceDeploymentArn: str, stopType: str) -> dict[str, Any]:  # noqa: N803
        one = next(one for one in self.deployments if one["arn"] == serviceDeploymentArn)
        assert stopType == "ROLLBACK"
        if one["status"] != "IN_PROGRESS":  # "conflict in the current state of the resource" (StopServiceDeployment)
            raise _error("ConflictException", "StopServiceDeployment")
        one["status"] = "ROLLBACK_REQUESTED"
        return {"serviceDeploymentArn": serviceDeploymentArn}

    def list_service_deployments(self, service: str, status: list[str] | None = None, **_: Any) -> dict[str, Any]:
        assert service == SERVICE
        if self.controller != "ECS":
            raise _error("UnsupportedFeatureException", "ListServiceDeployments")
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
                if int(arn.rsplit("/", 1)[-1]) not in self.forgotten
            ]
        }

    def describe_task_definition(self, taskDefinition: str) -> dict[str, Any]:  # noqa: N803
        number = int(taskDefinition.rsplit(":", 1)[-1])
        status = "INACTIVE" if number in self.inactive else "ACTIVE"
        return {"taskDefinition": {"taskDefinitionArn": taskDefinition, "status": status}}

    def _deploy(self, target: str, source: str | None, status: str) -> None:
        self.count += 1
        created = _START + timedelta(days=self.count) if status == "SUCCESSFUL" else NOW + timedelta(minutes=self.count)
        self.shown = {
            "arn": f"{_ARN}:service-deployment/{CLUSTER}/{SERVICE}/{self.count}",
            "status": status,
            "createdAt": created,
            "finishedAt": created + timedelta(minutes=6),
            "target": target,
            "source": source,
        }
        self.deployments.append(self.shown)

    def _return_to(self, target: str) -> None:
        self.primary = target
        self.shown = next(one for one in reversed(self.deployments) if one["target"] == target)


def _as_revision(task_definition: str) -> str:
    return f"{_ARN}:service-revision/{CLUSTER}/{SERVICE}/{task_definition.rsplit(':', 1)[-1]}"


def _error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "as AWS would"}}, operation)


class FakeTargets:
    """The health of one target group, which moto always calls healthy; `others` has that of further groups.

    `rule` is what the production rule of a blue/green service forwards to, with the weight of each group.
    """

    def __init__(self, *states: str) -> None:
        self.states = list(states)
        self.others: dict[str, list[str]] = {}
        self.rule: dict[str, int] = {}

    def describe_target_health(self, TargetGroupArn: str) -> dict[str, Any]:  # noqa: N803
        assert TargetGroupArn in {BACKEND_TARGETS, *self.others}
        states = self.others.get(TargetGroupArn, self.states)
        return {"TargetHealthDescriptions": [{"TargetHealth": {"State": state}} for state in states]}

    def describe_rules(self, RuleArns: list[str]) -> dict[str, Any]:  # noqa: N803
        groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in self.rule.items()]
        action = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
        return {"Rules": [{"RuleArn": RuleArns[0], "Actions": [action]}]}

    def describe_listeners(self, ListenerArns: list[str]) -> dict[str, Any]:  # noqa: N803
        action = {"Type": "forward", "TargetGroupArn": next(iter(self.rule))}
        return {"Listeners": [{"ListenerArn": ListenerArns[0], "DefaultActions": [action]}]}

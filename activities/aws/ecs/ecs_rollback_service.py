"""Roll an ECS service back to what last ran well."""

from datetime import UTC
from typing import Any

from activities.action import ChangeAction, RuleError, ServiceParams, iam
from activities.aws.ecs.described_service import described, located, primary, revision, settled, update
from activities.aws.ecs.ecs_history import Deployment, history, last_healthy
from domain.config.approval import ApprovalClass
from domain.config.environment import Service
from domain.model.activity_io import Scope
from domain.model.plan import Plan, State, Verification

_GOING_BACK = ("ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS")
_RUNNING = ("PENDING", "IN_PROGRESS")


class RollbackService(ChangeAction[ServiceParams]):
    """Brings back the task definition of the newest successful deployment that is not the current one.

    The second-newest registered revision is not it: that one may never have run.
    """

    name = "ecs.rollback_service"
    permissions = iam(
        "ecs:DescribeServiceDeployments DescribeServiceRevisions DescribeServices DescribeTaskDefinition",
        "ecs:ListServiceDeployments StopServiceDeployment UpdateService",
        "elasticloadbalancing:DescribeTargetHealth",
    )
    classes = (ApprovalClass.A2,)

    def plan(self, scope: Scope, params: ServiceParams) -> Plan:
        """Find the last healthy deployment; raises `RuleError` when there is none or ECS does not roll it out."""
        ecs = self.clients.client("ecs")
        where = scope.environment.services[params.service]
        service = described(self.clients, located(where))
        _refuse_foreign_controller(service, params.service)
        current = str(primary(service)["taskDefinition"])
        target = _chosen(ecs, where, current, params.service)
        after = str(target.task_definition)
        _refuse_inactive(ecs, after)
        return self.proposed(
            target=service["serviceArn"],
            summary=f"Roll {params.service} back from {revision(current)} to {revision(after)}",
            before={"task_definition": current},
            after={"task_definition": after},
            impact=_impact(params.service, service, current, target),
            context=located(where),
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        """Read the task definition of the primary deployment (`ecs:DescribeServices`)."""
        return {"task_definition": primary(described(self.clients, plan.context))["taskDefinition"]}

    def act(self, scope: Scope, plan: Plan) -> None:
        """Start the way back, by the rollout under way if it would land there, else by a rollout of its own.

        A rollback that is already on its way to the target is left to itself.
        """
        ecs = self.clients.client("ecs")
        wanted = str(plan.after["task_definition"])
        rollout = _unfinished(ecs, plan)
        # stopped with ROLLBACK, a rollout lands where it came from; only if that is our target can it be used
        if rollout is None or _source(ecs, rollout) != wanted:
            update(self.clients, plan.context, taskDefinition=wanted)
        elif rollout["status"] in _RUNNING:
            self.clients.once("ecs").stop_service_deployment(
                serviceDeploymentArn=rollout["serviceDeploymentArn"], stopType="ROLLBACK"
            )

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether the rollout is complete, every task runs and every target answers its health check."""
        service = described(self.clients, plan.context)
        rollout = primary(service)
        wanted, runs = str(plan.after["task_definition"]), str(rollout["taskDefinition"])
        if runs not in (wanted, plan.before["task_definition"]):
            return Verification(done=False, failed=True, message=f"somebody deployed {revision(runs)} meanwhile")
        if runs != wanted:
            return Verification(done=False, message=f"{revision(runs)} is still the primary deployment")
        return settled(self.clients, plan, service)


def _refuse_foreign_controller(service: dict[str, Any], name: str) -> None:
    controller = service.get("deploymentController", {}).get("type", "ECS")
    if controller == "CODE_DEPLOY":
        raise RuleError(f"{name} is deployed by CodeDeploy, which alone can take it back: stop its deployment there")
    if controller != "ECS":
        raise RuleError(f"{name} is deployed by an external controller ({controller}): whoever runs it must roll back")


def _chosen(ecs: Any, where: Service, current: str, name: str) -> Deployment:
    target = last_healthy(history(ecs, where), current)
    if target is None:
        raise RuleError(
            f"{name} has no successful deployment of another revision than {revision(current)} on record "
            "(ECS keeps 90 days): choose a revision by hand"
        )
    return target


def _refuse_inactive(ecs: Any, task_definition: str) -> None:
    """ECS would refuse a deregistered revision only once approved; better before (`ecs:DescribeTaskDefinition`)."""
    status = ecs.describe_task_definition(taskDefinition=task_definition)["taskDefinition"]["status"]
    if status != "ACTIVE":
        raise RuleError(f"{revision(task_definition)}, the last healthy revision, is {status}: register it again")


def _impact(name: str, service: dict[str, Any], current: str, target: Deployment) -> str:
    healthy_at = (target.finished_at or target.created_at).astimezone(UTC)
    return (
        f"All {service['desiredCount']} tasks of {name} are replaced, {revision(current)} by "
        f"{revision(str(target.task_definition))}, last deployed successfully on {healthy_at:%Y-%m-%d at %H:%M} UTC. "
        "Freeze the delivery pipeline first, or it deploys again. "
        "A database migration that came with the newer revision is not taken back and may not suit the older one."
    )


def _unfinished(ecs: Any, plan: Plan) -> dict[str, Any] | None:
    """Describe the newest service deployment that is under way (`ecs:DescribeServiceDeployments`)."""
    listed = ecs.list_service_deployments(
        cluster=plan.context["cluster"], service=plan.context["service"], status=[*_RUNNING, *_GOING_BACK]
    )["serviceDeployments"]
    if not listed:
        return None
    newest = max(listed, key=lambda brief: brief["createdAt"])["serviceDeploymentArn"]
    found = ecs.describe_service_deployments(serviceDeploymentArns=[newest])["serviceDeployments"]
    return dict(found[0]) if found else None


def _source(ecs: Any, deployment: dict[str, Any]) -> str | None:
    """The task definition that a rollback lands on; None when it has several sources or none."""
    sources = [one["arn"] for one in deployment.get("sourceServiceRevisions", [])]
    if len(sources) != 1:
        return None
    revisions = ecs.describe_service_revisions(serviceRevisionArns=sources)["serviceRevisions"]
    return str(revisions[0]["taskDefinition"]) if revisions else None

"""Roll an ECS service back to what last ran well."""

from datetime import UTC, datetime
from typing import Any

from activities.action import ChangeAction, Clients, RuleError, ServiceParams, iam
from activities.aws.ecs.described_service import (
    SETTLE_PERMISSIONS,
    created_at,
    described,
    located,
    primary,
    refuse_other_controllers,
    revision,
    settled,
    update,
)
from activities.aws.ecs.ecs_history import ENDED_BADLY, GOING_BACK, RUNNING, Deployment, history
from activities.aws.ecs.ecs_past import PAST_PERMISSIONS, Past, past_of
from domain.config.approval import ApprovalClass
from domain.model.calls import Scope
from domain.model.plan import Plan, State, Verification


class RollbackService(ChangeAction[ServiceParams]):
    """Brings back the task definition of the newest deployment that succeeded and that nobody rolled back from since.

    A service that we rolled back already, or ECS itself and it is well, is where it belongs: asked for again, nothing
    changes. What ECS takes back at this moment is left to it.
    """

    name = "ecs.rollback_service"
    permissions = iam(
        *PAST_PERMISSIONS,
        SETTLE_PERMISSIONS,
        "ecs:DescribeServiceDeployments DescribeServices DescribeTaskDefinition StopServiceDeployment UpdateService",
    )
    classes = (ApprovalClass.A2,)

    def plan(self, scope: Scope, params: ServiceParams) -> Plan:
        """Find the last good deployment; raises `RuleError` when there is none, or it is not ours to bring back."""
        name, at = params.service, located(scope.environment.services[params.service])
        service = described(self.clients, at)
        refuse_other_controllers(service, name, "roll back")
        past = past_of(self.clients, scope, at, service, once=True)
        if past.going_back:
            raise RuleError(f"ECS is rolling {name} back by itself at this moment: leave it to that, and look again")
        before, back = {"task_definition": past.current}, past.brought_back()
        # ECS goes back to what was complete before, which may be what broke: then it is no place to stay at
        if back and (back.by_us or settled(self.clients, at, service).done):
            return self.proposed(
                target=service["serviceArn"],
                summary=f"{name} runs {revision(past.current)}: {back.why}, {back.at.astimezone(UTC):%d %b %H:%M} UTC",
                before=before,
                after=before,
                impact="None: it is done. To go back further, deploy a revision by hand.",
                context=at,
            )
        target = _chosen(past, name)
        after = str(target.task_definition)
        _refuse_inactive(self.clients, after)
        return self.proposed(
            target=service["serviceArn"],
            summary=f"Roll {name} back from {revision(past.current)} to {revision(after)}",
            before=before,
            after={"task_definition": after},
            impact=_impact(name, service, past, target),
            context=at | {"since": created_at(service)},
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        """Read the task definition of the primary deployment (`ecs:DescribeServices`)."""
        return {"task_definition": primary(described(self.clients, plan.context))["taskDefinition"]}

    def act(self, scope: Scope, plan: Plan) -> None:
        """Start the way back, by the rollout under way if it would land there, else by a rollout of its own.

        A rollback that is already on its way is left to itself; raises `RuleError` when it leads elsewhere.
        """
        ecs = self.clients.client("ecs")
        wanted = str(plan.after["task_definition"])
        rollout = _unfinished(ecs, plan)
        # taken back, a rollout lands where it came from; only if that is our target can it be used
        lands = _source(ecs, rollout) if rollout else None
        if rollout and rollout["status"] in GOING_BACK:
            if lands != wanted:
                where = revision(lands) if lands else "another revision"
                raise RuleError(f"ECS has begun to roll back to {where} by itself: plan again once it has")
        elif rollout and lands == wanted:
            self.clients.once("ecs").stop_service_deployment(
                serviceDeploymentArn=rollout["serviceDeploymentArn"], stopType="ROLLBACK"
            )
        else:
            update(self.clients, plan.context, taskDefinition=wanted)

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether the rollout is complete, every task runs and every target answers its health check.

        A rollout that another one replaced, or that ECS took back in its turn, has failed.
        """
        service = described(self.clients, plan.context)
        wanted, runs = str(plan.after["task_definition"]), str(primary(service)["taskDefinition"])
        if runs == wanted:
            return settled(self.clients, plan.context, service)
        if runs != plan.before["task_definition"]:
            return Verification(done=False, failed=True, message=f"somebody deployed {revision(runs)} meanwhile")
        if lost := self._lost(plan):
            return Verification(done=False, failed=True, message=f"{revision(runs)} runs again: {lost}")
        return Verification(done=False, message=f"{revision(runs)} is still the primary deployment")

    def _lost(self, plan: Plan) -> str | None:
        """Why the planned revision will not come, by the newest deployment (`ecs:ListServiceDeployments`)."""
        newest = next(iter(history(self.clients, plan.context)), None)
        if newest is None:
            return None
        if newest.task_definition == plan.after["task_definition"]:
            return f"its rollout is {newest.status}" if newest.status in ENDED_BADLY else None
        again = newest.created_at > datetime.fromisoformat(str(plan.context["since"]))
        if again and newest.status in RUNNING | {"SUCCESSFUL"}:
            return "somebody deployed it again"
        return f"taking it back is {newest.status}" if newest.status in {"STOPPED", "ROLLBACK_FAILED"} else None


def _chosen(past: Past, name: str) -> Deployment:
    target = past.last_good()
    if target is None:
        bad = "; ".join(f"{revision(one)} was {left.why}" for one, left in past.left().items() if one != past.current)
        raise RuleError(
            f"{name} has no successful deployment of another revision than {revision(past.current)} on record that "
            f"nobody rolled back from (ECS keeps 90 days{'; ' if bad else ''}{bad}): choose a revision by hand"
        )
    return target


def _refuse_inactive(clients: Clients, task_definition: str) -> None:
    """ECS would refuse a deregistered revision only once approved; better before (`ecs:DescribeTaskDefinition`)."""
    found = clients.client("ecs").describe_task_definition(taskDefinition=task_definition)["taskDefinition"]
    if found["status"] != "ACTIVE":
        status = found["status"]
        raise RuleError(f"{revision(task_definition)}, the last healthy revision, is {status}: register it again")


def _impact(name: str, service: dict[str, Any], past: Past, target: Deployment) -> str:
    passed = [f"{revision(one)} ({left.why})" for one, left in past.left().items() if one != past.current]
    over = f"Passed over, as rolled back from before: {', '.join(sorted(passed))}. " if passed else ""
    if past.ledger_unread:
        over += "What our own incidents rolled back could not be read: make sure that this revision is none of it. "
    return (
        f"All {service['desiredCount']} tasks of {name} are replaced, {revision(past.current)} by "
        f"{revision(str(target.task_definition))}, last deployed successfully on "
        f"{target.ended_at.astimezone(UTC):%Y-%m-%d at %H:%M} UTC. {over}"
        "Freeze the delivery pipeline first, or it deploys again. "
        "A database migration that came with the newer revision is not taken back and may not suit the older one."
    )


def _unfinished(ecs: Any, plan: Plan) -> dict[str, Any] | None:
    """Describe the newest service deployment that is under way (`ecs:DescribeServiceDeployments`)."""
    listed = ecs.list_service_deployments(
        cluster=plan.context["cluster"], service=plan.context["service"], status=sorted(RUNNING | GOING_BACK)
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

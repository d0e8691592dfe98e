"""Start every task of a service anew, as it stands."""

from datetime import datetime
from typing import Any

from activities.action import ChangeAction, DatabaseName, ServiceParams, iam
from activities.aws.ecs.described_service import (
    SETTLE_PERMISSIONS,
    created_at,
    described,
    located,
    primary,
    refuse_other_controllers,
    settled,
    update,
)
from activities.aws.ecs.ecs_history import undone
from domain.config.approval import ApprovalClass
from domain.model.calls import Scope
from domain.model.plan import Plan, State, Verification

_POOL_SHARE = 0.8
"""How much of a database's connections the pools of all tasks together may take."""


class RestartParams(ServiceParams):
    """`database` is what the service's pools lead to; with it the plan says how large they may be."""

    database: DatabaseName | None = None


class RestartService(ChangeAction[RestartParams]):
    """Rolls out the same task definition again, so that every task starts anew.

    Every call of that kind is a deployment of its own, so the state names the deployment: what was planned on, or
    `newer than` it. A newer one of another task definition is somebody else's.
    """

    name = "app.restart"
    permissions = iam("ecs:DescribeServices ListServiceDeployments UpdateService", SETTLE_PERMISSIONS)
    classes = (ApprovalClass.A2,)
    irreversible = "tasks that were replaced do not come back, and need not"

    def plan(self, scope: Scope, params: RestartParams) -> Plan:
        """Name the deployment that runs now; raises `RuleError` without such a service, or where others deploy it."""
        at = located(scope.environment.services[params.service])
        service = described(self.clients, at)
        refuse_other_controllers(service, params.service, "start a deployment of the same revision")
        before = deployment_now(service)
        return self.proposed(
            target=service["serviceArn"],
            summary=f"Restart the {service['desiredCount']} tasks of {params.service}",
            before=before,
            after=after_restart(before),
            impact=_impact(scope, params, service),
            context=at | {"since": created_at(service)},
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        """Read whether a newer deployment than the planned one is the primary one (`ecs:DescribeServices`)."""
        return deployment_since(plan, described(self.clients, plan.context))

    def act(self, scope: Scope, plan: Plan) -> None:
        """Force a new deployment; called only while there is none newer than the planned one."""
        update(self.clients, plan.context, forceNewDeployment=True)

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether the newer deployment is complete and every target answers its health check.

        One that another replaced, or that ECS took back, has failed.
        """
        service = described(self.clients, plan.context)
        now = deployment_since(plan, service)
        if now["task_definition"] != plan.after["task_definition"]:
            return Verification(done=False, failed=True, message="somebody deployed another revision meanwhile")
        if now == plan.after:
            return settled(self.clients, plan.context, service)
        if ended := undone(self.clients, plan.context, str(plan.context["since"])):
            return Verification(done=False, failed=True, message=ended)
        return Verification(done=False, message="the new deployment is not the primary one yet")


def deployment_now(service: dict[str, Any]) -> State:
    """The primary deployment and its task definition."""
    now = primary(service)
    return {"deployment": now["id"], "task_definition": now["taskDefinition"]}


def deployment_since(plan: Plan, service: dict[str, Any]) -> State:
    """The primary deployment as `newer than` the planned one, where it is another one that began after it."""
    now, known = primary(service), str(plan.before["deployment"])
    # an earlier one may become primary again by a rollback of ECS's own: that is no restart
    newer = now["id"] != known and now["createdAt"] > datetime.fromisoformat(str(plan.context["since"]))
    return {"deployment": _newer(known) if newer else now["id"], "task_definition": now["taskDefinition"]}


def after_restart(before: State) -> State:
    return {**before, "deployment": _newer(str(before["deployment"]))}


def _newer(deployment: str) -> str:
    return f"newer than {deployment}"


def _impact(scope: Scope, params: RestartParams, service: dict[str, Any]) -> str:
    tasks = int(service["desiredCount"])
    sentences = [
        f"Each of the {tasks} tasks of {params.service} is replaced by a new one, a few at a time.",
        "What a task is doing when it ends is cut off. A restart cannot be undone, and need not be.",
    ]
    if len(service["deployments"]) > 1:
        sentences.append("A deployment is under way already: this one supersedes it.")
    if params.database is not None and tasks:
        limit = scope.environment.databases[params.database].max_connections
        sentences.append(
            f"All connections of {params.service} to {params.database} are closed and opened anew. A larger pool "
            f"makes exhaustion worse: {tasks} tasks may have at most {int(_POOL_SHARE * limit / tasks)} connections "
            f"each, 80 % of its {limit}."
        )
    return " ".join(sentences)

"""Run more tasks of an ECS service, and keep autoscaling from taking them away again."""

from math import ceil

from pydantic import Field

from activities.action import ChangeAction, Params, RuleError, ServiceName, iam
from activities.aws.ecs.described_service import described, located, scaling, set_scaling, update
from domain.config.approval import ApprovalClass
from domain.model.activity_io import Scope
from domain.model.plan import Plan, State, Verification


class ScaleParams(Params):
    """`count` is how many tasks there shall be at least; without it, half as many again, two more at least."""

    service: ServiceName
    count: int | None = Field(default=None, ge=1)


class ScaleService(ChangeAction[ScaleParams]):
    """Raises the desired count and autoscaling's minimum, never past its maximum and never downwards.

    Without the minimum autoscaling would scale in again.
    """

    name = "ecs.scale_service"
    permissions = iam(
        "application-autoscaling:DescribeScalableTargets RegisterScalableTarget", "ecs:DescribeServices UpdateService"
    )
    classes = (ApprovalClass.A1,)

    def plan(self, scope: Scope, params: ScaleParams) -> Plan:
        """Work out the counts from what runs now; raises `RuleError` when autoscaling's maximum is in the way."""
        at = located(scope.environment.services[params.service])
        service, limits = described(self.clients, at), scaling(self.clients, at)
        current = int(service["desiredCount"])
        minimum, maximum = (limits["MinCapacity"], limits["MaxCapacity"]) if limits else (None, None)
        floor = _floor(params, current, maximum)
        before = {"desired_count": current, "minimum": minimum}
        after = {"desired_count": max(current, floor), "minimum": None if minimum is None else max(minimum, floor)}
        return self.proposed(
            target=service["serviceArn"],
            summary=f"Scale {params.service} from {current} to {after['desired_count']} tasks",
            before=before,
            after=after,
            impact=_impact(params.service, before, after, maximum),
            context=at,
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        """Read both counts (`ecs:DescribeServices`, `application-autoscaling:DescribeScalableTargets`)."""
        limits = scaling(self.clients, plan.context)
        return {
            "desired_count": int(described(self.clients, plan.context)["desiredCount"]),
            "minimum": int(limits["MinCapacity"]) if limits else None,
        }

    def act(self, scope: Scope, plan: Plan) -> None:
        """Set the minimum, then the desired count; both absolute, so a second time changes nothing."""
        # the minimum first: in between autoscaling would take the new tasks away again
        if plan.after["minimum"] != plan.before["minimum"]:
            set_scaling(self.clients, plan.context, MinCapacity=plan.after["minimum"])
        if plan.after["desired_count"] != plan.before["desired_count"]:
            update(self.clients, plan.context, desiredCount=plan.after["desired_count"])

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether as many tasks run as were asked for."""
        service = described(self.clients, plan.context)
        running, desired = int(service["runningCount"]), int(service["desiredCount"])
        wanted = int(plan.after["desired_count"])
        grows = wanted >= int(plan.before["desired_count"])
        # Autoscaling may go above what we raised to, on its own account; below it must not.
        reached = desired >= wanted and running >= wanted if grows else desired == running == wanted
        return Verification(done=reached, message=f"{running} of {desired} tasks running, {wanted} wanted")


def _floor(params: ScaleParams, current: int, maximum: int | None) -> int:
    """How many tasks there shall be at least."""
    if maximum is not None and (params.count or current + 1) > maximum:
        asked = f"{params.count} tasks" if params.count else f"more than the {current} tasks there are"
        raise RuleError(
            f"{asked} of {params.service} would pass autoscaling's maximum of {maximum}: "
            f"ask for {maximum} at most, or have the maximum raised first"
        )
    if params.count is not None:
        return params.count
    policy = max(current + 2, ceil(current * 1.5))
    return policy if maximum is None else min(maximum, policy)


def _impact(name: str, before: State, after: State, maximum: int | None) -> str:
    tasks = f"{after['desired_count']} tasks of {name} run instead of {before['desired_count']}. "
    if before["minimum"] is None:
        limits = "Autoscaling does not look after this service. "
    elif before["minimum"] == after["minimum"]:
        limits = f"Autoscaling's minimum stays {before['minimum']}, its maximum {maximum}. "
    else:
        limits = (
            f"Autoscaling's minimum goes from {before['minimum']} to {after['minimum']}, its maximum stays {maximum}. "
        )
    return f"{tasks}{limits}Every further task opens further database connections: check their number first."

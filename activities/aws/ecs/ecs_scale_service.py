"""Run more tasks of an ECS service, and keep autoscaling from taking them away again."""

from math import ceil

from pydantic import Field

from activities.action import ChangeAction, RuleError, ServiceParams, iam
from activities.aws.ecs.described_service import described, located, refuse_daemon, scaling, set_scaling, update
from domain.config.approval import ApprovalClass
from domain.model.calls import Scope
from domain.model.plan import Plan, State, Verification, foreign_fields

_COUNT, _MINIMUM = "desired_count", "minimum"


class ScaleParams(ServiceParams):
    """`count` is how many tasks there shall be at least; without it, half as many again, two more at least."""

    count: int | None = Field(default=None, ge=1)


class ScaleService(ChangeAction[ScaleParams]):
    """Raises autoscaling's minimum, never past its maximum and never downwards; without autoscaling, the count.

    Autoscaling keeps the count at its minimum or above, and moves it as it sees fit: of a service that scales by itself
    the state is the minimum alone, and an undo puts that back.
    """

    name = "ecs.scale_service"
    permissions = iam(
        "application-autoscaling:DescribeScalableTargets RegisterScalableTarget", "ecs:DescribeServices UpdateService"
    )
    classes = (ApprovalClass.A1,)

    def plan(self, scope: Scope, params: ScaleParams) -> Plan:
        """Work out the counts from what runs now; raises `RuleError` when a maximum or a daemon is in the way."""
        name, at = params.service, located(scope.environment.services[params.service])
        service, limits = described(self.clients, at), scaling(self.clients, at)
        refuse_daemon(service, name, "it grows with the instances of its cluster")
        current = int(service["desiredCount"])
        minimum, maximum = (limits["MinCapacity"], limits["MaxCapacity"]) if limits else (None, None)
        if minimum is not None and current < minimum:
            raise RuleError(
                f"{name} stands at {current}, below autoscaling's minimum of {minimum}: undo its stop first"
            )
        floor = _floor(params, current, maximum)
        before = {_COUNT: current} if minimum is None else {_MINIMUM: minimum}
        wanted = max(current, floor)
        return self.proposed(
            target=service["serviceArn"],
            summary=f"Scale {name} from {current} to {wanted} tasks",
            before=before,
            after={field: max(value, floor) for field, value in before.items()},
            impact=_impact(name, (current, wanted), minimum, max(minimum or 0, floor), maximum),
            context=at | {"wanted": wanted},
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        """Read autoscaling's minimum, or the count (`DescribeScalableTargets`, `ecs:DescribeServices`)."""
        limits = scaling(self.clients, plan.context)
        if _MINIMUM in plan.after:
            return {_MINIMUM: int(limits["MinCapacity"]) if limits else None}
        return {_COUNT: int(described(self.clients, plan.context)["desiredCount"])}

    def act(self, scope: Scope, plan: Plan) -> None:
        """Set the minimum, to which autoscaling brings the count at once, or the count; a second time changes nothing.

        The count of a service that scales by itself is never set: it may be higher by now, and for a reason.
        """
        if _MINIMUM in plan.after:
            set_scaling(self.clients, plan.context, MinCapacity=plan.after[_MINIMUM])
        else:
            update(self.clients, plan.context, desiredCount=plan.after[_COUNT])

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether as many tasks run as were asked for; undone, as many as autoscaling or the count says."""
        service = described(self.clients, plan.context)
        running, desired = int(service["runningCount"]), int(service["desiredCount"])
        grows = all(value >= plan.before[field] for field, value in plan.after.items())
        wanted = int(plan.context["wanted"]) if grows else desired
        # Autoscaling may go above what we raised to, on its own account; below it must not.
        reached = desired >= wanted and running >= wanted if grows else running == desired
        now = self.read(scope, plan)
        if foreign := foreign_fields(now, plan):
            return Verification(done=False, failed=True, message=f"somebody else set the {foreign[0]} meanwhile")
        done = reached and now == plan.after
        return Verification(done=done, message=f"{running} of {desired} tasks running, {wanted} wanted")


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


def _impact(name: str, counts: tuple[int, int], minimum: int | None, raised: int, maximum: int | None) -> str:
    tasks = f"{counts[1]} tasks of {name} run instead of {counts[0]}. "
    if minimum is None:
        limits = "Autoscaling does not look after this service. "
    elif minimum == raised:
        limits = f"Autoscaling's minimum stays {minimum}, its maximum {maximum}. "
    else:
        limits = (
            f"Autoscaling's minimum goes from {minimum} to {raised}, its maximum stays {maximum}. An undo puts the "
            "minimum back, and autoscaling takes the tasks away when it sees fit. "
        )
    return f"{tasks}{limits}Every further task opens further database connections: check their number first."

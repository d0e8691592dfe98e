"""Stop ECS services, and keep autoscaling from starting them again."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from activities.action import ChangeAction, Params, ServiceName, iam
from activities.aws.ecs.described_service import described, located, scaling, set_scaling, update
from activities.aws.shared.addresses import listed
from activities.aws.shared.protection import refuse_protected
from domain.config.approval import ApprovalClass
from domain.model.activity_io import Scope
from domain.model.plan import Plan, State, Verification

_SUSPENSIONS = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
_ALL_SUSPENDED = dict.fromkeys(_SUSPENSIONS, True)


class StopParams(Params):
    """`services` are the logical names of what to stop."""

    services: Annotated[tuple[ServiceName, ...], BeforeValidator(listed)] = Field(min_length=1)


class StopService(ChangeAction[StopParams]):
    """Suspends the autoscaling of services, then sets their desired count to 0; an undo restores both.

    Each service's state is four fields: `<name>.desired`, `<name>.suspended`, and autoscaling's `<name>.minimum` and
    `<name>.maximum`, which stay and are restored with the rest; the latter three are null without autoscaling.
    """

    name = "ecs.stop_service"
    permissions = iam(
        "application-autoscaling:DescribeScalableTargets RegisterScalableTarget", "ecs:DescribeServices UpdateService"
    )
    classes = (ApprovalClass.A2,)

    def plan(self, scope: Scope, params: StopParams) -> Plan:
        """Read what runs; raises `RuleError` for a service that is not there or is protected."""
        names = list(dict.fromkeys(params.services))
        context: State = {}
        running, arns = 0, []
        for name in names:
            where = scope.environment.services[name]
            context[name] = located(where)
            service = described(self.clients, context[name])
            refuse_protected(scope.environment, (service["serviceArn"], where.service, where.cluster))
            running += int(service["runningCount"])
            arns.append(str(service["serviceArn"]))
        before = self._state(context)
        return self.proposed(
            target=arns[0],
            summary=f"Stop {' and '.join(names)}: {running} tasks end",
            before=before,
            after={field: _stopped(field, value) for field, value in before.items()},
            impact=_impact(names, running),
            locks=arns,
            context=context,
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        """Read counts and suspensions (`ecs:DescribeServices`, `application-autoscaling:DescribeScalableTargets`)."""
        return self._state(plan.context)

    def act(self, scope: Scope, plan: Plan) -> None:
        """Set suspension and count of every service; both absolute, so a second time changes nothing.

        Stopping, autoscaling is suspended first, or it would start tasks again; coming back it is resumed last.
        """
        for name in plan.context:
            steps = [self._suspend, self._count]
            for step in steps if plan.after[f"{name}.desired"] == 0 else reversed(steps):
                step(plan, name)

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether as many tasks run as planned; ending tasks drain first, for up to minutes."""
        now = self.read(scope, plan)
        parts, done = [], now == plan.after
        for name, where in plan.context.items():
            service = described(self.clients, where)
            running, pending = int(service["runningCount"]), int(service["pendingCount"])
            wanted = int(plan.after[f"{name}.desired"])
            done = done and running == wanted and pending == 0
            parts.append(f"{name}: {running} tasks running, {pending} pending, {wanted} wanted")
        return Verification(done=done, message="; ".join(parts))

    def _suspend(self, plan: Plan, name: str) -> None:
        field = f"{name}.suspended"
        if plan.after[field] != plan.before[field]:
            set_scaling(
                self.clients,
                plan.context[name],
                MinCapacity=plan.after[f"{name}.minimum"],
                MaxCapacity=plan.after[f"{name}.maximum"],
                SuspendedState=plan.after[field],
            )

    def _count(self, plan: Plan, name: str) -> None:
        field = f"{name}.desired"
        if plan.after[field] != plan.before[field]:
            update(self.clients, plan.context[name], desiredCount=plan.after[field])

    def _state(self, context: State) -> State:
        state: State = {}
        for name, where in context.items():
            service = described(self.clients, where)
            limits = scaling(self.clients, where)
            suspended = limits.get("SuspendedState") or {} if limits else {}
            state |= {
                f"{name}.desired": int(service["desiredCount"]),
                f"{name}.minimum": int(limits["MinCapacity"]) if limits else None,
                f"{name}.maximum": int(limits["MaxCapacity"]) if limits else None,
                f"{name}.suspended": {one: bool(suspended.get(one)) for one in _SUSPENSIONS} if limits else None,
            }
        return state


def _stopped(field: str, value: Any) -> Any:
    """What a field of a running service becomes."""
    if field.endswith(".desired"):
        return 0
    return _ALL_SUSPENDED if field.endswith(".suspended") and value is not None else value


def _impact(names: list[str], running: int) -> str:
    return (
        f"All {running} tasks of {' and '.join(names)} end, after their connections have drained; autoscaling is "
        "suspended so that it starts none. The portal is down for everybody, clinical users included, until this is "
        "undone. What the tasks hold in memory and on their own disks is lost: capture it first. It does not stop "
        "anybody who holds credentials of the database or of AWS."
    )

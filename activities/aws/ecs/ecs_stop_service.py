"""Stop ECS services, and keep autoscaling from starting them again."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from activities.action import ChangeAction, Params, ServiceName, iam
from activities.aws.ecs.described_service import described, located, refuse_daemon, scaling, set_scaling, update
from activities.aws.shared.addresses import listed
from activities.aws.shared.protection import refuse_protected
from domain.config.approval import ApprovalClass
from domain.model.activity_io import Scope
from domain.model.plan import Plan, State, Verification, foreign_fields

_SUSPENSIONS = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
_ALL_SUSPENDED = dict.fromkeys(_SUSPENSIONS, True)
_DESIRED, _MINIMUM, _SUSPENDED = "desired", "minimum", "suspended"


class StopParams(Params):
    """`services` are the logical names of what to stop."""

    services: Annotated[tuple[ServiceName, ...], BeforeValidator(listed)] = Field(min_length=1)


class StopService(ChangeAction[StopParams]):
    """Suspends the autoscaling of services and its minimum, then sets their count to 0; an undo restores all of it.

    Each service's state is three fields: `<name>.desired`, which moves by itself, and autoscaling's `<name>.minimum`
    and `<name>.suspended`, null without autoscaling. With a minimum above 0, any later registration of the target would
    start tasks again, whoever makes it.
    """

    name = "ecs.stop_service"
    permissions = iam(
        "application-autoscaling:DescribeScalableTargets RegisterScalableTarget", "ecs:DescribeServices UpdateService"
    )
    classes = (ApprovalClass.A2,)

    def plan(self, scope: Scope, params: StopParams) -> Plan:
        """Read what runs; raises `RuleError` for a service that is not there, is protected, or takes no count."""
        names = list(dict.fromkeys(params.services))
        context: State = {}
        running, arns = 0, []
        for name in names:
            where = scope.environment.services[name]
            context[name] = located(where)
            service = described(self.clients, context[name])
            refuse_protected(scope.environment, (service["serviceArn"], where.service, where.cluster))
            refuse_daemon(service, name, "it ends with the instances of its cluster; isolate its network instead")
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
            moving=tuple(f"{name}.{_DESIRED}" for name in names),
            context=context,
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        """Read counts and suspensions (`ecs:DescribeServices`, `application-autoscaling:DescribeScalableTargets`)."""
        return self._state(plan.context)

    def act(self, scope: Scope, plan: Plan) -> None:
        """Set limits and count of every service where they are not as wanted; a second time changes nothing.

        Stopping, autoscaling is suspended first, or it would start tasks again; coming back it is resumed last.
        """
        now = self._state(plan.context)
        for name in plan.context:
            steps = [self._limit, self._count]
            for step in steps if plan.after[f"{name}.{_DESIRED}"] == 0 else reversed(steps):
                step(plan, name, now)

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether as many tasks run as shall; ending tasks drain first, for up to minutes."""
        now = self.read(scope, plan)
        if foreign := foreign_fields(now, plan):
            return Verification(done=False, failed=True, message=f"somebody else set {', '.join(foreign)} meanwhile")
        parts, done = [], all(now[field] == value for field, value in plan.after.items() if field not in plan.moving)
        for name, where in plan.context.items():
            service = described(self.clients, where)
            running, pending = int(service["runningCount"]), int(service["pendingCount"])
            field = f"{name}.{_DESIRED}"
            # once it is started again, autoscaling moves the count as it sees fit
            moved = plan.after[field] > 0 and now[f"{name}.{_MINIMUM}"] is not None
            wanted = int((now if moved else plan.after)[field])
            done = done and running == now[field] == wanted and pending == 0
            parts.append(f"{name}: {running} tasks running, {pending} pending, {wanted} wanted")
        return Verification(done=done, message="; ".join(parts))

    def _limit(self, plan: Plan, name: str, now: State) -> None:
        minimum, suspended = f"{name}.{_MINIMUM}", f"{name}.{_SUSPENDED}"
        if any(now[field] != plan.after[field] for field in (minimum, suspended)):
            # together: with the old minimum, the suspension alone would start what has been stopped by then
            set_scaling(
                self.clients,
                plan.context[name],
                MinCapacity=plan.after[minimum],
                SuspendedState=plan.after[suspended],
            )

    def _count(self, plan: Plan, name: str, now: State) -> None:
        field = f"{name}.{_DESIRED}"
        wanted = int(plan.after[field])
        if now[field] > 0 if wanted == 0 else now[field] < wanted:
            update(self.clients, plan.context[name], desiredCount=wanted)

    def _state(self, context: State) -> State:
        state: State = {}
        for name, where in context.items():
            service = described(self.clients, where)
            limits = scaling(self.clients, where)
            suspended = limits.get("SuspendedState") or {} if limits else {}
            state |= {
                f"{name}.{_DESIRED}": int(service["desiredCount"]),
                f"{name}.{_MINIMUM}": int(limits["MinCapacity"]) if limits else None,
                f"{name}.{_SUSPENDED}": {one: bool(suspended.get(one)) for one in _SUSPENSIONS} if limits else None,
            }
        return state


def _stopped(field: str, value: Any) -> Any:
    """What a field of a running service becomes."""
    what = field.rsplit(".", 1)[-1]
    if what == _DESIRED or (what == _MINIMUM and value is not None):
        return 0
    return _ALL_SUSPENDED if what == _SUSPENDED and value is not None else value


def _impact(names: list[str], running: int) -> str:
    return (
        f"All {running} tasks of {' and '.join(names)} end, however many there are by then, after their connections "
        "have drained; autoscaling is suspended, its minimum 0, so that it starts none. The portal is down for "
        "everybody, clinical users included, until this is undone. What the tasks hold in memory and on their own "
        "disks is lost: capture it first. It does not stop anybody who holds credentials of the database or of AWS."
    )

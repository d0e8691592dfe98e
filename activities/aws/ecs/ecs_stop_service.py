"""Stop ECS services, and keep autoscaling from starting them again."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from activities.action import Clients, Params, RuleError, ServiceName, iam
from activities.aws.ecs.described_service import described, located, refuse_daemon, scaling, set_scaling, update
from activities.aws.shared.addresses import listed
from activities.aws.shared.pieces import CompositeChange, Piece
from activities.aws.shared.protection import refuse_protected
from domain.config.approval import ApprovalClass
from domain.model.calls import Scope
from domain.model.plan import Plan, State, Verification, foreign_fields

_SUSPENSIONS = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
_AT_REST = {"minimum": 0, "suspended": dict.fromkeys(_SUSPENSIONS, True)}
_COUNT, _SCALING = "desired", "scaling"


class StopParams(Params):
    """`services` are the logical names of what to stop."""

    services: Annotated[tuple[ServiceName, ...], BeforeValidator(listed)] = Field(min_length=1)


class StopService(CompositeChange[StopParams]):
    """Suspends the autoscaling of services and its minimum, then sets their count to 0; an undo restores all of it.

    Each service has two pieces: `<name>.scaling`, null without autoscaling, and `<name>.desired`, which moves by
    itself. With a minimum above 0, any later registration of the target would start tasks again, whoever makes it.
    So of a service that ran no task, an undo leaves such a minimum alone, and says so.
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
        after = {f"{name}.{what}": value for name in names for what, value in ((_SCALING, _AT_REST), (_COUNT, 0))}
        before = self.values(scope, after, context)
        return self.proposed(
            target=arns[0],
            summary=f"Stop {' and '.join(names)}: {running} tasks end",
            before=before,
            after={field: None if before[field] is None else value for field, value in after.items()},
            impact=_impact(names, running) + _left_suspended(names, before),
            locks=arns,
            moving=tuple(f"{name}.{_COUNT}" for name in names),
            context=context,
        )

    def pieces(self, scope: Scope, wanted: State, context: State) -> Iterator[tuple[str, Piece]]:
        """Stopping, autoscaling is suspended first, or it would start tasks again; coming back it is resumed last."""
        for name, at in context.items():
            at_rest = wanted.get(f"{name}.{_COUNT}") == 0
            first: tuple[str, Piece] = (f"{name}.{_SCALING}", _Scaling(self.clients, at, at_rest))
            both = [first, (f"{name}.{_COUNT}", _Count(self.clients, at))]
            yield from both if at_rest else reversed(both)

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether as many tasks run as shall; ending tasks drain first, for up to minutes."""
        now = self.read(scope, plan)
        if foreign := foreign_fields(now, plan):
            return Verification(done=False, failed=True, message=f"somebody else set {', '.join(foreign)} meanwhile")
        done = all(now[field] == value for field, value in plan.after.items() if field not in plan.moving)
        parts = []
        for name in [name for name in plan.context if f"{name}.{_COUNT}" in plan.after]:
            field = f"{name}.{_COUNT}"
            service = described(self.clients, plan.context[name])
            running, pending = int(service["runningCount"]), int(service["pendingCount"])
            # once it is started again, autoscaling moves the count as it sees fit
            moved = plan.after[field] > 0 and now.get(f"{name}.{_SCALING}", _AT_REST) is not None
            wanted = int((now if moved else plan.after)[field])
            done = done and running == now[field] == wanted and pending == 0
            parts.append(f"{name}: {running} tasks running, {pending} pending, {wanted} wanted")
        return Verification(done=done, message="; ".join(parts))


@dataclass(frozen=True)
class _Scaling:
    """Autoscaling's minimum and suspensions, set together: with the old minimum, what was stopped would start.

    While the service is to stay `at_rest`, a minimum above 0 is refused.
    """

    clients: Clients
    at: State
    at_rest: bool

    def read(self) -> Any:
        limits = scaling(self.clients, self.at)
        if limits is None:
            return None
        suspended = limits.get("SuspendedState") or {}
        return {
            "minimum": int(limits["MinCapacity"]),
            "suspended": {one: bool(suspended.get(one)) for one in _SUSPENSIONS},
        }

    def set(self, value: Any) -> None:
        if self.at_rest and value["minimum"]:
            raise RuleError(
                f"no task ran before, and its minimum of {value['minimum']} would start some: it stays suspended with "
                "the minimum 0; set both by hand once it shall run"
            )
        set_scaling(self.clients, self.at, MinCapacity=value["minimum"], SuspendedState=value["suspended"])


@dataclass(frozen=True)
class _Count:
    """How many tasks there shall be; one that is to come back is never lowered."""

    clients: Clients
    at: State

    def read(self) -> Any:
        return int(described(self.clients, self.at)["desiredCount"])

    def set(self, value: Any) -> None:
        if value == 0 or self.read() < value:
            update(self.clients, self.at, desiredCount=value)


def _impact(names: list[str], running: int) -> str:
    return (
        f"All {running} tasks of {' and '.join(names)} end, however many there are by then, after their connections "
        "have drained; autoscaling is suspended, its minimum 0, so that it starts none. The portal is down for "
        "everybody, clinical users included, until this is undone. What the tasks hold in memory and on their own "
        "disks is lost: capture it first. It does not stop anybody who holds credentials of the database or of AWS."
    )


def _left_suspended(names: list[str], before: State) -> str:
    """What an undo does not put back, lest it start tasks where none ran."""
    at = {name: (before[f"{name}.{_COUNT}"], before[f"{name}.{_SCALING}"] or _AT_REST) for name in names}
    idle = [name for name, (count, limits) in at.items() if count == 0 and limits["minimum"]]
    return f" No task of {' and '.join(idle)} runs now: an undo leaves its autoscaling suspended." if idle else ""

# ruff: noqa: ARG002
"""A change of two numbers in memory, to try the mechanism of changes with."""

from typing import Any, Literal

from activities.action import ChangeAction, Params
from activities.changes.intents import Intents
from activities.changes.runner import ChangeRunner
from activities.ledger.table import Table
from domain.config.approval import ApprovalClass
from domain.model.calls import ApplyCall, PlanCall, Scope, VerifyCall
from domain.model.plan import Plan, State, Verification
from domain.values.ids import action_id, change_workflow_id
from tests.activities.scopes import scope
from tests.activities.world import LEDGER, WorldClients

STEP = "turn"
ARN = "arn:aws:test:ap-southeast-2:123456789012:dial/1"
OUTSIDE = 99
Point = Literal["acquired", "intended", "half", "acted"]


class CutError(Exception):
    """The process died here."""


class DialParams(Params):
    to: int


class Dial(ChangeAction[DialParams]):
    """Two numbers in memory; `cut` says where the process dies in the next `act`."""

    name = "test.dial"
    classes = (ApprovalClass.A2,)

    def __init__(self, clients: WorldClients) -> None:
        super().__init__(clients)
        self.world: State = {"left": 1, "right": 1}
        self.written: list[str] = []
        self.cut: Point | None = None
        self.seen = Verification(done=True, message="turned")
        self.reversible = True
        self.takes_long = False
        self.moving: tuple[str, ...] = ()

    def plan(self, scope: Scope, params: DialParams) -> Plan:
        return Plan(
            action=self.name,
            target=ARN,
            summary="Turn",
            before=dict(self.world),
            after={"left": params.to, "right": params.to},
            impact="None.",
            approval_class=self.classes[0],
            locks=(ARN,),
            reversible=self.reversible,
            takes_long=self.takes_long,
            moving=self.moving,
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        self._die("acquired")
        return dict(self.world)

    def act(self, scope: Scope, plan: Plan) -> None:
        self._die("intended")
        for field, point in (("left", "half"), ("right", "acted")):
            self.world[field] = plan.after[field]
            self.written.append(field)
            self._die(point)

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        return self.seen

    def _die(self, point: str) -> None:
        if self.cut == point:
            self.cut = None
            raise CutError


def planned(runner: ChangeRunner, dial: Dial, to: int = 2, where: Scope | None = None) -> ApplyCall:
    where = where or scope()
    plan = runner.plan(dial, PlanCall(scope=where, step=STEP, generation=1, params={"to": to})).plan
    return ApplyCall(
        scope=where,
        step=STEP,
        generation=1,
        action_id=action_id(where.incident, STEP, 1),
        holder=change_workflow_id(where.incident, STEP, 1),
        plan=plan,
        approvers=("cto",),
    )


def looking(call: ApplyCall) -> VerifyCall:
    fields = ("scope", "step", "generation", "action_id", "holder", "plan")
    return VerifyCall(**{name: getattr(call, name) for name in fields})


def held(clients: WorldClients) -> bool:
    key: Any = {"pk": {"S": f"lock/{ARN}"}, "sk": {"S": "lock"}}
    return "Item" in clients.inner.client("dynamodb").get_item(TableName=LEDGER, Key=key)


def intents(clients: WorldClients) -> Intents:
    return Intents(Table(clients, LEDGER))

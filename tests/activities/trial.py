"""A change tried as Temporal does it: by its activities, an attempt at a time, with what came of it."""

from dataclasses import replace
from typing import Any

from temporalio.testing import ActivityEnvironment

from activities.action import Clients
from activities.house import House
from activities.registry import Activity, activities
from activities.statuspage_client import StatusPageClient
from domain.config.runbook import ChangeStep
from domain.model.activity_io import (
    Applied,
    ApplyRequest,
    PlanRequest,
    ReleaseRequest,
    Undone,
    Verified,
    VerifyRequest,
)
from domain.model.calls import ApplyCall
from domain.values.ids import action_id, change_workflow_id
from tests.activities.change_worlds import ChangeWorld
from tests.activities.scopes import NOW
from tests.activities.world import LEDGER
from tests.house import FixedHouse, about, asked_by, on_record, runbook_of
from tests.people import PEOPLE

STEP = "the-step"


def named(clients: Clients, house: House, status_page: Any = None) -> dict[str, Activity]:
    """Every activity there is, by its name, of workers with these clients."""
    made = activities(lambda _queue: clients, status_page or StatusPageClient("http://127.0.0.1:9", ""), house)
    return {one.__temporal_activity_definition.name: one for each in made.values() for one in each}  # type: ignore[attr-defined]


class Trial:
    """The world's change from plan to verify. `effects` is what the world came to be, one entry more each time."""

    def __init__(self, world: ChangeWorld) -> None:
        self.world = world
        self.name = world.change.name
        given = {"title": "Try it", "with": world.params, "approval": {"roles": ["technical-manager"]}}
        runbook = runbook_of(ChangeStep.model_validate({"id": STEP, "change": self.name, **given}))
        on_record(world.clients, world.scope, runbook)
        house = FixedHouse(world.scope.environment, None, runbook)
        house.keys = PEOPLE.keys()
        self._activities = named(world.clients, house)
        self._effects = [world.snapshot()]
        self._at = NOW
        world.clients.before_write = self._look
        self.call = self._planned(1)
        self.refused: dict[str, str] = {}

    def _planned(self, generation: int, undo: Undone | None = None) -> ApplyCall:
        scope = self.world.scope
        key = (scope.incident, STEP, generation)
        asked = self.asked = PlanRequest(
            about=about(scope),
            step=STEP,
            generation=generation,
            params=self.world.params,
            requested_by="devops-lead",
            requested=(PEOPLE.undo if undo else PEOPLE.request)("devops-lead", about(scope), STEP),
            undo=undo,
        )
        return ApplyCall(
            scope=scope,
            step=STEP,
            generation=generation,
            action_id=action_id(*key),
            holder=change_workflow_id(*key),
            plan=self.run("plan", asked).plan,
            approvers=("technical-manager",),
        )

    def run(self, verb: str, call: Any) -> Any:
        attempt = ActivityEnvironment()
        self._at += self.world.waits
        asking = change_workflow_id(call.about.incident, call.step, call.generation)
        attempt.info = replace(attempt.info, started_time=self._at, scheduled_time=NOW, workflow_id=asking)
        return attempt.run(self._activities[f"{self.name}.{verb}"], call)

    def apply(self) -> Applied:
        """Apply once; what was refused is not looked for any more."""
        who, where = "technical-manager", about(self.call.scope)
        votes = (PEOPLE.vote(who, who, self.call.plan, where, STEP, self.call.generation),)
        applied: Applied = self.run("apply", ApplyRequest(**{**dict(self.asked), **self._same()}, votes=votes))
        self.applied, self.refused = applied, applied.refused
        return applied

    def verify(self) -> Verified:
        verified: Verified = self.run("verify", VerifyRequest(**self._same(), refused=tuple(self.refused)))
        return verified

    def _same(self) -> dict[str, Any]:
        call = self.call
        return {
            "about": about(call.scope),
            "step": call.step,
            "generation": call.generation,
            "digest": call.plan.digest,
        }

    def release(self) -> None:
        """What the workflow does once a change has failed."""
        asked_by(self.call.holder).run(self._activities["changes.release"], ReleaseRequest(**self._same()))

    def undoing(self) -> None:
        """From here on it is the undo that is tried."""
        self.call = self._planned(2, undo=Undone(generation=1, without=tuple(self.refused)))

    @property
    def effects(self) -> int:
        """How often the world changed."""
        self._look()
        return len(self._effects) - 1

    @property
    def is_as_planned(self) -> bool:
        """Whether all stands as planned that was not refused."""
        plan = self.call.plan.without(self.refused)
        return bool(self.world.change.read(self.call.scope, plan) == plan.after)

    @property
    def holders(self) -> set[str]:
        """Who holds a lock of the change."""
        rows = self.world.clients.inner.client("dynamodb").scan(TableName=LEDGER)["Items"]
        return {row["holder"]["S"] for row in rows if row["sk"]["S"] == "lock"}

    def _look(self) -> None:
        if (now := self.world.snapshot()) != self._effects[-1]:
            self._effects.append(now)

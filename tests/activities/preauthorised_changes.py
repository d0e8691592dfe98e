"""A change that begins by itself, as the hands are asked for it, in an incident that is a P0 by its record."""

from datetime import datetime
from typing import Any

import pytest

from activities.action import RuleError
from activities.changes.hands import Hands
from activities.changes.intents import Intent, Intents
from activities.changes.runner import ChangeRunner
from activities.ledger.table import Table
from authority.preauthorisations import Entry
from domain.config.approval import ApprovalRule
from domain.config.preauthorisation import PreAuthorisation
from domain.config.runbook import ChangeStep, Runbook
from domain.model.activity_io import Applied, ApplyRequest, PlanRequest, Undone
from domain.model.calls import Scope
from domain.model.events import ORCHESTRATOR
from domain.values.severity import Severity
from tests.activities.change_worlds import ChangeWorld
from tests.activities.scopes import NOW
from tests.house import FixedHouse, about, on_record, runbook_of
from tests.preauthorising import signed, terms
from tests.signatures import PEOPLE, axis

STEP = "the-step"
RULE = ApprovalRule(roles=("cto",), quorum=1)


def book(world: ChangeWorld, *before: ChangeStep, **changes: Any) -> Runbook:
    """A runbook of one step, which a vote of the CTO approves, and those `before` it."""
    given = {"id": STEP, "change": world.change.name, "title": "Do it", "with": world.params, "approval": RULE}
    return runbook_of(*before, ChangeStep.model_validate({**given, **changes}))


class Store:
    """What time it is by the ledger's store."""

    at = NOW


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    """Its clock, which stands where a test leaves it."""
    Store.at = NOW
    monkeypatch.setattr(Table, "now", lambda _: Store.at)
    return Store()


class Begun:
    """It is planned, and signed for by both who sign; `allows` replaces what they have signed."""

    def __init__(
        self,
        world: ChangeWorld,
        kind: str = "staging",
        *,
        runbook: Runbook | None = None,
        given: dict[str, Any] | None = None,
        **allows: Any,
    ) -> None:
        self.world, self.book = world, runbook or book(world)
        self.house = FixedHouse(world.scope.environment.model_copy(update={"kind": kind}), _axis(), self.book)
        self.house.keys = PEOPLE.keys()
        self.terms = self.allowing(**allows)
        self.house.preauthorised = signed(self.terms)
        self.hands = Hands(world.clients, self.house, world.change, ChangeRunner(world.clients))
        self.params = {**world.params, **(given or {})}
        self.scope = world.scope.model_copy(update={"severity": Severity.P0})
        on_record(world.clients, self.scope, self.book)
        self.by = ORCHESTRATOR
        self.before = world.snapshot()

    def allowing(self, **changes: Any) -> PreAuthorisation:
        own = {"type": "test", "step": STEP, "action": self.world.change.name}
        return terms(**own, environment=self.world.scope.environment.name, **changes)

    @property
    def table(self) -> Table:
        return Table(self.world.clients, self.world.scope.environment.ledger_table)

    def holds(self, *entries: Entry) -> None:
        """Have the worker's folder hold these instead."""
        self.house.preauthorised = entries

    def in_incident(self, incident: str) -> None:
        """Go on in another incident, which is on record too."""
        self.scope = self.scope.model_copy(update={"incident": incident})
        on_record(self.world.clients, self.scope, self.book)

    def _asked(self, generation: int, scope: Scope) -> dict[str, Any]:
        who = {"requested_by": self.by, "requested": None}
        return {"about": about(scope), "step": STEP, "generation": generation, "params": self.params, **who}

    def request(self, generation: int = 1, at: datetime = NOW, undo: Undone | None = None) -> ApplyRequest:
        """Plan it, and ask for it."""
        Store.at = at
        asked = {**self._asked(generation, self.scope), "undo": undo}
        plan = self.hands.plan(PlanRequest(**asked), at).plan
        return ApplyRequest(**{**asked, "digest": plan.digest, "preauthorised": self.terms.digest()})

    def apply(self, generation: int = 1, at: datetime = NOW, undo: Undone | None = None) -> Applied:
        return self.hands.apply(self.request(generation, at, undo), at)

    def intent(self, generation: int = 1) -> Intent | None:
        return Intents(self.table).get(self.scope.incident, STEP, generation)

    def refused(self, generation: int = 1, **how: Any) -> str:
        """Why; nothing is done, and nothing begun."""
        before = self.world.snapshot()
        with pytest.raises(RuleError) as refused:
            self.apply(generation, **how)
        assert self.intent(generation) is None
        assert self.world.snapshot() == before
        return str(refused.value)


def _axis() -> Any:
    return axis().model_copy(update={"runbook_approvers": ()})

"""Whatever was signed, revoked and asked for, and whenever: no act outside the bounds and time of what allows it."""

from datetime import datetime, timedelta
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError

from activities.action import RuleError
from activities.changes.plans import MadePlan
from activities.changes.preauthorised import allowed
from activities.declared import OnRecord
from activities.ledger.table import Item, Table
from authority.preauthorisations import Entry
from domain.config.preauthorisation import PreAuthorisation
from domain.config.runbook import ChangeStep
from domain.model.activity_io import ApplyRequest
from domain.values.severity import Severity
from tests.activities.scopes import NOW, environment, scope
from tests.domain.changing import plan
from tests.house import FixedHouse, about, runbook_of
from tests.preauthorising import BOTH, DAY, SINCE, revoked, signed, terms
from tests.signatures import PEOPLE, axis

STEPS = [
    ChangeStep.model_validate({"id": "one", "change": "test.rollback", "title": "One", "with": {"service": "backend"}}),
    ChangeStep.model_validate({"id": "two", "change": "test.scale", "title": "Two", "ask": ["count"]}),
]
BOOK = runbook_of(*STEPS)
TIMES = [SINCE - DAY, SINCE, SINCE + DAY, NOW, NOW + 10 * DAY, NOW + 40 * DAY]
SAID: list[dict[str, Any]] = [
    {"type": "test", "step": "one", "action": "test.rollback", "until": NOW + 10 * DAY},
    {"type": "test", "step": "two", "action": "test.scale", "set": {"count": 2}},
    {"type": "test", "step": "two", "action": "test.rollback", "set": {"count": 2}},
    {"type": "other", "step": "one", "action": "test.rollback"},
    {"type": "test", "step": "one", "action": "test.rollback", "environment": "elsewhere"},
]
ALL = [terms(**one) for one in SAID]
SIGNED: dict[tuple[int, tuple[str, ...]], tuple[Entry, ...]] = {
    (number, by): signed(one, *by) for number, one in enumerate(ALL) for by in (BOTH, ("cto",), ("compliance-officer",))
}
REVOKED = [revoked(one) for one in ALL]


class Empty:
    """A table in which nothing is used up yet, and what time it is there."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def get(self, _key: Item) -> Item | None:
        return None


class Case:
    """One change that wants to begin without votes, and what there is to allow it."""

    def __init__(self, data: st.DataObject) -> None:
        draw = data.draw
        self.given = draw(st.lists(st.sampled_from(sorted(SIGNED)), max_size=3, unique_by=lambda one: one[0]))
        self.revoked = draw(st.sets(st.integers(0, len(ALL) - 1), max_size=2))
        self.by = ALL[draw(st.integers(0, len(ALL) - 1))]
        self.at: datetime = draw(st.sampled_from(TIMES))
        self.store_at: datetime = draw(st.sampled_from([self.at, self.at, *TIMES]))
        self.gone: dict[str, datetime] = draw(st.dictionaries(st.sampled_from(BOTH), st.sampled_from(TIMES)))
        self.step: str = draw(st.sampled_from(["one", "two", "three"]))
        self.params: dict[str, Any] = draw(st.sampled_from([{"service": "backend"}, {"count": 2}, {"count": 3}, {}]))
        self.severity: Severity = draw(st.sampled_from([Severity.P0, Severity.P0, Severity.P1]))
        self.mode: Any = draw(st.sampled_from(["live", "live", "drill", "upkeep", "dry-run"]))
        self.requested_by: str = draw(st.sampled_from(["orchestrator", "orchestrator", "cto"]))
        self.undo: int | None = draw(st.sampled_from([None, None, 1]))
        action = draw(st.sampled_from(["test.rollback", "test.scale"]))
        grave = draw(st.sampled_from(["A1", "A2", "A2", "A3"]))
        self.plan = plan(grave, action=action, reversible=draw(st.sampled_from([True, True, False])))

    def entries(self) -> tuple[Entry, ...]:
        made = [entry for one in self.given for entry in SIGNED[one]]
        there = {one for one, _ in self.given}
        return (*made, *(REVOKED[one] for one in self.revoked & there))

    def allowed(self) -> bool:
        house = FixedHouse(environment(), axis(), BOOK)
        house.keys = PEOPLE.keys(**{who.replace("-", "_"): at for who, at in self.gone.items()})
        house.preauthorised = self.entries()
        asked = ApplyRequest(
            about=about(scope(mode=self.mode)),
            step=self.step,
            generation=1,
            params=self.params,
            requested_by=self.requested_by,
            digest=self.plan.digest,
            preauthorised=self.by.digest(),
        )
        long_ago = self.at - timedelta(hours=1)
        made = MadePlan(
            plan=self.plan, params=self.params, requested_by=self.requested_by, undo_of=self.undo, at=long_ago
        )
        known = OnRecord(
            runbook=BOOK.digest(),
            mode=self.mode,
            speed=1,
            declared_at=self.at,
            declared_by="cto",
            severity=self.severity,
        )
        try:
            found = allowed(house, cast("Table", Empty(self.store_at)), asked, made, known, self.at)
        except (RuleError, ApplicationError):
            return False
        assert set(found.signers) == set(BOTH)
        return True

    def should_be(self) -> bool:
        """The rule said once more, as people read it."""
        number = ALL.index(self.by)
        whole = (number, BOTH) in self.given and number not in self.revoked
        keys_good = all(gone > SINCE for gone in self.gone.values())
        in_time = all(self.by.since <= at < self.by.until for at in (self.at, self.store_at))
        good = {0: ("one", "test.rollback", {"service": "backend"}), 1: ("two", "test.scale", {"count": 2})}
        about_it = good.get(number) == (self.step, self.plan.action, self.params)
        grave = self.plan.approval_class.value in {"A1", "A2"} and self.plan.reversible
        asked = self.requested_by == "orchestrator" and self.undo is None and self.mode in {"live", "drill"}
        return whole and keys_good and in_time and about_it and grave and asked and self.severity is Severity.P0


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_nothing_begins_outside_what_was_signed(data: st.DataObject) -> None:
    case = Case(data)
    assert case.allowed() == case.should_be()


def test_there_is_something_that_begins() -> None:
    """The case that all of it fits, so that the rule above is not one that refuses everything."""
    assert isinstance(ALL[0], PreAuthorisation)
    case = Case.__new__(Case)
    case.given, case.revoked, case.by, case.at, case.gone = [(0, BOTH)], set(), ALL[0], NOW, {}
    case.store_at = NOW
    case.step, case.params, case.severity, case.mode = "one", {"service": "backend"}, Severity.P0, "live"
    case.requested_by, case.undo, case.plan = "orchestrator", None, plan(action="test.rollback")
    assert case.allowed()
    assert case.should_be()

"""A pre-authorisation is used as often as it says, however many want it at once."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws
from temporalio.exceptions import ApplicationError

from activities.action import RuleError
from activities.changes.intents import Intent, Intents, Nonce
from activities.changes.plans import MadePlan
from activities.changes.preauthorised import allowed
from activities.declared import OnRecord
from domain.model.activity_io import ApplyRequest
from domain.model.events import ORCHESTRATOR
from domain.model.plan import Plan
from domain.values.severity import Severity
from tests.activities.catalogue_worlds import world_of
from tests.activities.preauthorised_changes import STEP, Begun, store
from tests.activities.scopes import NOW
from tests.domain.changing import plan
from tests.house import about, on_record
from tests.preauthorising import signed

__all__ = ["store"]  # for every test here
MOST = 3
WANTED = [(incident, generation) for incident in ("a", "b", "c") for generation in (1, 2, 3)]


@pytest.fixture(scope="module")
def begun() -> Iterator[Begun]:
    with mock_aws():
        yield Begun(world_of("ecs.scale_service"), most=MOST)


class Change(NamedTuple):
    """One that wants to begin: the `generation`-th of an incident."""

    begun: Begun
    incident: str
    generation: int

    @property
    def plan(self) -> Plan:
        return plan(action=self.begun.world.change.name)

    def look(self) -> tuple[Nonce, ...] | None:
        """The places that it would take; None where there are none left."""
        scope = self.begun.scope.model_copy(update={"incident": self.incident})
        asked = ApplyRequest(
            about=about(scope),
            step=STEP,
            generation=self.generation,
            params=self.begun.params,
            requested_by=ORCHESTRATOR,
            digest=self.plan.digest,
            preauthorised=self.begun.terms.digest(),
        )
        made = MadePlan(plan=self.plan, params=self.begun.params, requested_by=ORCHESTRATOR, at=NOW)
        known = OnRecord(
            runbook=self.begun.book.digest(),
            mode="live",
            speed=1,
            declared_at=NOW,
            declared_by="cto",
            severity=Severity.P0,
        )
        try:
            return allowed(self.begun.house, self.begun.table, asked, made, known, NOW).places
        except RuleError:
            return None

    def begin(self, places: tuple[Nonce, ...]) -> bool:
        """Put its intent on record; False where others have taken its places meanwhile."""
        key = (self.incident, STEP, self.generation)
        intent = Intent.of(self.plan, key, "id", (), NOW)
        try:
            Intents(self.begun.table).put(intent, 1, nonces=places)
        except ApplicationError as taken:
            if taken.non_retryable:
                raise
            return False
        return True


_NUMBERS = count(1)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(WANTED), max_size=30))
def test_it_is_never_used_more_often(begun: Begun, turns: list[tuple[str, int]]) -> None:
    """Changes of three incidents look for a place and take it in any order: a turn is one of the two."""
    begun.terms = begun.allowing(most=MOST, reason=f"the {next(_NUMBERS)}th")
    begun.holds(*signed(begun.terms))
    number = next(_NUMBERS)
    looked: dict[tuple[str, int], tuple[Nonce, ...] | None] = {}
    done: set[tuple[str, int]] = set()
    for one in turns:
        change = Change(begun, f"inc-{number}-{one[0]}", one[1])
        if (places := looked.pop(one, None)) is not None:
            done |= {one} if change.begin(places) else set()
        else:
            looked[one] = change.look()
        assert len(done) <= MOST
    rest = [one for one in WANTED if one not in done]
    for one in rest:  # what is free is given, to the last place
        change = Change(begun, f"inc-{number}-{one[0]}", one[1])
        if (places := change.look()) is not None and change.begin(places):
            done.add(one)
    assert len(done) == MOST


def test_the_hands_try_the_next_place(begun: Begun) -> None:
    """And refuse the change once there is none, with how often it was used."""
    begun.terms = begun.allowing(most=2, reason="two of them")
    begun.holds(*signed(begun.terms))
    at_once = [Change(begun, f"inc-at-once-{number}", 1) for number in (1, 2, 3)]
    places = [one.look() for one in at_once]
    assert places[0] is not None
    assert at_once[0].begin(places[0])
    assert places[1] is not None
    assert not at_once[1].begin(places[1])
    again = at_once[1].look()
    assert again is not None
    assert at_once[1].begin(again)
    assert at_once[2].look() is None
    assert "it was used 2 times, which is as often as it may be" in begun.refused()


def test_a_repeat_uses_nothing_more(begun: Begun) -> None:
    begun.terms = begun.allowing(most=2, reason="twice")
    begun.holds(*signed(begun.terms))
    begun.scope = begun.scope.model_copy(update={"incident": "inc-20261123-0nce"})
    on_record(begun.world.clients, begun.scope, begun.book)
    request = begun.request()
    for _ in range(3):
        assert begun.hands.apply(request, NOW + timedelta(seconds=1)).outcome == "applied"
    places = Change(begun, "inc-20261123-next", 1).look()
    assert [one.value for one in places or ()] == ["000002"]

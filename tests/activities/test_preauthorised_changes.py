"""The hands begin without votes what their own folder allows, in a P0 by the record, and nothing outside its bounds."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from moto import mock_aws
from temporalio.exceptions import ApplicationError

from activities.action import RuleError
from activities.declared import Declared
from domain.config.runbook import ChangeStep
from domain.model.activity_io import Undone
from domain.model.events import SeverityChanged
from domain.model.timeline import Timeline
from domain.values.severity import Severity
from tests.activities.breach_worlds import block
from tests.activities.catalogue_worlds import world_of
from tests.activities.change_worlds import ChangeWorld
from tests.activities.preauthorised_changes import STEP, Begun, Store, book, store
from tests.activities.scopes import NOW
from tests.house import on_record, runbook_of
from tests.preauthorising import DAY, SINCE, revoked, signature, signed
from tests.signatures import PEOPLE, axis
from tests.signatures import signed as approved

MINUTES = timedelta(minutes=1)


__all__ = ["store"]  # for every test here


@pytest.fixture
def world() -> Iterator[ChangeWorld]:
    with mock_aws():
        yield world_of("ecs.scale_service")


@pytest.fixture
def begun(world: ChangeWorld) -> Begun:
    return Begun(world)


@pytest.mark.parametrize("kind", ["sandbox", "staging", "production"])
def test_what_is_signed_beforehand_is_done_without_a_vote(world: ChangeWorld, kind: str) -> None:
    """Once: asked for again it is found done. By what, and who had signed that, stands with the intent."""
    begun = Begun(world, kind)
    request = begun.request()
    assert begun.hands.apply(request, NOW).outcome == "applied"
    assert begun.hands.apply(request, NOW).outcome == "applied"
    intent = begun.intent()
    assert intent is not None
    assert (intent.preauthorised, intent.votes) == (begun.terms.digest(), ())
    assert (intent.requested_by, intent.approvers) == ("orchestrator", ("cto", "compliance-officer"))


SIGNED: dict[str, tuple[Callable[[Begun], Any], str]] = {
    "nobody": (lambda _: (), "it does not stand in this worker's folder"),
    "the CTO alone": (lambda it: signed(it.terms, "cto"), "compliance-officer must sign it first"),
    "the officer alone": (lambda it: signed(it.terms, "compliance-officer"), "cto must sign it first"),
    "another in a place": (lambda it: signed(it.terms, "cto", "devops-lead"), "compliance-officer must sign it first"),
    "the same one twice": (lambda it: signed(it.terms, "cto", "cto"), "compliance-officer must sign it first"),
    "two under another": (lambda it: signed(it.allowing(most=4)), "it does not stand in this worker's folder"),
    "one in another's name": (
        lambda it: (signed(it.terms)[0], _by_another(it)),
        "compliance-officer must sign it first",
    ),
    "one over another": (
        lambda it: (signed(it.terms)[0], signature(it.allowing(most=4), "compliance-officer")),
        "compliance-officer must sign it first",
    ),
    "both, and revoked": (lambda it: (*signed(it.terms), revoked(it.terms)), "cto has revoked it: not any more"),
    "one dated tomorrow": (
        lambda it: (signed(it.terms)[0], signature(it.terms, "compliance-officer", NOW + DAY)),
        "it is not in force before 2026-11-24T03:30:00Z",
    ),
}


def _by_another(it: Begun) -> Any:
    made = signature(it.terms, "compliance-officer")
    return made.model_copy(update={"signature": signed(it.terms)[0].signature})


@pytest.mark.parametrize("which", SIGNED)
def test_without_both_signatures_nothing_begins(begun: Begun, which: str) -> None:
    holds, why = SIGNED[which]
    begun.holds(*holds(begun))
    assert why in begun.refused()


def test_a_key_that_was_revoked_before_it_signed_has_signed_nothing(begun: Begun) -> None:
    """As the register is now; revoked later, what it signed stands."""
    begun.house.keys = PEOPLE.keys(cto=SINCE)
    assert "cto must sign it first" in begun.refused()
    begun.house.keys = PEOPLE.keys(cto=SINCE + DAY)
    assert begun.apply().outcome == "applied"


def test_where_the_organisation_names_nobody_nothing_begins(begun: Begun) -> None:
    begun.house.people = begun.house.people.model_copy(update={"preauthorisers": ()})
    assert "names no roles that pre-authorise" in begun.refused()


BOUNDS: dict[str, tuple[dict[str, Any], str]] = {
    "another type": ({"type": "data-breach"}, "it is not about the-step of test in production"),
    "another step": ({"step": "other"}, "it is not about the-step of test in production"),
    "another action": ({"action": "ecs.stop_service"}, "it is not about the-step of test in production"),
    "another environment": ({"environment": "staging"}, "it is not about the-step of test in production"),
    "parameters that the step does not ask for": ({"set": {"count": 3}}, "it is not about the-step of test"),
    "not yet": ({"since": NOW + DAY, "until": NOW + 2 * DAY}, "it is not in force before 2026-11-24T03:30:00Z"),
    "just over": ({"until": NOW}, "it has ended at 2026-11-23T03:30:00Z"),
}


@pytest.mark.parametrize("which", BOUNDS)
def test_nothing_begins_outside_its_bounds(world: ChangeWorld, which: str) -> None:
    changes, why = BOUNDS[which]
    begun = Begun(world)
    own = {"type": "test", "step": STEP, "action": world.change.name, "environment": world.scope.environment.name}
    begun.terms = begun.terms.model_validate({**begun.terms.model_dump(), **own, **changes})
    begun.holds(*signed(begun.terms, at=min(begun.terms.since, SINCE)))
    assert why in begun.refused()


def test_it_holds_until_its_last_second(begun: Begun) -> None:
    late = begun.terms.until
    assert "it has ended" in begun.refused(at=late)
    assert begun.apply(2, at=late - timedelta(seconds=1)).outcome == "applied"


def test_it_holds_by_the_stores_time_too(begun: Begun) -> None:
    """Whatever Temporal's server says of what time it is."""
    request = begun.request()
    Store.at = begun.terms.until
    with pytest.raises(RuleError, match="it has ended at"):
        begun.hands.apply(request, NOW)
    Store.at = begun.terms.since - timedelta(seconds=1)
    with pytest.raises(RuleError, match="it is not in force before 2026-11-13T03:30:00Z"):
        begun.hands.apply(request, NOW)
    Store.at = NOW
    assert begun.hands.apply(request, NOW).outcome == "applied"


@pytest.mark.parametrize("severity", [Severity.P1, Severity.P2, Severity.P3, None])
def test_it_is_for_a_p0_by_the_record(begun: Begun, severity: Severity | None) -> None:
    """Whatever the request says. What raises the incident may be on its way for a minute: it is waited for."""
    said = begun.scope
    on_record(begun.world.clients, said.model_copy(update={"severity": severity}), begun.book)
    request = begun.request()
    with pytest.raises(ApplicationError, match="by the record, and it is for P0 alone") as waits:
        begun.hands.apply(request, NOW + MINUTES)
    assert not waits.value.non_retryable
    with pytest.raises(RuleError, match=r"does not apply: .* by the record, and it is for P0 alone"):
        begun.hands.apply(request, NOW + 2 * MINUTES)
    assert begun.intent() is None
    _reclassified(begun, "P1", "P0", 5)
    assert begun.hands.apply(request, NOW + 2 * MINUTES).outcome == "applied"


def _reclassified(begun: Begun, before: str, after: str, number: int, epoch: int = 1) -> None:
    """Have the ledger's writer note a severity that stands on record as entry `number`."""
    event = SeverityChanged.model_validate({"from": before, "to": after, "reason": "so it is"})
    entry = Timeline(dropped=number - 1).record(NOW, "cto", event, {})
    Declared(begun.house, begun.table).severity_changed(begun.scope.incident, epoch, [entry])


def test_an_incident_that_was_lowered_is_none_any_more(begun: Begun) -> None:
    """What is written again, or late, takes nothing back; a later epoch goes on."""
    _reclassified(begun, "P0", "P1", 9)
    _reclassified(begun, "P1", "P0", 4)
    request = begun.request()
    with pytest.raises(RuleError, match="is P1 by the record"):
        begun.hands.apply(request, NOW + 2 * MINUTES)
    _reclassified(begun, "P1", "P0", 5, epoch=2)
    assert begun.hands.apply(request, NOW + 2 * MINUTES).outcome == "applied"


def test_parameters_are_those_that_were_signed() -> None:
    with mock_aws():
        world = block("198.51.100.7")
        given = {"with": {"web_acl": world.params["web_acl"]}, "ask": ["addresses"]}
        signed_for = {"addresses": ["198.51.100.7"]}
        begun = Begun(world, runbook=book(world, **given), set=signed_for)
        for other in (["198.51.100.8"], ["198.51.100.7", "198.51.100.8"], []):
            begun.params = {**world.params, "addresses": other}
            try:
                assert "its parameters are others" in begun.refused()
            except ValueError:
                assert other == []  # which the action itself does not take
        begun.params = {**world.params, **signed_for}
        assert begun.apply().outcome == "applied"


def test_a_step_is_no_evidence_and_of_the_runbook(world: ChangeWorld) -> None:
    begun = Begun(world)
    other = runbook_of(ChangeStep(id="other", change=world.change.name, title="Other"))
    begun.house.runbooks[other.digest()] = other
    request = begun.request()
    on_record(world.clients, begun.scope, other)
    with pytest.raises(RuleError, match="by its runbook"):
        begun.hands.apply(request, NOW)
    assert begun.intent() is None


def test_a_plan_for_somebody_is_theirs(begun: Begun) -> None:
    begun.by = "devops-lead"
    assert "the plan was made for devops-lead" in begun.refused()


def test_nothing_is_undone_by_it(begun: Begun) -> None:
    assert begun.apply().outcome == "applied"
    begun.world.settle()
    assert "nothing is undone by it" in begun.refused(2, undo=Undone(generation=1))


def test_nothing_begins_for_upkeep(begun: Begun) -> None:
    begun.scope = begun.scope.model_copy(update={"mode": "upkeep"})
    on_record(begun.world.clients, begun.scope, begun.book)
    assert "nothing begins by itself in an incident of mode upkeep" in begun.refused()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("rds.promote_replica", "it is of class A3, which nobody pre-authorises"),
        ("ecs.stop_service", None),
        ("cognito.sign_out_users", "it cannot be undone, so nobody pre-authorises it"),
    ],
)
def test_only_what_is_reversible_and_no_outage(name: str, why: str | None) -> None:
    with mock_aws():
        begun = Begun(world_of(name))
        if why is None:
            assert begun.apply().outcome == "applied"
        else:
            assert why in begun.refused()


def test_its_runbook_is_approved_in_production(world: ChangeWorld) -> None:
    begun = Begun(world, "production")
    request = begun.request()
    begun.house.people = axis()
    with pytest.raises(RuleError, match="is not approved: cto and compliance-officer must sign it first"):
        begun.hands.apply(request, NOW)
    begun.house.signatures = approved(begun.book, "cto", "compliance-officer")
    assert begun.hands.apply(request, NOW).outcome == "applied"


def test_evidence_comes_first(world: ChangeWorld) -> None:
    """It is waited for as for any containment, and for no longer than its five minutes."""
    keep = ChangeStep(id="keep", change="rds.snapshot", title="Keep", evidence=True)
    begun = Begun(world, runbook=book(world, keep, evidence_first=["keep"]))
    on_record(world.clients, begun.scope, begun.book, NOW)
    begun.scope = begun.scope.model_copy(update={"declared_at": NOW})
    request = begun.request()
    with pytest.raises(ApplicationError, match=r"keep of .* comes first and has not begun"):
        begun.hands.apply(request, NOW + MINUTES)
    assert begun.intent() is None
    assert begun.hands.apply(request, NOW + 5 * MINUTES).outcome == "applied"

"""Whose a request is: every activity does for a workflow what is its own, and for another nothing."""

from datetime import timedelta
from typing import Any, get_type_hints

import pytest
from moto import mock_aws
from temporalio.exceptions import ApplicationError

from activities.askers import refuse_others, whose_is
from activities.catalogue import CHANGES
from activities.changes.intents import Intents
from activities.changes.plans import MadePlan, Plans
from activities.ledger.table import Table, text
from activities.ledger.terms import end_key
from activities.strange_requests import Strange, StrangeRequestError
from domain.model.activity_io import (
    AppendCall,
    ApplyRequest,
    ChangeAsked,
    FollowCall,
    NoticeRequest,
    ObserveRequest,
    PageRequest,
    PlanRequest,
    ReleaseRequest,
    ReportCall,
    Stranger,
    VerifyRequest,
    WaveRequest,
)
from domain.model.drill import FaultCall
from domain.model.proofs import ClaimAsked
from domain.model.restoring import RestorableCall, RestoreCall
from tests.activities.catalogue_worlds import world_of
from tests.activities.scopes import NOW, environment, scope
from tests.activities.trial import STEP, Trial, named
from tests.activities.world import LEDGER, WIRE, WorldClients
from tests.house import FixedHouse, about, asked_by

OWN = scope().incident
ABOUT = about(scope())
CHANGE: dict[str, Any] = {"about": ABOUT, "step": "s", "generation": 2}
PLAN: dict[str, Any] = {**CHANGE, "params": {}, "requested_by": "cto"}
PAGE = PageRequest(about=ABOUT, page_id="p", message="page", to="cto", role="cto", reason="r", ask="a")
FOLLOW: dict[str, Any] = {"number": 1, "at": NOW, "actor": "a", "kind": "note", "text": "t"}
APPEND: dict[str, Any] = {"environment": "e", "epoch": 1, "entries": []}
CLAIM: dict[str, Any] = {"environment": "e", "incident": OWN, "act": "close", "subject": "0" * 64, "by": "cto"}
STRANGERS = ("theirs", f"{OWN}/z", f"{OWN}z", f"{OWN}#0001", "")
REQUESTS: list[tuple[Any, tuple[str, ...]]] = [
    (PlanRequest(**PLAN), (f"{OWN}/s/2",)),
    (ApplyRequest(**PLAN, digest="d", votes=()), (f"{OWN}/s/2",)),
    (VerifyRequest(**CHANGE, digest="d"), (f"{OWN}/s/2",)),
    (ReleaseRequest(**CHANGE, digest="d"), (f"{OWN}/s/2",)),
    (ChangeAsked(**CHANGE), (OWN,)),
    (ObserveRequest(about=ABOUT, step="s", params={}, at=NOW), (OWN,)),
    (NoticeRequest(about=ABOUT, step="s", params={}, sequence=1), (OWN,)),
    (PAGE, (OWN, f"{OWN}/follow-up")),
    (WaveRequest(pages=[PAGE, PAGE]), (OWN, f"{OWN}/follow-up")),
    (AppendCall(incident=OWN, **APPEND), (OWN,)),
    (ReportCall(incident=OWN, environment="e"), (OWN,)),
    (FollowCall(incident=OWN, environment="e", **FOLLOW), (f"{OWN}/follow-up",)),
    (RestoreCall(incident=OWN, holder="run"), (OWN, f"{OWN}/follow-up")),
    (ClaimAsked(**{**CLAIM, "incident": None, "environment": "staging"}), ("drill/staging",)),
    (ClaimAsked(**CLAIM), (OWN, f"{OWN}/follow-up")),
    (ClaimAsked(**CLAIM, step="s", generation=2), (OWN, f"{OWN}/follow-up", f"{OWN}/s/2")),
    (FaultCall(id="f", environment="staging", fault="bad"), ("drill/staging",)),
]
ANYBODYS = (Stranger(what="a"), RestorableCall())


@pytest.mark.parametrize(("asked", "own"), REQUESTS, ids=lambda one: type(one).__name__)
def test_a_request_is_its_own_workflows_alone(asked: Any, own: tuple[str, ...]) -> None:
    """By the whole id: what begins like it, or stands beneath it, is another's."""
    for one in own:
        refuse_others(asked, one)
    for one in STRANGERS:
        with pytest.raises(StrangeRequestError, match="does alone") as refused:
            refuse_others(asked, one)
        assert refused.value.kind is Strange.OTHERS


def test_a_request_that_holds_another_is_judged_by_both() -> None:
    """A page among others, and the entries that a report brings along."""
    other = PAGE.model_copy(update={"about": ABOUT.model_copy(update={"incident": "inc-20261123-0000"})})
    last = AppendCall(incident="inc-20261123-0000", **APPEND)
    for asked in (WaveRequest(pages=[PAGE, other]), ReportCall(incident=OWN, environment="e", last=last)):
        with pytest.raises(StrangeRequestError, match="does alone"):
            refuse_others(asked, OWN)


def test_every_activity_has_a_rule() -> None:
    """A new one falls under this by itself: its request is listed above; a stranger's is refused before all else."""
    with mock_aws():
        made = named(WorldClients(), FixedHouse(environment()))
    known = {type(asked): asked for asked, _ in REQUESTS}
    for name, activity in made.items():
        kind = next(hint for of, hint in get_type_hints(activity.__wrapped__).items() if of != "return")  # type: ignore[attr-defined]
        if any(type(one) is kind for one in ANYBODYS):
            continue
        with WIRE.listening() as sent, pytest.raises(ApplicationError, match="does alone"):
            asked_by("theirs").run(activity, known[kind])
        assert [one for one in sent if one.service != "dynamodb"] == [], name  # what is noted of it


def test_a_request_without_a_rule_is_an_error() -> None:
    with pytest.raises(TypeError, match="nothing says whose str is"):
        whose_is("x")


def _done(change: str) -> Trial:
    """A change that is over and on record as verified."""
    trial = Trial(world_of(change))
    applied = trial.apply()
    trial.world.settle()
    if applied.verified is None:
        trial.verify()
    return trial


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_what_is_over_is_not_done_again(change: str) -> None:
    """Whoever asks again, such as with a request that he copied, has the answer from the record: AWS is not asked."""
    with mock_aws():
        trial = _done(change)
        effects = trial.effects
        with WIRE.listening() as sent:
            again, looked = trial.apply(), trial.verify()
        assert (again.outcome, again.verified) == ("applied", looked.message)
        assert {one.service for one in sent} <= {"dynamodb"}
        assert (trial.effects, trial.holders) == (effects, set())


def test_what_is_over_answers_for_no_other_plan() -> None:
    """A change whose run was reset to before its plan may plan otherwise: nothing was done of that."""
    with mock_aws():
        trial = _done("ecs.rollback_service")
        other = trial.call.plan.model_copy(update={"summary": "Otherwise"}).sealed()
        made = MadePlan(plan=other, params={}, requested_by="devops-lead", at=NOW)
        Plans(Table(trial.world.clients, LEDGER)).put(trial.world.scope.incident, STEP, 1, made)
        trial.call = trial.call.model_copy(update={"plan": other})
        for again in (trial.apply, trial.verify):
            with pytest.raises(ApplicationError, match="is on record with the plan of digest"):
                again()


@pytest.mark.parametrize(
    ("outcome", "ended", "why"),
    [
        ("failed", None, "has failed, by the record"),
        ("partly", timedelta(minutes=1), "has ended"),
        (None, timedelta(minutes=61), "has ended"),
        ("partly", None, None),
        (None, timedelta(minutes=59), None),
    ],
)
def test_what_was_begun_goes_on_for_as_long_as_it_may(
    outcome: str | None, ended: timedelta | None, why: str | None
) -> None:
    """In part while the incident is open, without an outcome for an hour more, and what has failed not at all."""
    with mock_aws():
        trial = Trial(world_of("ecs.rollback_service"))
        table = Table(trial.world.clients, LEDGER)
        key = trial.world.scope.incident, STEP, 1
        trial.apply()
        assert Intents(table).outcome(*key) is None
        if outcome is not None:
            Intents(table).record_outcome(*key, outcome, "seen", NOW)
        if ended is not None:
            table.put({**end_key(key[0]), "at": text((NOW - ended).isoformat())})
        if why is None:
            assert trial.apply().outcome == "applied"
            return
        for again in (trial.apply, trial.verify):
            with pytest.raises(ApplicationError, match=why):
                again()

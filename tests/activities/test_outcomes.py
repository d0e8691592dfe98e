"""What the record says of a change whose workflow is gone: how far it came, and that what was not begun never is."""

import pytest

from activities.action import RuleError
from activities.changes.giving_back import release
from activities.changes.intents import Intent, Intents
from activities.changes.outcomes import came_of
from activities.changes.plans import MadePlan, Plans
from activities.changes.runner import ChangeRunner
from activities.ledger.table import Table
from domain.model.activity_io import About, Ballot, ChangeAsked, ChangeOutcome, GivenUp, ReleaseRequest
from domain.rules.live import LiveIncident
from tests.activities.scopes import NOW, environment
from tests.activities.world import LEDGER, WorldClients
from tests.builders import declaration
from tests.domain.changing import plan
from tests.house import FixedHouse

NOT_NEEDED = GivenUp(status="cancelled", reason="not needed", by="cto")
VOTES = (Ballot(by="cto", role="cto"),)


def about(mode: str = "live") -> About:
    return LiveIncident.declared(declaration(mode=mode)).state.about


def asked(clients: WorldClients, mode: str = "live") -> ChangeOutcome:
    house, call = FixedHouse(environment()), ChangeAsked(about=about(mode), step="rollback", generation=1)
    return came_of(clients, house, call, NOW)


def intent() -> Intent:
    made = Intent.of(plan(), (about().incident, "rollback", 1), "id-1", ("cto",), NOW)
    return made.model_copy(update={"votes": VOTES})


def test_what_was_never_begun_never_is(clients: WorldClients, intents: Intents) -> None:
    """An attempt to apply it that comes late puts no intent on record; asked again, the record says the same."""
    assert asked(clients) == ChangeOutcome(outcome="nothing")
    with pytest.raises(RuleError, match="was given up: ask for a new change"):
        intents.put(intent(), 1)
    assert intents.get(about().incident, "rollback", 1) is None
    assert asked(clients) == ChangeOutcome(outcome="nothing")
    intents.put(intent().model_copy(update={"generation": 2}), 1)


def test_what_was_given_up_before_there_was_a_plan_never_begins(clients: WorldClients, intents: Intents) -> None:
    """There are no locks to give back then, and it is on record all the same."""
    call = ReleaseRequest(about=about(), step="rollback", generation=1, given_up=NOT_NEEDED)
    for _ in range(2):
        release(clients, FixedHouse(environment()), ChangeRunner(clients), call, NOW)
    assert asked(clients) == ChangeOutcome(outcome="given-up", given_up=NOT_NEEDED)
    with pytest.raises(RuleError, match="was given up: ask for a new change"):
        intents.put(intent(), 1)


def test_what_was_begun_is_said_with_its_plan_and_its_votes(clients: WorldClients, intents: Intents) -> None:
    """And is given up by nobody: its intent can be put again."""
    made = MadePlan(plan=plan(), params={}, requested_by="devops-lead", at=NOW)
    Plans(Table(clients, LEDGER)).put(about().incident, "rollback", 1, made)
    intents.put(intent(), 1)
    assert asked(clients) == ChangeOutcome(outcome="begun", votes=VOTES, plan=plan())
    intents.put(intent(), 1, begun=True)
    assert asked(clients).outcome == "begun"


@pytest.mark.parametrize("outcome", ["verified", "partly", "failed"])
def test_what_came_of_it_is_said(clients: WorldClients, intents: Intents, outcome: str) -> None:
    intents.put(intent(), 1)
    intents.record_outcome(about().incident, "rollback", 1, outcome, "seen", NOW)
    assert asked(clients) == ChangeOutcome.model_validate({"outcome": outcome, "message": "seen", "votes": VOTES})


def test_a_dry_run_gives_up_nothing(clients: WorldClients, intents: Intents) -> None:
    """It applies nothing, and leaves nothing on record."""
    assert asked(clients, mode="dry-run") == ChangeOutcome(outcome="nothing")
    intents.put(intent(), 1)

"""What the hands' record says of changes of a restored incident beyond its entries."""

from activities.changes.intents import Intent, Intents
from activities.ledger.table import Table
from domain.model.activity_io import ChangeOutcome, GivenUp
from domain.model.effects import StartChange
from domain.rules.live import LiveIncident
from tests.activities.test_restoring import clients, outage, restored, written
from tests.activities.world import LEDGER, WorldClients
from tests.records import INCIDENT

__all__ = ["clients"]


def test_an_intent_says_more_than_the_last_entry(clients: WorldClients) -> None:
    """A change that still waits for votes by its entries, and has an intent of its plan on record, was approved."""
    played = outage()
    written(clients, played)
    (change,) = played.incident.state.changes
    assert change.plan is not None
    intents = Intents(Table(clients, LEDGER))
    of_another = change.plan.model_copy(update={"after": {"revision": 6}}).sealed()
    intents.put(Intent.of(of_another, (INCIDENT, "scale-up", 1), "id", ("cto",), played.now), 1)
    assert restored(clients).intended == {}
    intents.put(Intent.of(change.plan, (INCIDENT, "rollback", 1), "id", ("technical-manager",), played.now), 2)
    assert restored(clients).intended == {change.workflow_id: ChangeOutcome(outcome="begun")}


def test_a_decision_against_a_change_says_more_than_the_last_entry(clients: WorldClients) -> None:
    """Nobody is asked to vote on it again."""
    played = outage()
    written(clients, played)
    (change,) = played.incident.state.changes
    rejected = GivenUp(status="rejected", reason="cto rejects: look first", by="cto")
    Intents(Table(clients, LEDGER)).give_up(INCIDENT, "rollback", 1, played.now, rejected)
    found = restored(clients)
    assert found.intended == {change.workflow_id: ChangeOutcome(outcome="given-up", given_up=rejected)}
    incident = LiveIncident.restored(found, played.now)
    assert (incident.state.changes[0].status, incident.state.changes[0].reason) == ("rejected", rejected.reason)
    assert [one for one in incident.effects if isinstance(one, StartChange)] == [StartChange(change.workflow_id)]

"""What came of a change, by the record: for an incident that has lost a change's workflow, or is restored itself."""

from datetime import datetime

from activities.action import Clients
from activities.changes.intents import Intents
from activities.changes.plans import Plans
from activities.house import House, scope_of
from activities.ledger.table import Table
from domain.model.activity_io import ChangeAsked, ChangeOutcome


def on_record(table: Table, change: tuple[str, str, int]) -> ChangeOutcome | None:
    """How far a change of (incident, step, generation) has come (`dynamodb:GetItem`).

    None where it was not begun, and still may be.
    """
    intents = Intents(table)
    intent, ended = intents.get(*change), intents.ended(*change)
    if intent is None:
        given_up = intents.given_up(*change)
        if given_up is not None:
            made = Plans(table).find(*change, given_up.digest) if given_up.digest else None
            return ChangeOutcome(outcome="given-up", given_up=given_up, plan=made.plan if made else None)
        return None if ended is None else ChangeOutcome(outcome="nothing")
    outcome, message = ended or ("begun", "")
    made = Plans(table).find(*change, intent.digest)
    found = {"outcome": outcome, "message": message, "votes": intent.votes, "plan": made.plan if made else None}
    return ChangeOutcome.model_validate(found)


def came_of(clients: Clients, house: House, asked: ChangeAsked, at: datetime) -> ChangeOutcome:
    """Say what came of a change; one that was not begun is given up first, so that it never will be.

    An attempt to apply it that is still under way is refused from then on (`dynamodb:TransactWriteItems`); a repeat
    finds the same.
    """
    scope = scope_of(house, asked.about)
    if scope.mode == "dry-run":
        return ChangeOutcome(outcome="nothing")
    table, change = Table(clients, scope.environment.ledger_table), (scope.incident, asked.step, asked.generation)
    if (found := on_record(table, change)) is None:
        Intents(table).give_up(*change, at)
        found = on_record(table, change)
    return found or ChangeOutcome(outcome="nothing")

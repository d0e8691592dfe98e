"""The line of a page that tells the plan to decide on in four words."""

from activities.changes.plans import Plans
from activities.channels.quick_table import QuickTable
from domain.model.calls import PageCall

UNREAD = "Words: look at the terminal"


def plan_words(table: QuickTable, call: PageCall) -> str:
    """The words of the plan that the hands have put on record (`dynamodb:GetItem`); empty for a page about no plan.

    A page never waits for the record: where the plan cannot be read at once, or is none that the hands have made, its
    reader is sent to the terminal.
    """
    named = call.plan
    if named is None:
        return ""
    change = call.incident, named.step, named.generation
    made = table.ask(call.ledger_table, lambda there: Plans(there).find(*change, named.digest))
    words = made.plan.words if made is not None and made.plan.digest == named.digest else None
    return UNREAD if words is None else f"Words: {words}"

"""What our own promotion of a replica did, and how long it took: read from the ledger by the replica's ARN."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from activities.action import Clients
from activities.aws.database.rds_promote_replica import PRIMARY, ROLE, RULE
from activities.aws.recovery.replica_anew import KEPT
from activities.changes.intents import Intents
from activities.ledger.table import Table
from domain.model.calls import Scope
from domain.values.durations import spoken
from domain.values.timestamps import short_time


class Promotion(NamedTuple):
    """The newest promotion since a replica was last made anew, and the rules that it and those before it revoked.

    `took` is None where nobody saw it to its end; `set_aside` is the resource id of what a renewal had begun to move.
    """

    incident: str
    at: datetime
    took: timedelta | None
    rules: dict[str, Any]
    set_aside: str | None

    def told(self, target: timedelta) -> str:
        """Say how long it took, against how long it may."""
        by = f"the promotion of {short_time(self.at)} ({self.incident})"
        if self.took is None:
            return f"{by} was not seen to its end, so its recovery time is not known"
        missed = ", MISSED" if self.took > target else ""
        return f"{by} took {spoken(self.took)}: recovery time (target {spoken(target)}{missed})"


def promotion_of(clients: Clients, scope: Scope, arn: str) -> Promotion | None:
    """Find it (`dynamodb:Query`, `GetItem`); None where none of ours is on record since the last renewal.

    One that was refused half-way, and asked for again, finds its rules revoked already: those of both come back.
    """
    intents = Intents(Table(clients, scope.environment.ledger_table))
    newest, rules, set_aside = None, dict[str, Any](), None
    for one in intents.on(arn):
        if one.after.get(ROLE) == PRIMARY:
            revoked = {name: value for name, value in one.before.items() if name.startswith(RULE) and value is not None}
            newest, rules, set_aside = one, rules | revoked, None
        elif KEPT in one.before:
            set_aside = one.before[KEPT] or set_aside
            if intents.outcome(one.incident, one.step, one.generation) == "verified":
                newest, rules, set_aside = None, {}, None
    if newest is None:
        return None
    return Promotion(newest.incident, newest.at, intents.took(newest), rules, set_aside)

"""Which incidents an environment's ledger has, oldest first; Temporal forgets them, the ledger does not."""

from datetime import datetime

from activities.action import Clients
from activities.ledger.table import Table
from domain.audit.storage_format import INDEX_KEY
from domain.config.environment import Environment
from domain.values.ids import incident_id


class IncidentIndex:
    """Reads the list that `activities.ledger.store` keeps. Lets botocore's errors through."""

    def __init__(self, clients: Clients, environment: Environment) -> None:
        self._table = Table(clients, environment.ledger_table)

    def ids(self, since: datetime | None = None) -> list[str]:
        """The ids of all incidents, or of those declared at or after `since`.

        Ids are in order of time, so that older ones are not even read.
        """
        first = None if since is None else incident_id(since)
        return [item["sk"]["S"] for item in self._table.items(INDEX_KEY, first)]

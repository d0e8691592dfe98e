"""Which incidents an environment's ledger has, oldest first; Temporal forgets them, the ledger does not."""

from datetime import datetime
from typing import Any

from activities.action import Clients
from domain.audit.storage_format import INDEX_KEY
from domain.config.environment import Environment
from domain.values.ids import incident_id


class IncidentIndex:
    """Reads the list that `activities.ledger.store` keeps. Lets botocore's errors through."""

    def __init__(self, clients: Clients, environment: Environment) -> None:
        self._db = clients.client("dynamodb")
        self._table = environment.ledger_table

    def ids(self, since: datetime | None = None) -> list[str]:
        """The ids of all incidents, or of those declared at or after `since` (`dynamodb:Query`, page by page).

        Ids are in order of time, so that older ones are not even read.
        """
        found: list[str] = []
        start: dict[str, Any] = {}
        while True:
            page = self._db.query(
                TableName=self._table,
                ConsistentRead=True,
                KeyConditionExpression="pk = :pk AND sk >= :first",
                ExpressionAttributeValues={
                    ":pk": {"S": INDEX_KEY},
                    ":first": {"S": " " if since is None else incident_id(since)},
                },
                ProjectionExpression="sk",
                **start,
            )
            found += [item["sk"]["S"] for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                return found
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

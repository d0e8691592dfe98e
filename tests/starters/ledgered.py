"""Whole incidents in the ledger of `vaulted`, written as workers write them."""

from activities.chain import Chain
from domain.calls import AppendCall
from domain.incident import Incident
from tests.domain import histories
from tests.starters.vaulted import Vaulted

_AT_ONCE = 100


def keep(world: Vaulted, *incidents: Incident) -> list[str]:
    """Write the timelines of incidents; gives their ids."""
    chain = Chain(world.clients, world.environment)
    for incident in incidents:
        entries = incident.state.timeline.entries
        for start in range(0, len(entries), _AT_ONCE):
            batch = entries[start : start + _AT_ONCE]
            name = incident.declaration.incident_id
            chain.append(AppendCall(incident=name, environment=world.environment, epoch=1, entries=batch))
    return [incident.declaration.incident_id for incident in incidents]


def keys(world: Vaulted, incident: str) -> list[dict[str, dict[str, str]]]:
    """The keys of an incident's entries in the ledger's table, oldest first."""
    found = world.clients.client("dynamodb").query(
        TableName=world.environment.ledger_table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"chain#{incident}#0001"}},
    )
    return [{"pk": item["pk"], "sk": item["sk"]} for item in found["Items"]]


__all__ = ["histories", "keep", "keys"]

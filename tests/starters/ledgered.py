"""Whole incidents in the ledger of `vaulted`, written as workers write them."""

import json

from activities.ledger.store import LedgerStore
from domain.model.activity_io import AppendCall
from domain.rules.ledger_progress import BATCH
from domain.rules.live import LiveIncident
from tests.starters.vaulted import Vaulted


def keep(world: Vaulted, *incidents: LiveIncident) -> list[str]:
    """Write the timelines of incidents; gives their ids."""
    chain = LedgerStore(world.clients, world.environment)
    for incident in incidents:
        entries = incident.timeline.entries
        for start in range(0, len(entries), BATCH):
            batch = entries[start : start + BATCH]
            name = incident.state.id
            chain.append(AppendCall(incident=name, environment=world.environment.name, epoch=1, entries=batch))
    return [incident.state.id for incident in incidents]


def keys(world: Vaulted, incident: str) -> list[dict[str, dict[str, str]]]:
    """The keys of an incident's entries in the ledger's table, oldest first."""
    return [{"pk": item["pk"], "sk": item["sk"]} for item in _items(world, incident)]


def alter(world: Vaulted, incident: str, how: str, other: str = "") -> None:
    """Do to the stored copy what nobody may: `other` is the incident whose entries are put in their place."""
    db, table = world.clients.client("dynamodb"), world.environment.ledger_table
    stored = _items(world, incident)
    second = stored[1]
    content = second["content"]["S"]
    if how == "rewritten":
        text = json.loads(content)["text"]
        db.put_item(TableName=table, Item={**second, "content": {"S": content.replace(text, "nothing happened")}})
    elif how == "garbled":
        db.put_item(TableName=table, Item={**second, "content": {"S": content[:20]}})
    else:
        lost = {"cut out": stored[1:2], "gone": stored, "headless": stored[:1], "another's": stored}[how]
        for item in lost:
            db.delete_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})
    if how == "another's":
        for item in _items(world, other):
            db.put_item(TableName=table, Item={**item, "pk": second["pk"]})


def _items(world: Vaulted, incident: str) -> list[dict[str, dict[str, str]]]:
    found: list[dict[str, dict[str, str]]] = world.clients.client("dynamodb").query(
        TableName=world.environment.ledger_table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"chain#{incident}#0001"}},
    )["Items"]
    return found

"""Whom an alert's key stands for, by the record: anybody can have a workflow hold one."""

from activities.ledger.appending import Appender
from activities.ledger.restoring import Restorer
from activities.ledger.table import Table, keys
from domain.audit.storage_format import INDEX_KEY
from domain.model.activity_io import AppendCall
from domain.model.restoring import RestorableCall
from domain.values import ids
from tests.activities.ledger_worlds import place
from tests.activities.test_restoring import HOUSE, clients
from tests.activities.world import WorldClients
from tests.builders import declaration
from tests.house import house_of
from tests.proven import Proving

__all__ = ["clients"]


def test_who_has_a_key_is_told_by_the_record(clients: WorldClients) -> None:
    """Those that were declared under it and have not ended; what is listed and not written yet is none."""
    kept = [
        Proving(declaration(environment=place(), incident_id=f"inc-20261124-000{number}", key=key))
        for number, key in enumerate(["alarm", "alarm", "another", None])
    ]
    kept[1].say("false_alarm", "devops-lead", reason="a drill")
    for played in kept:
        call = AppendCall(
            incident=played.incident.state.id, environment=place().name, epoch=1, entries=list(played.entries)
        )
        Appender(clients, house_of(played.incident.state.declaration)).append(call)
    Table(clients, place().ledger_table).put(keys(INDEX_KEY, "inc-20261124-0009"))
    asked = RestorableCall(key=ids.key_workflow_id(place().name, "alarm"))
    (found,) = Restorer(clients, HOUSE).open_ones(asked)
    assert (found.incident, found.mode, found.key) == ("inc-20261124-0000", "live", asked.key)
    elsewhere = RestorableCall(key=ids.key_workflow_id("staging", "alarm"))
    assert Restorer(clients, HOUSE).open_ones(elsewhere) == []

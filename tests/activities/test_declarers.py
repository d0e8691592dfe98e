"""Who may declare an incident, by the worker's own files and the record: outside a sandbox nobody without a name."""

from typing import Any

import pytest

from activities.action import RuleError
from activities.declared import Declared
from activities.ledger.table import Table
from domain.model.declaration import Declaration
from tests.activities.world import LEDGER, WorldClients
from tests.builders import declaration
from tests.house import house_of

PARENT = "inc-20261123-0001"


def made(kind: str = "production", **fields: Any) -> Declaration:
    plain = declaration(**fields)
    return plain.model_copy(update={"environment": plain.environment.model_copy(update={"kind": kind})})


def declare(clients: WorldClients, one: Declaration) -> None:
    """Put it on record as its first entry does."""
    table = Table(clients, LEDGER)
    table.put(Declared(house_of(one), table).first(one))


@pytest.mark.parametrize("by", ["devops-lead", "cto", "privacy-officer"])
def test_a_contact_declares(clients: WorldClients, by: str) -> None:
    """By id or by role."""
    declare(clients, made(declared_by=by))


@pytest.mark.parametrize("kind", ["production", "staging"])
@pytest.mark.parametrize("by", ["unknown", "a-stranger", "orchestrator", "incident-commander", ""])
def test_nobody_else_does(clients: WorldClients, kind: str, by: str) -> None:
    with pytest.raises(RuleError, match="who is no contact of"):
        declare(clients, made(kind, declared_by=by))


@pytest.mark.parametrize("by", ["unknown", "a-stranger", "orchestrator"])
def test_a_sandbox_asks_for_no_name(clients: WorldClients, by: str) -> None:
    declare(clients, made("sandbox", declared_by=by))


def test_our_own_code_declares_upkeep_and_drills(clients: WorldClients) -> None:
    """And nobody else declares these in its place."""
    declare(clients, made(declared_by="orchestrator", mode="upkeep"))
    declare(clients, made("staging", declared_by="orchestrator", mode="drill"))
    with pytest.raises(RuleError, match="who is no contact of"):
        declare(clients, made(declared_by="unknown", mode="upkeep"))


def test_what_an_incident_opens_is_declared_by_whoever_declared_that(clients: WorldClients) -> None:
    """Upkeep opens what is live; of an incident that is not on record, or by another, nothing is opened."""
    opened = made(declared_by="orchestrator", opened_by=PARENT)
    with pytest.raises(RuleError, match="who is no contact of"):
        declare(clients, opened)
    declare(clients, made(declared_by="orchestrator", mode="upkeep", incident_id=PARENT))
    declare(clients, opened)
    with pytest.raises(RuleError, match="who is no contact of"):
        declare(clients, made(declared_by="unknown", opened_by=PARENT))

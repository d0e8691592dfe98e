"""What has begun by itself is told so, and no record holds a pre-authorisation that nobody has signed."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from rich.console import Console

from activities.action import RuleError
from activities.declared import Declared
from activities.ledger.table import Table
from authority.preauthorisations import Entry
from authority.register import Register
from domain.model.declaration import Declaration
from domain.model.finding import FindingStatus
from domain.model.preauthorised import PreAuthorised
from domain.rules.document import document
from starters.cli.incident_tables import changes
from tests.activities.ledger_worlds import ledger_and_vault
from tests.activities.report_parts import parts
from tests.activities.report_worlds import Played
from tests.activities.scopes import NOW
from tests.activities.world import LEDGER, WorldClients
from tests.builders import T0, declaration
from tests.house import house_of
from tests.preauthorising import DAY, carried, signed, terms
from tests.signatures import PEOPLE, own

ONE = terms(since=T0 - DAY, until=T0 + DAY)


@pytest.fixture
def clients() -> Iterator[WorldClients]:
    with ledger_and_vault() as clients:
        yield clients


def played() -> Played:
    incident = Played(declaration(preauthorisations=(carried(ONE),)))
    incident.find("deployments", FindingStatus.SUSPECT, "it is")
    incident.wait(timedelta(0))
    incident.plan("rollback")
    incident.end("rollback", "steady")
    return incident


def test_report_and_terminal_say_by_what(clients: WorldClients) -> None:
    assert clients is not None
    incident = played()
    called = f"pre-authorisation {ONE.digest()[:12]} of cto and compliance-officer"
    assert f"Nobody has asked for it: it was started by {called}." in parts(incident.entries)["What was changed"]
    console = Console(width=400)
    with console.capture() as said:
        console.print(changes(document(incident.incident.state)))
    assert f"none: {called}" in said.get()


def declare(clients: WorldClients, one: Declaration, *known: Entry, keys: Register | None = None) -> None:
    """Put it on record as its first entry does, by a worker with these entries in its folder."""
    house, table = house_of(one), Table(clients, LEDGER)
    house.keys, house.preauthorised = keys or PEOPLE.keys(), known
    table.put(Declared(house, table).first(one))


def holding(*given: PreAuthorised, kind: str = "staging") -> Declaration:
    return own(kind, preauthorisations=given)


@pytest.mark.parametrize("kind", ["sandbox", "staging"])
def test_one_that_nobody_has_signed_so_goes_on_no_record(clients: WorldClients, kind: str) -> None:
    """One that is whole does, though the worker's folder does not have it yet."""
    good = carried(ONE)
    altered = good.signed[1].model_copy(update={"signature": good.signed[0].signature})
    for bad in (
        good.model_copy(update={"terms": terms(since=T0 - DAY, until=T0 + DAY, most=50)}),
        good.model_copy(update={"signed": (good.signed[0], altered)}),
        good.model_copy(update={"signed": carried(terms()).signed}),
    ):
        with pytest.raises(RuleError, match="has a pre-authorisation that proves nothing"):
            declare(clients, holding(bad, kind=kind))
    declare(clients, holding(good, kind=kind))


def test_a_revoked_key_has_signed_what_stands_in_the_folder_alone(clients: WorldClients) -> None:
    keys = PEOPLE.keys(cto=NOW - timedelta(hours=1))
    with pytest.raises(RuleError, match="its key is revoked, and it does not stand among the pre-authorisations"):
        declare(clients, holding(carried(ONE)), keys=keys)
    declare(clients, holding(carried(ONE)), *signed(ONE), keys=keys)

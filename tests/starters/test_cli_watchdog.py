"""`incident watchdog`: 0 when every open incident is carried on, 1 when one is not and people are paged, 2 unseen."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.ledger.store import LedgerStore
from activities.ledger.table import Table
from domain.model.activity_io import AppendCall
from tests.activities.telephones import telephones
from tests.activities.watched import declared_item
from tests.builders import declaration
from tests.domain.record_ledgers import Recorded
from tests.starters.conftest import Incident
from tests.starters.vaulted import INCIDENT, Vaulted


def written(aws: Vaulted, ago: timedelta) -> None:
    """An open incident that was declared so long ago, and of which nothing has happened since it paged at once."""
    at = datetime.now(UTC) - ago
    played = Recorded(declaration(incident_id=INCIDENT, environment=aws.environment, declared_at=at))
    call = AppendCall(incident=INCIDENT, environment=aws.environment.name, epoch=1, entries=list(played.entries))
    LedgerStore(aws.clients, aws.environment).append(call, [declared_item(INCIDENT, played.entries[0])])


@pytest.fixture
def paged(aws: Vaulted) -> Vaulted:
    telephones()
    mail = aws.clients.client("sesv2")
    mail.create_email_identity(EmailIdentity=aws.environment.notifications.mail_sender)
    mail.create_configuration_set(ConfigurationSetName="incidents")
    return aws


def test_all_is_well(incident: Incident, paged: Vaulted) -> None:
    written(paged, timedelta(minutes=6))
    said = incident("watchdog", "--json")
    assert (said.status, said.json, said.err) == (0, [], "")
    assert "Every open incident is carried on" in incident("watchdog").out


def test_a_silence_is_paged_once(incident: Incident, paged: Vaulted) -> None:
    """The next look says so again, and pages nobody twice."""
    written(paged, timedelta(minutes=8))
    said = incident("watchdog", "--json")
    assert said.status == 1
    (found,) = said.json
    assert (found["incident"], found["what"], found["can_go_on"]) == (INCIDENT, "page again", True)
    assert "devops-lead" in found["paged"]
    assert said.err.endswith("1 open incidents are not carried on in sandbox\n")
    again = incident("watchdog", "--json")
    assert (again.status, again.json[0]["paged"]) == (1, [])
    table = incident("watchdog").out
    assert INCIDENT in table
    assert "page again" in table


def test_what_cannot_be_looked_at_is_said(incident: Incident, paged: Vaulted, monkeypatch: pytest.MonkeyPatch) -> None:
    """No AWS, no answer: that is no good sign."""

    def away(*_: Any) -> None:
        raise paged.clients.client("dynamodb").exceptions.ClientError(
            {"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "Query"
        )

    monkeypatch.setattr(Table, "items", away)
    said = incident("watchdog", "--json")
    assert (said.status, said.out) == (2, "")
    assert "AccessDenied" in said.err

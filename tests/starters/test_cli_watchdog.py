"""`incident watchdog`: 0 when every open incident is carried on, 1 when one is not and people are paged, 2 unseen."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.ledger.store import LedgerStore
from activities.ledger.table import Table, text
from activities.ledger.terms import end_key
from domain.model.activity_io import AppendCall
from domain.model.event_kinds import ENDING
from tests.activities.left_behind import closed, run_of
from tests.activities.report_worlds import Played
from tests.activities.telephones import telephones
from tests.activities.watched import declared_item
from tests.builders import declaration, incident_id
from tests.domain.record_ledgers import Recorded
from tests.starters.conftest import Incident
from tests.starters.vaulted import INCIDENT, Vaulted


def written(aws: Vaulted, ago: timedelta) -> None:
    """An open incident that was declared so long ago, and of which nothing has happened since it paged at once."""
    at = datetime.now(UTC) - ago
    keep(aws, Recorded(declaration(incident_id=INCIDENT, environment=aws.environment, declared_at=at)))


def keep(aws: Vaulted, played: Played) -> None:
    """Have an incident on record, as the hands write it."""
    incident, entries = played.incident.state.id, list(played.entries)
    beside = [declared_item(incident, entries[0])]
    beside += [{**end_key(incident), "at": text(one.at.isoformat())} for one in entries if one.kind in ENDING]
    call = AppendCall(incident=incident, environment=aws.environment.name, epoch=1, entries=entries)
    LedgerStore(aws.clients, aws.environment).append(call, beside)


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
    assert "Every incident is carried on, and every schedule runs" in incident("watchdog").out


def test_a_silence_is_paged_once(incident: Incident, paged: Vaulted) -> None:
    """The next look says so again, and pages nobody twice."""
    written(paged, timedelta(minutes=8))
    said = incident("watchdog", "--json")
    assert said.status == 1
    (found,) = said.json
    assert (found["incident"], found["what"], found["can_go_on"]) == (INCIDENT, "page again", True)
    assert "devops-lead" in found["paged"]
    assert said.err.endswith("1 incidents are not carried on in sandbox\n")
    again = incident("watchdog", "--json")
    assert (again.status, again.json[0]["paged"]) == (1, [])
    table = incident("watchdog").out
    assert INCIDENT in table
    assert "page again" in table


def test_work_that_is_left_and_schedules_are_told_too(incident: Incident, paged: Vaulted) -> None:
    """A closed incident of whose work nobody is reminded, and a schedule that has not run for days."""
    now, where = datetime.now(UTC), paged.environment
    left = incident_id(now - timedelta(days=30))
    keep(paged, closed(incident_id=left, environment=where, declared_at=now - timedelta(days=30)))
    keep(paged, run_of("drift", now - timedelta(days=4), incident_id=incident_id(now), environment=where))
    said = incident("watchdog", "--json")
    assert said.status == 1
    assert {(one["incident"], one["what"], one["can_go_on"]) for one in said.json} == {
        (left, "training overdue", True),
        ("schedule/sandbox/drift", "2 runs of drift", False),
    }
    assert all(one["paged"] for one in said.json)
    assert said.err.endswith("1 incidents are not carried on and 1 schedules do not run in sandbox\n")
    assert "schedule/sandbox/drift" in incident("watchdog").out


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

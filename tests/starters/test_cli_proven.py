"""`incident runbook actions --proven`: what has not been tried for ninety days is flagged, from the ledger alone."""

from datetime import UTC, datetime, timedelta

import pytest

from activities.catalogue import CHANGES, NOTICES, PROBES
from domain.model.finding import FindingStatus
from tests.activities.report_worlds import Played
from tests.builders import declaration, runbook
from tests.starters.conftest import Incident
from tests.starters.ledgered import alter, keep
from tests.starters.vaulted import Vaulted

NOW = datetime.now(UTC).replace(microsecond=0)
CHANGE, PROBE = "ecs.rollback_service", "elbv2.target_health"


def drill(world: Vaulted, incident: str, days: int) -> str:
    """So many days ago the health of targets was looked at and a service was rolled back, in the sandbox."""
    steps = [
        {"id": "health", "probe": PROBE, "title": "Health"},
        {"id": "rollback", "change": CHANGE, "title": "Roll back"},
    ]
    book = runbook(phases=[{"id": "now", "title": "Now", "steps": steps}])
    at = NOW - timedelta(days=days)
    played = Played(declaration(incident_id=incident, declared_at=at, environment=world.environment, runbook=book))
    played.find("health", FindingStatus.OK, "3 of 3")
    played.say("acknowledge", "devops-lead")
    played.say("request_change", "devops-lead", step="rollback")
    digest = played.plan("rollback", action=CHANGE)
    played.vote("rollback", "technical-manager", digest=digest)
    played.end("rollback", "steady")
    return keep(world, played.incident)[0]


def test_every_action_is_listed_with_its_latest_proof(incident: Incident, aws: Vaulted) -> None:
    drill(aws, "inc-20260101-aaaa", days=200)
    latest = drill(aws, "inc-20260801-aaaa", days=89)
    said = incident("runbook", "actions", "--proven", "--json")
    assert said.status == 0
    rows = {row["name"]: row for row in said.json["actions"]}
    assert set(rows) == {*PROBES, *CHANGES, *NOTICES}
    for name in (CHANGE, PROBE):
        row = rows.pop(name)
        assert (row["proven_in"], row["undone_in"], row["flagged"]) == (latest, None, False)
        assert datetime.fromisoformat(row["proven_at"]) - (NOW - timedelta(days=89)) < timedelta(minutes=10)
    assert all(row["flagged"] and row["proven_at"] is None for row in rows.values())


def test_what_no_schedule_can_try_is_told_with_why(incident: Incident, aws: Vaulted) -> None:
    """Whether it is flagged or not; of probes and notices there is nothing to try."""
    assert aws.environment.kind == "sandbox"
    rows = {
        row["name"]: row["cannot_be_tried"]
        for row in incident("runbook", "actions", "--proven", "--json").json["actions"]
    }
    assert rows["rds.snapshot"] == "it has no undo: the snapshot stays, as evidence"
    assert rows["rds.restore_test"] == "the recovery test does"
    assert [rows[name] for name in (CHANGE, PROBE)] == [None, None]
    assert (
        "  rds.snapshot  it has no undo: the snapshot stays, as evidence"
        in incident("runbook", "actions", "--proven").out
    )
    assert "Cannot be tried" not in incident("runbook", "actions", CHANGE, "--proven").out


@pytest.mark.parametrize(("days", "flagged"), [(89, False), (91, True)])
def test_one_action_is_asked_for(incident: Incident, aws: Vaulted, days: int, flagged: bool) -> None:
    name = drill(aws, "inc-20260801-aaaa", days)
    said = incident("runbook", "actions", CHANGE, "--proven")
    (line,) = (line for line in said.out.splitlines() if CHANGE in line)
    assert (" ! 2" in line) == flagged
    assert line.endswith(f" {name} │")
    assert f"{int(flagged)} of 1 are to be tried (!)" in said.out
    assert incident("runbook", "actions", "ecs.rolback", "--proven").status == 1


def test_what_cannot_be_read_proves_nothing_and_is_told(incident: Incident, aws: Vaulted) -> None:
    """The rest is still printed; the exit status says that it is not all."""
    broken = drill(aws, "inc-20260801-aaaa", days=2)
    alter(aws, broken, "garbled")
    said = incident("runbook", "actions", CHANGE, "--proven")
    assert said.status == 1
    assert "never" in said.out
    assert broken in said.err

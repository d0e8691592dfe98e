"""What has begun by itself is told the same by its record: folded, restored and run again."""

from datetime import timedelta

import pytest

from domain.config.approval import ApprovalClass
from domain.model.finding import FindingStatus
from domain.model.restoring import RestoredIncident
from domain.rehearsal.documents import Documents
from domain.rehearsal.record import read
from domain.rehearsal.rehearse import Rehearser
from domain.rules.evolve import fold
from domain.rules.live import LiveIncident
from domain.values.severity import Severity
from tests.activities.report_worlds import Played
from tests.builders import T0, declaration, minutes
from tests.preauthorising import carried, terms

CLASSES = dict.fromkeys(("test.rollback", "test.scale", "test.promote"), ApprovalClass.A2)


def played(severity: Severity = Severity.P0) -> Played:
    """A rollback that is applied by itself, at the finding or once the incident is raised; acknowledged later."""
    one = carried(terms(since=T0 - timedelta(days=1), until=T0 + timedelta(days=1)))
    incident = Played(declaration(preauthorisations=(one,), severity=severity))
    incident.wait(minutes(1))
    incident.find("deployments", FindingStatus.SUSPECT, "it is")
    incident.wait(timedelta(0))
    if severity is not Severity.P0:
        assert incident.say("reclassify", "cto", severity="P0", reason="all of it") is None
        incident.wait(timedelta(0))
    incident.plan("rollback")
    incident.end("rollback", "steady")
    assert incident.say("acknowledge", "devops-lead") is None
    incident.wait(minutes(10))
    return incident


@pytest.mark.parametrize("severity", [Severity.P0, Severity.P1])
def test_run_again_it_makes_no_difference(severity: Severity) -> None:
    record = read(played(severity).entries)
    assert (record.doubtful, Rehearser(CLASSES).rehearse(record, Documents.of(record.declaration))) == ([], [])


def test_its_record_is_its_state() -> None:
    incident = played()
    assert fold(incident.entries) == incident.incident.state


@pytest.mark.parametrize("upto", range(1, 40))
def test_restored_it_begins_no_second_time(upto: int) -> None:
    """Wherever the record was cut: once in all, and not where it stands already."""
    entries = played().entries[:upto]
    state = fold(entries)
    found = RestoredIncident(
        state=state, length=len(entries), head=entries[-1].hash, until=entries[-1].at, epoch=1, term=2
    )
    restored = LiveIncident.restored(found, T0 + minutes(30))
    for minute in (30, 31, 60):
        restored.pass_time(T0 + minutes(minute))
    suspect = bool(state.suspects())
    assert [one.generation for one in restored.state.changes] == ([1] if suspect else [])

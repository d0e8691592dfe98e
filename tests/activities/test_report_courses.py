"""The report of incidents that went another way: reopened, hardly begun, moved deadlines, late duties."""

import json
from datetime import timedelta

import pytest

from domain.model.finding import FindingStatus
from reporting.formats.rendering import rendered
from tests.activities.report_parts import SYDNEY, parts
from tests.activities.report_worlds import Played, breach
from tests.builders import declaration, minutes, owed, with_notices


def test_a_duty_done_after_the_latest_instant_is_late() -> None:
    """One that is due as soon as practicable is late behind its ceiling; one whose deadline was moved counts by it."""
    told = parts(breach())["Obligations and facts"]
    patients = next(line for line in told if line.startswith("Notify the affected patients") and "signed" not in line)
    assert "no, 9d late" in patients
    assert "not done yet" not in patients


def test_the_first_acknowledgement_counts_after_a_reopening() -> None:
    played = Played(declaration(obligations={}))
    played.say("acknowledge", "devops-lead", minutes(4))
    played.say("mitigated", "devops-lead", minutes(6), summary="restarted")
    played.say("reopen", "devops-lead", minutes(30), reason="it came back")
    played.say("acknowledge", "devops-lead", minutes(9))
    told = parts(played.entries)
    assert "Time to acknowledge (for MTTA) | 4m" in told["Service levels"]
    assert any("It was reopened once." in line for line in told["Summary"])
    assert "It is not mitigated yet. Severity: P0." in told["Impact"]
    assert json.loads(rendered(played.entries, "json", SYDNEY))["seconds_to"]["acknowledged"] == 240.0


def test_an_incident_of_nothing_but_its_declaration() -> None:
    """What did not happen is said, not left out."""
    told = parts(Played(declaration(obligations={})).entries)
    assert "Nothing was looked at." in told["What was found"]
    assert "Nobody asked for a change." in told["What was changed"]
    assert "Nobody has decided anything yet." in told["Decisions"]
    assert "Time to resolve (for MTTR) | not yet" in told["Service levels"]
    assert "Nobody has written anything about it yet." in told["Contributing factors and lessons"]


def test_a_moved_deadline_counts_as_it_stands() -> None:
    """A duty that was overdue by a wrong fact, and in time by the right one, was in time."""
    played = Played(declaration(obligations=owed(), runbook=with_notices()))
    played.say("acknowledge", "devops-lead")
    played.say("record_fact", "cto", fact="belief_at", at="2026-11-20T03:00:00Z", reason="as the log says")
    played.wait(timedelta(hours=2))
    told = [line for line in parts(played.entries)["Obligations and facts"] if line.startswith("Make the statement")]
    assert "no, not done yet" in told[0]
    played.say("record_fact", "cto", fact="belief_at", at="2026-11-23T02:00:00Z", reason="the log's clock was wrong")
    for role in ("privacy-officer", "cto"):
        assert played.say("discharge_obligation", role, step="statement", reference="NDB-1") is None
    told = [line for line in parts(played.entries)["Obligations and facts"] if line.startswith("Make the statement")]
    assert " | yes | NDB-1" in told[0]


@pytest.mark.parametrize("status", list(FindingStatus))
def test_each_finding_says_how_it_stands(status: FindingStatus) -> None:
    played = Played(declaration())
    played.find("health", status, "seen")
    assert f"Health | {status} | seen |  | " in parts(played.entries)["What was found"]

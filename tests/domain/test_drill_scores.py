"""The score of a drill follows from its record alone, and each point names the entry that shows it."""

from typing import Any

import pytest

from domain.model.finding import FindingStatus
from domain.model.timeline import Entry
from domain.rules import lifecycle
from reporting.drills.score import Score, is_drill, score
from tests.builders import declaration, minutes, owed
from tests.domain.record_ledgers import Recorded
from tests.drills import exercise

Scored = dict[str, tuple[bool, str]]


def begun(**changes: Any) -> Recorded:
    """A drill whose findings are there; its duty is the statement that opens with the fact `belief_at`."""
    asked = exercise(**changes)
    played = Recorded(declaration(mode="drill", drill=asked, phi=True, obligations=owed()))
    played.find("health", FindingStatus.OK, "the database answers")
    played.find("deployments", FindingStatus.SUSPECT, "3 of 3 tasks unhealthy")
    return played


def applied(played: Recorded, step: str) -> None:
    """A change that somebody asks for, others approve and that does well."""
    played.say("request_change", "development-lead", step=step)
    digest = played.plan(step)
    for voter in ("technical-manager",) if step == "rollback" else ("cto", "devops-lead"):
        played.vote(step, voter, digest=digest)
    played.end(step, "3 of 3 tasks healthy")


def closed(played: Recorded) -> None:
    played.say("mitigated", "devops-lead", summary="rolled back")
    played.say("resolve", "devops-lead", summary="steady")
    for step in ("assess", "review"):
        played.say("complete_task", "devops-lead", step=step)
    for step in [one.step for one in played.incident.state.open_obligations()]:
        for by in ("privacy-officer", "cto", "technical-manager"):
            played.say("obligation_not_required", by, step=step, reason="a drill")
    played.say("close", "devops-lead")


def well(**changes: Any) -> Recorded:
    played = begun(**changes)
    played.say("acknowledge", "devops-lead", minutes(3))
    applied(played, "rollback")
    closed(played)
    return played


def points(found: Score) -> Scored:
    return {point.name: (point.met, point.text) for point in found.points}


def kinds(played: Recorded, found: Score) -> dict[str, str]:
    """The kind of the entry that each point names."""
    entries: dict[int, Entry] = {entry.seq: entry for entry in played.entries}
    return {point.name: entries[point.entry].kind for point in found.points}


def test_a_drill_that_goes_well_has_passed() -> None:
    """Every point is met, by the entry of what was done; who knew is told."""
    played = well()
    found = score(played.entries)
    assert [name for name, (met, _) in points(found).items() if not met] == []
    assert (found.verdict, found.met, found.knew) == ("passed", len(found.points), "cto")
    assert kinds(played, found) == {
        "acknowledged in time": "acknowledged",
        "commander named": "acknowledged",
        "right finding looked at": "change-requested",
        "right change": "change",
        "nothing harmful": played.entries[-1].kind,
        "service levels": "resolved",
        "record whole": "closed",
    }


def test_one_that_nobody_answers_has_failed() -> None:
    """Its time is up: of the points that people could have met, none is."""
    played = begun()
    played.wait(minutes(120))
    played.incident.take(lifecycle.end_drill(played.incident.state, "time-box", "its time of 2h is up"), played.now)
    found = score(played.entries)
    assert (found.verdict, found.reason) == ("failed", "its time of 2h is up")
    assert {name for name, (met, _) in points(found).items() if met} == {"nothing harmful"}
    assert points(found)["acknowledged in time"][1] == "nobody acknowledged"
    assert kinds(played, found)["acknowledged in time"] == "clock"


@pytest.mark.parametrize("outcome", ["stopped", "gave-way"])
def test_one_that_was_stopped_is_neither(outcome: Any) -> None:
    played = begun()
    played.incident.take(lifecycle.end_drill(played.incident.state, outcome, "something real"), played.now)
    assert score(played.entries).verdict == "stopped"


def test_one_that_goes_on_is_running() -> None:
    assert score(begun().entries).verdict == "running"


def test_an_answer_that_is_late_counts_as_missed() -> None:
    """The entry is that of the deadline, not of the answer."""
    played = begun()
    played.say("acknowledge", "devops-lead", minutes(20))
    found = score(played.entries)
    assert points(found)["acknowledged in time"] == (False, "devops-lead acknowledged late")
    assert points(found)["commander named"][0]
    assert kinds(played, found)["acknowledged in time"] == "clock"


def test_the_right_finding_has_to_be_acted_on() -> None:
    """A change that nothing suggested is no look at it; a note that names it is."""
    played = begun()
    played.say("acknowledge", "devops-lead")
    played.say("request_change", "devops-lead", step="promote")
    assert points(score(played.entries))["right finding looked at"] == (False, "nobody acted on deployments")
    played.say("note", "cto", text="deployments: the last one broke it")
    found = score(played.entries)
    assert points(found)["right finding looked at"] == (True, "cto acted on deployments")
    assert kinds(played, found)["right finding looked at"] == "note"


def test_harm_that_was_asked_for_and_rejected_is_none() -> None:
    """It counts where it was applied, whatever else went well."""
    played = begun()
    played.say("acknowledge", "devops-lead")
    played.say("request_change", "development-lead", step="promote")
    assert points(score(played.entries))["nothing harmful"][0]
    digest = played.plan("promote")
    for voter in ("cto", "devops-lead"):
        played.vote("promote", voter, digest=digest)
    found = score(played.entries)
    assert not points(found)["nothing harmful"][0]
    assert kinds(played, found)["nothing harmful"] == "change"


def test_duties_and_facts_of_a_table_top() -> None:
    """Each fact recorded, each duty begun, and met in time: points of their own."""
    asked = {"kind": "simulation", "facts": ["belief_at"], "duties": ["statement"]}
    none = points(score(begun(**asked).entries))
    assert (none["fact belief_at"][0], none["duty statement began"][0], "duty statement met" in none) == (
        False,
        False,
        False,
    )
    played = begun(**asked)
    played.say("acknowledge", "devops-lead")
    played.say("record_fact", "privacy-officer", fact="belief_at", at="2026-11-23T03:02:00Z", reason="logs were read")
    some = points(score(played.entries))
    assert (some["fact belief_at"][0], some["duty statement began"][0], some["duty statement met"][0]) == (
        True,
        True,
        False,
    )
    played.say("discharge_obligation", "privacy-officer", step="statement", reference="draft")
    played.say("discharge_obligation", "cto", step="statement")
    found = score(played.entries)
    assert points(found)["duty statement met"][0]
    assert kinds(played, found)["duty statement met"] == "obligation"


def test_an_announced_drill_says_so() -> None:
    assert score(begun(announced=True).entries).knew == "everybody: it was announced"


def test_what_is_no_drill_has_no_score() -> None:
    played = Recorded(declaration())
    assert (is_drill(played.entries), is_drill(begun().entries)) == (False, True)
    with pytest.raises(ValueError, match="is no drill"):
        score(played.entries)


def test_a_record_with_an_entry_that_was_altered_is_not_whole() -> None:
    entries = well().entries
    altered = [entry.model_copy(update={"text": "quite otherwise"}) if entry.seq == 5 else entry for entry in entries]
    assert points(score(altered))["record whole"] == (False, "entry 5 does not follow")

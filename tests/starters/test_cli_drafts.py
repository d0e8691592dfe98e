"""A duty's drafts hold what the incident knows, whatever its facts and steps are called."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from starters.cli import drafts
from starters.errors import RefusedError
from starters.files.loading import lint
from starters.files.shipped import shipped_folder
from starters.options import Options
from tests.organisations.folders import written

FORM = "incident-report-form"
STATE: dict[str, Any] = {
    "id": "inc-20261123-7f3k",
    "mode": "live",
    "declared_at": "2026-11-23T03:00:00Z",
    "mitigated_at": None,
    "facts": [
        {"fact": "stopped_at", "value": "2026-11-23T04:00:00Z"},
        {"fact": "suspicion_at", "value": "2026-11-23T05:00:00Z"},
    ],
    "tasks": [
        {"step": "write-down", "status": "done", "note": "the sea wall"},
        {"step": "data-types", "status": "done", "note": "names"},
        {"step": "attack-vector", "status": "open", "note": None},
    ],
    "changes": [
        {"status": "applied", "plan": {"summary": "Roll back"}},
        {"status": "rejected", "plan": {"summary": "Stop it all"}},
    ],
    "obligations": [
        {"step": "authority", "obligation": "authority-told"},
        {"step": "statement", "obligation": "ndb-statement"},
    ],
}


def _draft(folder: Path, step: str, name: str) -> str:
    return drafts.drafts(Options(runbooks=str(folder)), STATE, step)[name]


def test_a_template_takes_facts_notes_and_measures_by_their_own_names(tmp_path: Path) -> None:
    """Facts stand in by their ids and notes by their steps; what nobody knows yet is marked as to be filled in."""
    signed = ("signers: [harbour-master]", "signers: [harbour-master]\n    pack: [call.md]")
    folder = written(tmp_path, {"obligations.yaml": signed})
    (folder / "templates").mkdir()
    template = "$entity, $contact: $stopped_at; $write_down; $mitigated; $measures; $boats_delayed"
    (folder / "templates" / "call.md").write_text(template)
    assert _draft(folder, "authority", "call.md") == (
        "Blue Harbour Ferries, master@ferries.example: 2026-11-23 05:00:00 +01:00; the sea wall; "
        "[to be filled in: mitigated]; - Roll back; [to be filled in: boats delayed]"
    )


def test_the_shipped_statement_names_what_is_known(tmp_path: Path) -> None:
    """Of the statement to the regulator what is on record is filled in, and the rest left to people."""
    folder = Path(shutil.copytree(shipped_folder(), tmp_path / "axis"))
    text = _draft(folder, "statement", "ndb-statement.md")
    for known in ("Axis Imaging. Contact for this statement: privacy@axisimaging.com.au", "2026-11-23 16:00:00 +11:00"):
        assert known in text
    assert "names\n" in text
    assert "known: [to be filled in: attack vector]" in text


def test_the_incident_report_form_is_drawn_up_from_the_record() -> None:
    """A task has drafts too: the shipped form holds what is on record, and names its owner as the contact."""
    state = {**STATE, "type": "data-breach", "tasks": [*STATE["tasks"], {"step": FORM, "status": "open", "note": None}]}
    text = drafts.drafts(Options(runbooks=str(shipped_folder())), state, FORM)[f"{FORM}.md"]
    for known in ("Incident inc-20261123-7f3k of Axis", "compliance@axisimaging.com.au", "names\n", "- Roll back"):
        assert known in text
    assert "Root cause: [to be filled in: root cause]" in text


@pytest.mark.parametrize(
    ("file", "pair"),
    [
        ("obligations.yaml", ("signers: [harbour-master]", "signers: [harbour-master]\n    pack: [call.md]")),
        ("timetable-down.yaml", ("        due: 2d\n", "        due: 2d\n        pack: [call.md]\n")),
    ],
)
def test_a_template_that_is_not_there_is_no_surprise(tmp_path: Path, file: str, pair: tuple[str, str]) -> None:
    """Lint names the file that would be missing when the draft is asked for."""
    folder = written(tmp_path, {file: pair})
    assert [problem.message for problem in lint(folder)] == [
        f"there is no {folder / 'templates' / 'call.md'}: write that template, or take it off"
    ]


def test_a_duty_without_drafts_says_so(tmp_path: Path) -> None:
    """Where obligations.yaml names no draft there is none."""
    with pytest.raises(RefusedError, match="has no drafts"):
        _draft(written(tmp_path), "authority", "call.md")


def test_a_draft_of_a_drill_says_so_first() -> None:
    """Whoever finds it later must not send it."""
    options = Options(runbooks=str(shipped_folder()))
    (live,) = drafts.drafts(options, STATE, "statement").values()
    (drill,) = drafts.drafts(options, {**STATE, "mode": "drill"}, "statement").values()
    assert drill == f"DRILL\n\n{live}"


def test_a_task_of_a_kind_that_the_program_makes_has_no_drafts(tmp_path: Path) -> None:
    """Upkeep such as trials has no file."""
    options = Options(runbooks=str(written(tmp_path, {})))
    with pytest.raises(RefusedError, match="'data-types' has no drafts"):
        drafts.drafts(options, {**STATE, "type": "trials"}, "data-types")

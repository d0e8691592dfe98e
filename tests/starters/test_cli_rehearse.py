"""`incident rehearse`: stored incidents by the files of today, with the line that makes each difference."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from domain.config.reviews import REVIEW
from domain.model.declaration import Declaration
from domain.model.scheduled import ScheduledCall, ScheduledRun
from domain.rules import paging
from domain.simulation.play import Simulation
from domain.simulation.script import look, said
from starters.files.declarable import declarable
from starters.files.scheduled import declared
from starters.files.shipped import shipped_folder
from starters.files.simulated import CLASSES
from tests.builders import T0, incident_id, minutes
from tests.starters.conftest import Incident, Said
from tests.starters.ledgered import alter, keep
from tests.starters.vaulted import Vaulted

NIGHT = (
    "ack at 12m by devops-lead",
    "change rollback at 14m by devops-lead",
    "approve rollback at 17m by technical-manager",
    "mitigated at 21m by devops-lead",
    "resolve at 50m by devops-lead",
)
"""An outage of which the levels of a P0 hear, to its end."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped organisation, to be written in, and where it is the organisation of the command."""
    copy = Path(shutil.copytree(shipped_folder(), tmp_path / "axis-imaging"))
    monkeypatch.setenv("INCIDENT_RUNBOOKS", str(copy))
    return copy


def lived(number: int, type_: str, severity: str, lines: tuple[str, ...], *, phi: bool = False) -> Simulation:
    """An incident under the shipped files, to its end or for three hours, as it would be on record."""
    at = T0 + minutes(600 * number)
    found = declarable(shipped_folder(), type_, "sandbox", at)
    made = {"incident_id": incident_id(at), "title": "Down", "severity": severity, "declared_at": at, "phi": phi}
    declaration = Declaration.model_validate({**found, **made, "declared_by": "devops-lead"})
    played = Simulation(declaration, CLASSES, [look("recent-deployments=suspect@2m")], sealed=True)
    played.run([said(line) for line in lines], minutes(180))
    return played


@pytest.fixture
def stored(aws: Vaulted, folder: Path) -> list[str]:
    """An outage that was dealt with, one that nobody noticed for long, a breach, and something small."""
    return keep(
        aws,
        lived(1, "system-outage", "P0", NIGHT).incident,
        lived(2, "system-outage", "P0", ("ack at 40m by devops-lead",)).incident,
        lived(3, "data-breach", "P0", ("ack at 3m by security-lead",), phi=True).incident,
        lived(4, "performance", "P2", ("ack at 5m by devops-lead",)).incident,
    )


def test_nothing_differs_from_itself(incident: Incident, stored: list[str]) -> None:
    """The same release and the same files: no difference, nothing unknown, exit status 0."""
    told = incident("rehearse", "--json")
    assert (told.status, told.err) == (0, ""), told.out
    assert told.json == {"incidents": 4, "differences": [], "meant": [], "unused": [], "late": [], "unknown": []}
    assert incident("rehearse").out == "Nothing differs, of 4 incidents that were run again.\n"


def write(file: Path, was: str, would_be: str) -> int:
    """Replace the first occurrence; gives the line that it stands on."""
    text = file.read_text(encoding="utf-8")
    assert was in text, was
    file.write_text(text.replace(was, would_be, 1), encoding="utf-8")
    return text[: text.index(was)].count("\n") + 1


def causes(told: Said) -> set[str]:
    return {one["because"] for one in told.json["differences"]}


@pytest.mark.parametrize(
    ("file", "was", "would_be", "what", "because"),
    [
        (
            "organisation.yaml",
            "- {unacknowledged: 15m, unmitigated: 30m}",
            "- {unacknowledged: 10m, unmitigated: 30m}",
            "page of cto as cto",
            "severities.P0.levels.1.unacknowledged: 10m instead of 15m",
        ),
        (
            "organisation.yaml",
            "repage: 5m",
            "repage: 4m",
            "page of devops-lead",
            "severities.P0.repage: 4m instead of 5m",
        ),
        (
            "system-outage.yaml",
            "approval: {roles: [incident-commander, technical-manager], quorum: 1}",
            "approval: {roles: [incident-commander, cto], quorum: 1}",
            "approval of rollback",
            "steps.rollback.approval.roles: incident-commander, cto instead of incident-commander, technical-manager",
        ),
        (
            "system-outage.yaml",
            "within: 15m",
            "within: 10m",
            "deadline immediate",
            "phases.immediate.within: 10m instead of 15m",
        ),
        (
            "obligations.yaml",
            "due: {within: 5m, basis: policy, source: the runbook says immediately}",
            "due: {within: 6m, basis: policy, source: the runbook says immediately}",
            "duty",
            "obligations.privacy-officer-told.due.within: 6m instead of 5m",
        ),
        (
            "system-outage.yaml",
            "        suggested_by: [recent-deployments]\n",
            "",
            "suggestion of rollback",
            "steps.rollback.suggested_by: nothing instead of recent-deployments",
        ),
    ],
)
def test_the_line_that_makes_a_difference_is_told(
    incident: Incident, stored: list[str], folder: Path, file: str, was: str, would_be: str, what: str, because: str
) -> None:
    """File, line, key, and what it says instead of what; nothing else is told, and the exit status is 1."""
    line = write(folder / file, was, would_be)
    told = incident("rehearse", "--json")
    assert told.status == 1
    assert "not meant, such as because of" in told.err
    (found,) = causes(told)
    place, _, key = found.partition(" ")
    assert key == because
    assert place.startswith(f"{file}:")
    assert 0 <= line - int(place.partition(":")[2]) <= 4  # of what is gone, where it stood
    assert any(one["what"].startswith(what) for one in told.json["differences"])


def test_each_of_several_lines_is_told_with_what_it_makes(incident: Incident, stored: list[str], folder: Path) -> None:
    write(
        folder / "organisation.yaml",
        "- {unacknowledged: 15m, unmitigated: 30m}",
        "- {unacknowledged: 10m, unmitigated: 30m}",
    )
    write(folder / "system-outage.yaml", "within: 15m", "within: 10m")
    write(folder / "system-outage.yaml", "title: System outage", "title: The portal is down")
    told = incident("rehearse", "--json").json["differences"]
    deadline = {one["because"] for one in told if one["what"] == "deadline immediate"}
    assert [one.partition(" ")[2] for one in deadline] == ["phases.immediate.within: 10m instead of 15m"]
    chain = {one["because"].partition(" ")[2] for one in told if one["what"] == "page of cto as cto"}
    assert chain == {"severities.P0.levels.1.unacknowledged: 10m instead of 15m"}
    assert not any("title" in one["because"] for one in told)


def test_differences_that_are_meant(incident: Incident, stored: list[str], folder: Path) -> None:
    """They are told apart and count no more; a row that fits nothing is told by its line."""
    write(folder / "organisation.yaml", "- {unacknowledged: 15m", "- {unacknowledged: 10m")
    rows = (
        "- {what: 'page of *', because: organisation.yaml*, reason: Sooner since November.}",
        "- {what: notice *, reason: Nobody is told.}",
    )
    (folder / "rehearsal.yaml").write_text("meant:\n  " + "\n  ".join(rows) + "\n", encoding="utf-8")
    told = incident("rehearse", "--json")
    assert (told.status, told.json["differences"], told.json["unused"]) == (0, [], ["rehearsal.yaml:3"])
    assert {one["what"] for one in told.json["meant"]} >= {"page of cto as cto"}
    assert "rehearsal.yaml:3: 'notice *' fits nothing any more" in told.err
    assert incident("runbook", "lint", str(folder)).status == 0
    of_one = "meant:\n  - {what: '*', incident: another, reason: Only that one.}\n"
    (folder / "other.yml").write_text(of_one, encoding="utf-8")
    assert incident("rehearse", "--meant", str(folder / "other.yml")).status == 1


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("meant:\n  - {what: page of cto}\n", 2, "is missing; add it"),
        ("meant:\n  - {what: a, reason: b}\n  - {what: a, reason: c}\n", 3, "fits the same as a row before"),
        ("meant:\n  - {what: a, reason: b, becaus: c}\n", 2, "did you mean 'because'?"),
    ],
)
def test_what_is_meant_is_linted(incident: Incident, folder: Path, text: str, line: int, said: str) -> None:
    """With its line, by lint of the folder and by the command itself, before anything is read."""
    (folder / "rehearsal.yaml").write_text(text, encoding="utf-8")
    for arguments in (("runbook", "lint", str(folder)), ("rehearse",)):
        told = incident(*arguments)
        assert told.status == 2
        assert f"rehearsal.yaml:{line}: " in told.err
        assert said in told.err


def test_a_record_that_cannot_be_read_is_unknown(incident: Incident, aws: Vaulted, stored: list[str]) -> None:
    """The others are rehearsed all the same, and the exit status is 1."""
    alter(aws, stored[1], "rewritten")
    alter(aws, stored[2], "garbled")
    told = incident("rehearse", "--json")
    assert (told.status, told.json["incidents"], told.json["differences"]) == (1, 2, [])
    assert told.json["unknown"] == [
        {"incident": stored[1], "reason": "the chain is broken at entry 2"},
        {"incident": stored[2], "reason": "an entry cannot be read"},
    ]
    assert "2 records cannot be read" in told.err


def test_a_type_that_has_no_runbook_any_more(incident: Incident, stored: list[str], folder: Path) -> None:
    (folder / "performance.yaml").unlink()
    told = incident("rehearse", "--json")
    assert told.status == 1
    assert told.json["differences"] == [
        {
            "incident": stored[3],
            "what": "runbook",
            "was": "performance",
            "would_be": None,
            "because": "performance.yaml: there is none of this type any more",
        }
    ]


def test_upkeep_that_the_program_made_a_runbook_for(incident: Incident, aws: Vaulted, folder: Path) -> None:
    """A review of runbooks is in no file: it is rehearsed as it was made, under the organisation of today."""
    run = ScheduledRun(schedule="reviews", environment="sandbox", declares=REVIEW)
    made = declared(shipped_folder(), ScheduledCall(run=run, at=T0, now=T0))
    played = Simulation(made.model_copy(update={"incident_id": incident_id(T0)}), CLASSES, (), sealed=True)
    played.run((), minutes(60 * 24 * 20))
    keep(aws, played.incident)
    told = incident("rehearse", "--json")
    assert (told.status, told.json["incidents"], told.json["differences"]) == (0, 1, [])
    owner = made.runbook.on_call[0]
    write(folder / "organisation.yaml", f"roles: [{owner}]", f"roles: [{owner}, of-the-watch]")
    assert incident("rehearse").status == 0


def test_only_what_was_declared_since(incident: Incident, stored: list[str]) -> None:
    assert incident("rehearse", "--since", "2026-11-25", "--json").json["incidents"] == 1
    assert incident("rehearse", "--since", "a day").status == 2


def test_from_archives_without_aws(
    incident: Incident, stored: list[str], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exported records are rehearsed from their files alone; a damaged one is unknown."""
    kept = tmp_path / "archives"
    kept.mkdir()
    for name in stored[:3]:
        assert incident("audit", "export", name, "-o", str(kept / f"{name}.zip")).status in {0, 1}
    monkeypatch.delenv("INCIDENT_ENVIRONMENT")
    told = incident("rehearse", "--from", str(kept), "--json")
    assert (told.status, told.json["incidents"]) == (0, 3), told.err
    write(folder / "organisation.yaml", "repage: 5m", "repage: 10m")
    assert incident("rehearse", "--from", str(kept / f"{stored[1]}.zip"), "--json").json["incidents"] == 1
    (kept / "cut.zip").write_bytes((kept / f"{stored[0]}.zip").read_bytes()[:900])
    told = incident("rehearse", "--from", str(kept), "--json")
    assert (told.status, [one["incident"] for one in told.json["unknown"]]) == (1, ["cut.zip"])
    assert {one["incident"] for one in told.json["differences"]} == set(stored[:2])


def test_the_rules_of_another_release(incident: Incident, stored: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """No line explains it, and none is blamed; people read it as tables by cause."""

    def leads(state: Any, _elapsed: int) -> list[str]:
        return list(state.declaration.runbook.on_call[:1])

    monkeypatch.setattr(paging, "_leads", leads)
    assert causes(incident("rehearse", "--json")) == {"the rules of this release"}
    told = incident("rehearse")
    assert "Because of the rules of this release: 3 incidents" in told.out
    assert "page of development-lead" in told.out

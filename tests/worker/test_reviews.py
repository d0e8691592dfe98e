"""The review of a runbook as a worker looks at it: the files of its folder, and the ledger beside them, in moto."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from domain.config.reviews import REVIEW
from domain.model.activity_io import ObserveRequest
from domain.model.calls import Scope
from domain.model.declaration import Nominal
from domain.model.finding import Finding, FindingStatus
from domain.model.scheduled import ScheduledCall, ScheduledRun
from domain.values import limits
from domain.values.severity import Severity
from starters.files.organisation_folder import list_runbooks
from starters.files.scheduled import declared
from starters.files.shipped import shipped_folder
from tests.builders import T0
from tests.domain.histories import answered, closed, incident
from tests.house import about
from tests.reviews import read, reviewed
from tests.starters.ledgered import alter, keep
from tests.starters.vaulted import Vaulted, vaulted
from worker import folder_activities
from worker.folder import Folder

DAY = timedelta(days=1)
TYPE = "system-outage"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vaulted]:
    with vaulted(monkeypatch) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(shipped_folder(), tmp_path / "clinic"))


def look(world: Vaulted, folder: Path, type_: str = TYPE) -> Finding:
    """What the activity says of a runbook."""
    (review,) = (
        one
        for one in folder_activities.of_forensics(Folder(folder, "sandbox"), lambda _: world.clients)
        if one.__name__ == "review"
    )
    scope = Scope(
        incident="inc-20261130-7f3k",
        type=REVIEW,
        title="Review",
        severity=Severity.P3,
        mode="upkeep",
        declared_at=T0,
        environment=world.environment,
    )
    call = ObserveRequest(about=about(scope), step=f"look-{type_}", params={"type": type_}, at=T0 + 9 * DAY)
    found = ActivityEnvironment().run(review, call)
    assert isinstance(found, Finding)
    return found


def test_what_nobody_has_reviewed_or_used_is_told(world: Vaulted, folder: Path) -> None:
    found = look(world, folder)
    assert (found.status, found.summary) == (
        FindingStatus.SUSPECT,
        "Version 1.0, never reviewed before. No incident and no drill ever ran under it.",
    )
    (book,) = read(folder, TYPE)
    assert found.facts["substance"] == book.substance()


def test_what_differs_since_the_last_review_is_told_in_words(world: Vaulted, folder: Path) -> None:
    """Steps, approvals, pages; whose incidents used it since, and what nothing ever came of."""
    review, before, after = keep(
        world,
        reviewed(read(folder, TYPE), T0, "devops-lead", folder),
        incident(TYPE, "P0", answered(4), T0 - DAY),
        incident(TYPE, "P0", [*answered(4, 20, 60), *closed(70)], T0 + 3 * DAY),
    )
    file = folder / f"{TYPE}.yaml"
    text = file.read_text().replace("title: Error rate", "title: Errors").replace("owner: devops-lead", "owner: cto", 1)
    file.write_text(text)
    people = folder / "organisation.yaml"
    people.write_text(people.read_text().replace("repage: 5m", "repage: 10m", 1))
    found = look(world, folder)
    assert found.facts["last_review"] == review
    assert found.facts["incidents"] == [after]
    assert "error-rate: title: Errors instead of Error rate" in found.facts["differs"]
    less = "pages: P0, nobody acknowledges: devops-lead is paged less"
    assert any(line.startswith(less) for line in found.facts["differs"])
    assert found.summary.startswith(
        f"Version 1.0, last reviewed in {review} by devops-lead, who said: fit for use. Since then differs: "
    )
    assert f"It was used by {after} since." in found.summary
    assert before not in found.summary


def test_what_no_words_tell_is_still_told(world: Vaulted, folder: Path) -> None:
    """A title or a symptom is no step; the same text, under a version and a day, is the same."""
    keep(world, reviewed(read(folder, TYPE), T0, "devops-lead", folder))
    file = folder / f"{TYPE}.yaml"
    text = file.read_text()
    file.write_text(text.replace('version: "1.0"', 'version: "1.1"\nreviewed: 2026-11-24'))
    assert look(world, folder).facts["differs"] == []
    file.write_text(text.replace("title: System outage", "title: Outage"))
    (said,) = look(world, folder).facts["differs"]
    assert said == "no step, approval or page; something else in it does, which its file's history tells"


def test_what_cannot_be_read_makes_it_unknown(world: Vaulted, folder: Path) -> None:
    """It may have used any step: nothing is said to be unused as if all had been read."""
    (broken,) = keep(world, incident(TYPE, "P0", answered(4), T0))
    alter(world, broken, "cut out")
    found = look(world, folder)
    assert found.status is FindingStatus.UNKNOWN
    assert found.summary.endswith(f"Could not be read: {broken}.")


def test_a_schedule_declares_the_review_of_every_runbook() -> None:
    """A look and a task of each, for its owner; what is reviewed stands beside it on record."""
    run = ScheduledRun(schedule="quarterly", environment="sandbox", declares=REVIEW)
    made = declared(shipped_folder(), ScheduledCall(run=run, at=T0, now=T0 + DAY))
    known = list_runbooks(shipped_folder())
    assert [step.id for step in made.runbook.steps()] == [
        step for name in known for step in (f"look-{name}", f"review-{name}")
    ]
    owners = {step.id: step.owner for step in made.runbook.steps() if hasattr(step, "owner")}
    assert owners["review-database"] == "devops-lead"
    assert owners["review-data-breach"] == "security-lead"
    assert {name: book.id for name, book in made.related.items()} == {name: name for name in known}
    assert (made.mode, made.severity, made.scheduled) == ("upkeep", "P3", Nominal(schedule="quarterly", at=T0))
    assert limits.size(made.model_dump(mode="json", by_alias=True)) < limits.ITEM

"""A schedule's compliance pack as a worker makes it: kept once beside the reports, each broken record told by name."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from domain.config.runbook import ProbeStep, TaskStep
from domain.model.activity_io import Mode, ObserveRequest
from domain.model.calls import Scope
from domain.model.declaration import Declaration
from domain.model.finding import Finding, FindingStatus
from domain.model.scheduled import ScheduledCall, ScheduledRun
from starters.files.organisation_folder import load_organisation
from starters.files.scheduled import declared
from starters.files.shipped import shipped_folder
from tests.house import about
from tests.organisations.folders import written
from tests.packs import PERIOD, Quarter, quarter
from tests.starters.ledgered import alter
from tests.starters.vaulted import Vaulted, vaulted
from worker import folder_activities
from worker.folder import Folder

DUE = datetime.fromisoformat("2027-01-01T06:00+11:00")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vaulted]:
    with vaulted(monkeypatch) as made:
        yield made


@pytest.fixture
def known(world: Vaulted) -> Quarter:
    return quarter(world)


def run(now: datetime = DUE, after: datetime | None = None) -> Declaration:
    """What the schedule declares on New Year's Day."""
    of = ScheduledRun(schedule="compliance-pack", environment="sandbox", declares="compliance-pack")
    return declared(shipped_folder(), ScheduledCall(run=of, at=DUE, now=now, after=after))


def pack(world: Vaulted, declaration: Declaration, mode: Mode = "upkeep") -> Finding:
    """Let the probe of the pack look."""
    step = declaration.runbook.step("pack")
    assert isinstance(step, ProbeStep)
    (made,) = (
        one
        for one in folder_activities.of_forensics(Folder(shipped_folder(), "sandbox"), lambda _: world.clients)
        if one.__name__ == "pack"
    )
    scope = Scope(
        incident="inc-20270101-7f3k",
        type=declaration.runbook.id,
        title=declaration.title,
        severity=declaration.severity,
        mode=mode,
        declared_at=declaration.declared_at,
        environment=world.environment,
    )
    found = ActivityEnvironment().run(
        made, ObserveRequest(about=about(scope), step=step.id, params=step.params, at=DUE)
    )
    assert isinstance(found, Finding)
    return found


def kept(world: Vaulted) -> list[str]:
    """Every version of everything that stands where packs are kept."""
    found = world.clients.client("s3").list_object_versions(Bucket=world.bucket, Prefix="reports/packs/")
    return [one["Key"] for one in found.get("Versions", [])]


def test_it_is_the_quarter_before_for_who_answers_for_compliance() -> None:
    """However late it runs; the task says where the pack is."""
    made = run(now=DUE + timedelta(days=3))
    look, ask = made.runbook.steps()
    assert isinstance(look, ProbeStep)
    assert isinstance(ask, TaskStep)
    assert look.params == {"first": "2026-10-01", "last": "2026-12-31", "timezone": "Australia/Sydney"}
    assert (look.opens, look.key, "maintenance" in made.related) == ("maintenance", "audit:sandbox", True)
    assert (ask.owner, ask.due) == ("compliance-officer", timedelta(days=14))
    assert f"reports/packs/sandbox/{PERIOD}/" in ask.task
    assert made.mode == "upkeep"
    later = run(after=datetime(2026, 7, 1, tzinfo=UTC)).runbook
    assert later.title == "Compliance pack of sandbox, 2026-07-01..2026-12-31"


def test_it_is_kept_once_with_its_signature(world: Vaulted, known: Quarter) -> None:
    """Under a lock, as reports are; a repeat puts nothing new."""
    found = pack(world, run())
    assert (found.status, found.wrong) == (FindingStatus.OK, {})
    assert found.evidence is not None
    assert sorted(kept(world)) == [found.evidence.replace(".zip", ".json"), found.evidence]
    assert pack(world, run()) == found
    assert len(kept(world)) == 2
    stored = world.clients.client("s3").get_object(Bucket=world.bucket, Key=found.evidence)
    assert stored["ObjectLockMode"] == "GOVERNANCE"
    with ZipFile(BytesIO(stored["Body"].read())) as zipped:
        assert f"incidents/{known.drill}/chain.jsonl" in zipped.namelist()


@pytest.mark.usefixtures("known")
def test_a_dry_run_keeps_none(world: Vaulted) -> None:
    """What it would leave is not left: nothing is written on behalf of a dry run."""
    with pytest.raises(ApplicationError, match="writes, and a dry run only reads"):
        pack(world, run(), mode="dry-run")
    assert kept(world) == []


def test_a_broken_record_is_named(world: Vaulted, known: Quarter) -> None:
    """So that an incident of its own is opened for each."""
    alter(world, known.drill, "rewritten")
    found = pack(world, run())
    assert (found.status, list(found.wrong)) == (FindingStatus.SUSPECT, [known.drill])
    assert f"1 broken: {known.drill}" in found.summary


def test_without_an_officer_it_is_for_the_first_on_call(tmp_path: Path) -> None:
    """Any organisation has packs; its own clock says which days a month has."""
    folder = written(tmp_path)
    of = ScheduledRun(schedule="packs", environment="docks", declares="compliance-pack")
    made = declared(folder, ScheduledCall(run=of, at=DUE, now=DUE))
    people = load_organisation(folder)
    look, ask = made.runbook.steps()
    assert isinstance(look, ProbeStep)
    assert isinstance(ask, TaskStep)
    assert look.params["timezone"] == people.timezone
    assert look.params["last"] == "2026-11-30"  # it is still December there
    assert ask.owner == (people.on_call or people.chain)[0]

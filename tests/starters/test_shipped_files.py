"""The files that are shipped load, and those that are to be filled in are refused until they are."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.config.environment import Environment
from domain.config.organisation import Organisation
from domain.config.runbook import ChangeStep, ProbeStep
from domain.values import limits
from domain.values.placeholders import placeholders
from starters.files.declarable import declarable, fitted
from starters.files.loading import lint, load_runbook
from starters.files.organisation_folder import list_runbooks, load_environment, load_organisation
from starters.files.problems import InvalidFile
from starters.files.shipped import shipped_folder
from starters.files.yaml_lines import read
from tests.organisations.folders import written

ORGANISATION = "organisation.yaml"
ENVIRONMENT = "environments/docks.yaml"


def _shipped_organisation() -> Organisation:
    return load_organisation(shipped_folder())


def _shipped_environment() -> Environment:
    return load_environment(shipped_folder(), "sandbox")


@pytest.mark.parametrize("name", list_runbooks(shipped_folder()))
def test_every_shipped_type_can_be_declared(name: str) -> None:
    """What a declaration takes from the files fits on record, with room for the longest title and description."""
    found = declarable(shipped_folder(), name, "sandbox", datetime.now(UTC))
    own = load_runbook(shipped_folder(), name, _shipped_organisation(), _shipped_environment()).opens()
    related = {type_: runbook for type_, runbook in found["related"].items() if type_ in own}
    assert limits.size({**found, "related": related}) + 5_000 < limits.DECLARATION


def test_what_an_incident_opens_may_open_further_ones() -> None:
    """Missing audit logs open a security incident, whose finding opens a breach: both runbooks come with the first."""
    found = declarable(shipped_folder(), "audit-logging-failure", "sandbox", datetime.now(UTC))
    assert set(found["related"]) == {"security", "data-breach"}


def test_what_does_not_fit_is_left_out_from_afar() -> None:
    """A declaration with a long description keeps the runbooks that its own steps open, and is told without others."""
    found = declarable(shipped_folder(), "authentication-failure", "sandbox", datetime.now(UTC))
    assert set(found["related"]) == {"security", "system-outage", "data-breach"}
    kept = fitted({**found, "description": "x" * 4_000})
    assert set(kept["related"]) == {"security", "system-outage"}
    small = declarable(shipped_folder(), "maintenance", "sandbox", datetime.now(UTC))
    assert fitted(small) == small


def test_the_shipped_sandbox_loads_with_every_runbook() -> None:
    """What is shipped works as it is: organisation, sandbox, and every runbook against it."""
    folder = shipped_folder()
    environment = load_environment(folder, "sandbox")
    runbooks = [load_runbook(folder, name, _shipped_organisation(), environment) for name in list_runbooks(folder)]
    outage = next(runbook for runbook in runbooks if runbook.id == "system-outage")
    assert [step.id for step in outage.steps() if isinstance(step, ChangeStep)] == [
        "rollback",
        "scale-up",
        "maintenance-page",
    ]
    assert {step.probe for step in outage.steps() if isinstance(step, ProbeStep)} >= {
        "elbv2.target_health",
        "rds.status",
    }
    assert lint(folder) == []
    assert lint(folder.parent) == []


@pytest.mark.parametrize("name", ["staging", "production"])
def test_an_environment_to_fill_in_is_refused_with_every_placeholder(name: str) -> None:
    """What nobody has filled in yet cannot be used, and each such value is named with its line."""
    folder = shipped_folder()
    file = folder / "environments" / f"{name}.yaml"
    lines = file.read_text().splitlines()
    expected = [n for n, line in enumerate(lines, start=1) if not line.lstrip().startswith("#") and "XX" in line]
    expected += [n for n, line in enumerate(lines, start=1) if not line.lstrip().startswith("#") and "YOUR_" in line]
    with pytest.raises(InvalidFile) as refused:
        load_environment(folder, name)
    found = [problem.line for problem in refused.value.problems if problem.file == file]
    assert found == sorted(expected)
    assert len(found) == len(list(placeholders(read(file).data))) > 10
    assert load_environment(folder, name, allow_placeholders=True).account == "000000000000"
    assert {problem.file for problem in lint(file)} >= {file}


def _of_kind(kind: str, folder: Path) -> Path:
    """The docks as another kind of environment, without what is only injected elsewhere."""
    file = folder / ENVIRONMENT
    text, faults, _ = file.read_text().replace("kind: sandbox", f"kind: {kind}").partition("faults:")
    assert faults
    file.write_text(text)
    return folder


def test_nothing_is_injected_into_production(tmp_path: Path) -> None:
    """An environment of production that names faults is refused, at the line of the fault."""
    folder = written(tmp_path, {ENVIRONMENT: ("kind: sandbox", "kind: production")})
    with pytest.raises(InvalidFile, match=r"docks.yaml:47: faults.timetable-overloaded: would be injected into prod"):
        load_environment(folder, "docks")


@pytest.mark.parametrize(
    ("kind", "sender", "refused"),
    [("production", "", True), ("production", ', voice_sender: "+12025550109"', False), ("sandbox", "", False)],
)
def test_production_calls_nobody_without_a_number_to_call_from(
    tmp_path: Path, kind: str, sender: str, refused: bool
) -> None:
    """A contact's `voice` channel needs `voice_sender`; the problem names the contact and what is missing."""
    called = ('sms, address: "+12025550143"', 'voice, address: "+12025550143"')
    folder = _of_kind(kind, written(tmp_path, {ORGANISATION: called}))
    file = folder / ENVIRONMENT
    file.write_text(file.read_text().replace("watch@ferries.example", f"watch@ferries.example{sender}", 1))
    if not refused:
        assert load_environment(folder, "docks").kind == kind
        return
    with pytest.raises(InvalidFile, match=r"channels\[0\]\.kind: production has no notifications\.voice_sender"):
        load_environment(folder, "docks")


def test_production_never_pages_numbers_reserved_for_fiction(tmp_path: Path) -> None:
    """A production whose contacts cannot be reached by telephone is refused; a sandbox is not."""
    folder = _of_kind("production", written(tmp_path, {ORGANISATION: ("+12025550143", "+61491570110")}))
    with pytest.raises(InvalidFile) as refused:
        load_environment(folder, "docks")
    assert [str(problem).split(": ")[:2] for problem in refused.value.problems] == [
        [f"{folder / ORGANISATION}:8", "contacts[0].channels[0].address"]
    ]

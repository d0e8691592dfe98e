"""`drills.yaml`: what is wrong is told with its line; which scenario comes; what its declaration says."""

from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from activities.action import RuleError
from domain.config.drill import Drills
from domain.model.drill import DrillRun, PrepareCall
from starters.files.drilled import chosen, prepared, refuse_production
from starters.files.drills import load_drills
from starters.files.loading import lint
from starters.files.organisation_folder import load_environment
from starters.files.problems import InvalidFile
from starters.files.shipped import shipped_folder
from tests.drills import scenario
from tests.organisations.folders import HARBOUR, written

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
DOCKS = DrillRun(environment="docks", by="master")


@pytest.mark.parametrize(
    ("was", "becomes", "line", "says"),
    [
        ("type: timetable-down", "type: timetable-up", 6, "type: unknown incident type 'timetable-up'; did"),
        ("[errors]", "[grow]", 9, "findings[0]: unknown probe of timetable-down.yaml 'grow'; "),
        ("right: [grow]", "right: [errors]", 10, "right[0]: unknown change of timetable-down.yaml 'errors'"),
        ("[back]", "[grow]", 11, "harmful[0]: 'grow' is right as well; leave it out here or there"),
        ("fault: timetable-overloaded", "fault: rain", 8, "fault: unknown fault of the environments 'rain'"),
        ("    fault: timetable-overloaded\n", "", 3, "fault: is missing; say what is injected"),
        ("kind: response", "kind: simulation", 3, "duties: is missing; say what the table-top is about"),
        ("90m", "90", 12, "time_box: 90 has no unit"),
        ("harmful: [back]", "duties: [told]", 11, "duties[0]: unknown obligation of obligations.yaml 'told'"),
        ("harmful: [back]", "facts: [told]", 11, "facts[0]: unknown fact of obligations.yaml 'told'"),
        ("severity: P1", "severity: P9", 7, "severity: "),
    ],
)
def test_each_problem_is_told_with_line_field_and_remedy(
    tmp_path: Path, was: str, becomes: str, line: int, says: str
) -> None:
    folder = written(tmp_path, {"drills.yaml": (was, becomes)})
    (found,) = [str(problem) for problem in lint(folder)]
    assert found.startswith(f"{folder / 'drills.yaml'}:{line}: scenarios[0].{says}")


def test_the_shipped_files_have_one_for_each_main_incident() -> None:
    """And the sandbox can inject all of them."""
    drills, sandbox = load_drills(shipped_folder()), load_environment(shipped_folder(), "sandbox")
    assert {one.type for one in drills.scenarios} == {
        "system-outage",
        "data-breach",
        "security",
        "database",
        "performance",
    }
    assert {one.fault for one in drills.scenarios} <= set(sandbox.faults)
    assert Counter(one.kind for one in drills.scenarios) == {"response": 4, "simulation": 1}


def test_an_organisation_without_the_file_has_none(tmp_path: Path) -> None:
    folder = written(tmp_path)
    (folder / "drills.yaml").unlink()
    assert load_drills(folder).scenarios == ()
    with pytest.raises(RuleError, match=r"drills\.yaml has no scenario that docks has a fault for"):
        prepared(folder, load_environment(folder, "docks"), PrepareCall(run=DOCKS, now=NOW), [])


def drawn(count: int, **run: Any) -> list[str]:
    """The scenarios of so many drills, one after the other, of four in all, one of which cannot be injected."""
    made = [scenario(id=name) for name in ("one", "two", "three")] + [scenario(id="four", fault="other")]
    where = load_environment(HARBOUR, "docks").model_copy(update={"faults": {"bad": "breaker"}})
    played: list[str] = []
    for number in range(count):
        asked = DrillRun(environment="docks", **run)
        played.append(chosen(Drills(scenarios=tuple(made)), where, asked, played, seed=str(number)).id)
    return played


def test_none_comes_twice_before_all_have_come() -> None:
    """Nor twice on end; and not always in the same order."""
    played = drawn(30)
    rounds = [played[start : start + 3] for start in range(0, 30, 3)]
    assert {frozenset(one) for one in rounds} == {frozenset({"one", "two", "three"})}
    assert all(one != other for one, other in pairwise(played))
    assert len({tuple(one) for one in rounds}) > 1


def test_one_that_is_asked_for_comes_whenever_it_is() -> None:
    """One that the environment has no function for, and one that is unknown, are refused with what to do."""
    assert drawn(3, scenario="two") == ["two"] * 3
    with pytest.raises(RuleError, match="add it to the environment's faults"):
        drawn(1, scenario="four")
    with pytest.raises(RuleError, match="unknown scenario 'tow'; did you mean 'two'"):
        drawn(1, scenario="tow")
    with pytest.raises(RuleError, match="has no scenario of kind simulation"):
        drawn(1, kind="simulation")


def test_the_declaration_of_a_drill() -> None:
    """It says what the score asks for, and who knew; the environment is that of the drill."""
    made = prepared(HARBOUR, load_environment(HARBOUR, DOCKS.environment), PrepareCall(run=DOCKS, now=NOW), [])
    assert (made.mode, made.title, made.severity, made.declared_by) == (
        "drill",
        "No timetable on the quays",
        "P1",
        "orchestrator",
    )
    assert made.drill
    assert (made.drill.scenario.right, made.drill.knew, made.environment.name) == (("grow",), ("master",), "docks")


def test_without_a_runbook_for_what_stays_nothing_is_injected(tmp_path: Path) -> None:
    """A fault that cannot be withdrawn is seen to by it: that it is missing is found before."""
    folder = written(tmp_path)
    (folder / "maintenance.yaml").unlink()
    with pytest.raises(InvalidFile, match="maintenance"):
        prepared(folder, load_environment(folder, DOCKS.environment), PrepareCall(run=DOCKS, now=NOW), [])


def test_production_is_refused_before_anything(tmp_path: Path) -> None:
    """Whatever its files say of drills; a speed is for sandboxes."""
    docks, _, _ = (HARBOUR / "environments" / "docks.yaml").read_text().partition("faults:")
    folder = written(tmp_path)
    for kind in ("production", "staging"):
        text = docks.replace("kind: sandbox", f"kind: {kind}").replace("name: docks", f"name: {kind}")
        (folder / "environments" / f"{kind}.yaml").write_text(text)
    with pytest.raises(RuleError, match="production is production: drills are for sandboxes and staging"):
        refuse_production(load_environment(folder, "production"))
    staging = load_environment(folder, "staging")
    fast = PrepareCall(run=DrillRun(environment="staging", speed=60), now=NOW)
    with pytest.raises(RuleError, match="a speed is for sandboxes only"):
        prepared(folder, staging, fast, [])

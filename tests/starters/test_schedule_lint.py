"""Lint of `schedules.yaml`: names that lead nowhere, and times that a change of clocks would skip or double."""

import re
from pathlib import Path

import pytest

from domain.config.schedule import MADE
from starters.files import made
from starters.files.loading import lint
from starters.files.organisation_folder import list_runbooks, load_schedules
from tests.organisations.folders import HARBOUR, written
from tests.starters.conftest import Incident

_SKIPPED, _TWICE = "is skipped as the clocks go forward", "comes twice as the clocks go back"
_EITHER = f"({_SKIPPED}|{_TWICE})"
ROW = "  - {id: night-watch, declares: drift, at: "


def told(tmp_path: Path, rows: str, timezone: str = "Europe/Oslo") -> list[str]:
    """What lint says of these rows in a folder of that zone: line, field and message."""
    folder = written(tmp_path, {"organisation.yaml": ("Europe/Oslo", timezone)})
    (folder / "schedules.yaml").write_text(f"schedules:\n{rows}", encoding="utf-8")
    return [str(problem).removeprefix(f"{folder / 'schedules.yaml'}:") for problem in lint(folder)]


def test_the_file_is_no_runbook_and_need_not_be_there(tmp_path: Path) -> None:
    """An organisation without it does nothing by the clock."""
    assert "schedules" not in list_runbooks(HARBOUR)
    assert [row.id for row in load_schedules(HARBOUR, "Europe/Oslo").schedules]
    folder = written(tmp_path)
    (folder / "schedules.yaml").unlink()
    assert load_schedules(folder, "Europe/Oslo").schedules == ()
    assert lint(folder) == []


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            '  - {id: a, declares: drfit, at: "04:00"}',
            (
                "2: schedules[0].declares: unknown incident type or kind of run 'drfit'; did you mean 'drift'? known: "
                "compliance-pack, contact-validation, drift, drill, maintenance, recovery-test, runbook-review, "
                "timetable-down, trials"
            ),
        ),
        (
            '  - {id: a, declares: drift, at: "04:00", environments: [dock]}',
            "2: schedules[0].environments[0]: unknown environment 'dock'; did you mean 'docks'? known: docks",
        ),
        (
            '  - {id: a, declares: drift, at: "04:00", day: [1]}',
            (
                "2: schedules[0].day: unknown key 'day'; did you mean 'days'? known: at, catch_up, days, declares, "
                "environments, id, months, weekdays, with"
            ),
        ),
        ("  - {id: a, declares: drift, at: 10:00}", "2: schedules[0].at: 600 is read as int; put it in quotes"),
        (
            '  - {id: a, declares: drift, at: "4:00"}',
            "2: schedules[0].at: '4:00' is no time of day; write hours and minutes in quotes, such as \"09:30\"",
        ),
        (
            '  - {id: a, declares: drift, at: "04:00", days: []}',
            "2: schedules[0].days: is empty, and nothing would ever come; leave it out for every one",
        ),
        (
            '  - {id: a, declares: drift, at: "04:00"}\n  - {id: a, declares: drill, at: "05:00"}',
            "3: schedules[1].id: id 'a' stands on line 2 already; give each its own",
        ),
        (
            '  - {id: a, declares: drift, at: "04:00", days: [30], months: [2]}',
            "2: schedules[0].days[0]: 30 never comes in February; give another day or month",
        ),
    ],
)
def test_each_problem_is_told_with_line_field_and_remedy(tmp_path: Path, row: str, message: str) -> None:
    """As of every other file of the folder."""
    assert told(tmp_path, f"{row}\n") == [message]


def test_every_kind_of_run_that_the_program_makes_may_be_declared() -> None:
    """Whoever adds one adds it to both."""
    assert set(made.MADE) <= set(MADE)


@pytest.mark.parametrize(
    ("row", "refused"), [("", True), (", environments: [docks]", True), (", environments: [pier]", False)]
)
def test_changes_are_not_tried_in_production(tmp_path: Path, row: str, *, refused: bool) -> None:
    """A row that names it, or names nothing, is refused; the same row for a sandbox is not."""
    folder = written(tmp_path)
    docks = folder / "environments" / "docks.yaml"
    text = docks.read_text(encoding="utf-8")
    docks.with_stem("pier").write_text(text.replace("name: docks", "name: pier"), encoding="utf-8")
    docks.write_text(text.replace("kind: sandbox", "kind: production"), encoding="utf-8")
    file = folder / "schedules.yaml"
    file.write_text(f'schedules:\n  - {{id: a, declares: trials, at: "04:00"{row}}}\n', encoding="utf-8")
    said = [str(problem).removeprefix(f"{file}:") for problem in lint(file)]
    why = "2: schedules[0].declares: tries changes, and docks is production; name other environments in environments"
    assert said == ([why] if refused else [])


def test_what_leaves_work_needs_a_runbook_for_it(tmp_path: Path) -> None:
    """What upkeep finds, and a fault that stays, are seen to in incidents of one type."""
    folder = written(tmp_path)
    (folder / "maintenance.yaml").unlink()
    needs = "leaves its work to incidents of type maintenance, of which there is no runbook; write maintenance.yaml"
    said = [str(problem) for problem in lint(folder)]
    assert [one.split(": ")[1] for one in said if one.endswith(needs)] == [
        "scenarios[0].fault",
        *(f"schedules[{row}].declares" for row in range(4)),
    ]


def test_an_incident_type_of_the_folder_may_be_declared(tmp_path: Path) -> None:
    assert told(tmp_path, '  - {id: a, declares: timetable-down, at: "04:00"}\n') == []


@pytest.mark.parametrize(
    ("timezone", "at", "becomes", "safe"),
    [
        ("Australia/Sydney", "02:30", _EITHER, "03:00"),
        ("Australia/Sydney", "01:30", "is run twice by Temporal", "00:59"),
        ("Australia/Lord_Howe", "02:15", _SKIPPED, "02:30"),
        ("Australia/Lord_Howe", "01:45", _TWICE, "02:30"),
        ("Australia/Lord_Howe", "01:10", "is run twice by Temporal", "00:59"),
        ("Europe/Lisbon", "01:30", _EITHER, "02:00"),
        ("Europe/Lisbon", "00:20", "is run twice by Temporal", "02:00"),
        ("America/New_York", "01:30", _TWICE, "00:59"),
        ("Australia/Sydney", "03:00", None, None),
        ("Australia/Sydney", "00:59", None, None),
        ("Australia/Lord_Howe", "02:30", None, None),
        ("America/New_York", "00:30", None, None),
        ("UTC", "02:30", None, None),
    ],
)
def test_a_time_that_clocks_skip_or_double_is_refused(
    tmp_path: Path, timezone: str, at: str, becomes: str | None, safe: str | None
) -> None:
    """The next such day is named, and the nearest time that is safe."""
    said = told(tmp_path, f'{ROW}"{at}"}}\n', timezone)
    if becomes is None:
        assert said == []
        return
    (message,) = said
    day = rf"on \d+ \w+ 20\d\d in {timezone}"
    assert re.fullmatch(
        rf"2: schedules\[0\]\.at: {at} {becomes}.* {day}; the nearest time that is safe is {safe}", message
    )
    assert told(tmp_path, f'{ROW}"{safe}"}}\n', timezone) == []


def test_a_zone_that_is_none_is_said_of_the_organisation_alone(tmp_path: Path) -> None:
    """Nothing can be said of clocks then."""
    folder = written(tmp_path, {"organisation.yaml": ("Europe/Oslo", "Mars/Base")})
    assert [problem.field for problem in lint(folder)] == ["timezone"]


def test_only_days_that_the_schedule_comes_on_count(tmp_path: Path) -> None:
    """Sydney changes its clocks on first Sundays of April and October: other days have a 02:30."""
    first_week = "days: [1, 2, 3, 4, 5, 6, 7]"
    assert told(tmp_path, f'{ROW}"02:30", weekdays: [tuesday]}}\n', "Australia/Sydney") == []
    assert told(tmp_path, f'{ROW}"02:30", months: [3]}}\n', "Australia/Sydney") == []
    (message,) = told(tmp_path, f'{ROW}"02:30", {first_week}, weekdays: [sunday], months: [10]}}\n', "Australia/Sydney")
    assert "is skipped as the clocks go forward on" in message


def test_the_command_refuses_the_file(incident: Incident, tmp_path: Path) -> None:
    """Exit 2, before Temporal is asked."""
    folder = written(tmp_path, {"schedules.yaml": ('at: "04:30"', 'at: "02:30"')})
    for arguments in (
        ("runbook", "lint", str(folder / "schedules.yaml")),
        ("schedule", "list", "--runbooks", str(folder)),
    ):
        said = incident(*arguments, *([] if arguments[0] == "runbook" else ["--environment", "docks"]))
        assert said.status == 2
        assert f"{folder / 'schedules.yaml'}:4: schedules[0].at: 02:30 " in said.err

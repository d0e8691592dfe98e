"""A schedule that is deleted or paused runs no more: the watcher finds out by the ledger, and says so once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from activities.watching.watcher import Watcher
from domain.config.schedule import Schedule
from domain.model.declaration import Nominal
from domain.model.silence import Found
from starters.files.shipped import shipped_folder
from tests.activities.left_behind import run_of
from tests.activities.scopes import environment
from tests.activities.watched import Watched, all_at_once, watched
from tests.builders import T0, declaration, minutes, organisation
from worker.folder import Folder

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FIRST = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
"""The first 04:00 in Sydney after T0."""
NIGHTLY = Schedule(id="drift", declares="drift", at="04:00")
SUBJECT = "[P3] Schedule drift of production: it does not run: incident schedule apply"


@pytest.fixture
def here() -> Iterator[Watched]:
    guarded = organisation().model_copy(update={"security": "security-lead"})
    with watched(declaration(organisation=guarded, environment=environment())) as here:
        here.house.rows = {"drift": NIGHTLY}
        yield here


def ran(here: Watched, nominal: datetime, incident: str, **given: Any) -> None:
    """Have a run of the schedule on record."""
    played = run_of("drift", nominal, incident_id=incident, environment=here.house.place, **given)
    here.write(incident, *played.entries)
    here.aws.calls.clear()


def silent(here: Watched, at: datetime, watcher: Watcher | None = None) -> list[Found]:
    return [one for one in here.looks(at, watcher) if one.incident.startswith("schedule/")]


def test_two_runs_that_do_not_come_are_told_once(here: Watched) -> None:
    """An hour after the second was due, to the first of the chain and to whoever sees to security."""
    ran(here, FIRST, "inc-20261123-run0")
    assert silent(here, FIRST + 2 * DAY + HOUR - minutes(1)) == []
    assert here.pages() == []
    (found,) = silent(here, FIRST + 2 * DAY + 2 * HOUR)
    assert (found.incident, found.due_at, found.can_go_on) == ("schedule/production/drift", FIRST + DAY, False)
    assert found.what == "2 runs of drift"
    assert here.pages() == [("security-lead", SUBJECT), ("technical-manager", SUBJECT)]
    (again,) = silent(here, FIRST + 9 * DAY)
    assert again.paged == ()
    assert here.pages() == []


def test_it_is_told_by_mail_and_says_how_to_look(here: Watched) -> None:
    here.give_mail()
    ran(here, FIRST, "inc-20261123-run0")
    assert silent(here, FIRST + 3 * DAY)
    assert here.aws.sent("SendTextMessage") == []
    said = here.mailed()
    assert len(said) == 2
    for words in ("2 runs of drift", "24 Nov", "incident schedule show drift", "incident schedule apply"):
        assert all(words in one for one in said), words


def test_it_is_told_anew_once_it_has_run(here: Watched) -> None:
    ran(here, FIRST, "inc-20261123-run0")
    assert silent(here, FIRST + 3 * DAY)
    ran(here, FIRST + 4 * DAY, "inc-20261127-run1")
    assert silent(here, FIRST + 5 * DAY + 2 * HOUR) == []
    here.pages()
    assert silent(here, FIRST + 6 * DAY + 2 * HOUR)
    assert len(here.pages()) == 2


def test_one_that_is_put_off_is_not_missed(here: Watched) -> None:
    """A run accounts for all that was due until it ended."""
    ran(here, FIRST, "inc-20261123-run0", declared_at=FIRST + 3 * DAY)
    assert silent(here, FIRST + 4 * DAY + 2 * HOUR) == []
    assert silent(here, FIRST + 5 * DAY + 2 * HOUR)


def test_one_that_never_ran_is_missed_from_when_it_was_noticed(here: Watched) -> None:
    """By every worker, as it stands in the ledger since when that was."""
    assert silent(here, T0) == []
    assert silent(here, FIRST + 5 * HOUR) == []
    assert silent(here, FIRST + DAY + HOUR, here.another())
    assert len(here.pages()) == 2


def test_in_a_sandbox_one_that_never_ran_is_not_missed(here: Watched) -> None:
    """Nobody has to apply schedules there; those that ran are missed."""
    here.house.place = here.house.place.model_copy(update={"kind": "sandbox"})
    assert silent(here, T0) == []
    assert silent(here, FIRST + 9 * DAY) == []
    ran(here, FIRST + 9 * DAY, "inc-20261202-run0")
    assert silent(here, FIRST + 11 * DAY + 2 * HOUR)


def test_a_time_that_was_changed_counts_from_then(here: Watched) -> None:
    """What the file had otherwise before was not due at the new times; nor was it while the file did not have it."""
    ran(here, FIRST, "inc-20261123-run0")
    monthly = Schedule(id="drift", declares="drift", at="04:00", days=(1,))
    here.house.rows = {"drift": monthly}
    assert silent(here, FIRST + DAY) == []
    here.house.rows = {"drift": NIGHTLY}
    assert silent(here, FIRST + 4 * DAY) == []
    here.house.rows = {}
    assert silent(here, FIRST + 5 * DAY) == []
    here.house.rows = {"drift": NIGHTLY}
    assert silent(here, FIRST + 9 * DAY) == []
    assert silent(here, FIRST + 11 * DAY) == []
    assert silent(here, FIRST + 11 * DAY + 2 * HOUR)


def test_what_a_record_says_of_the_future_is_not_believed(here: Watched) -> None:
    """Whoever declares upkeep could hide a schedule by it for ever."""
    far = Nominal(schedule="drift", at=FIRST + 1000 * DAY, missed=(FIRST + 1001 * DAY,))
    ran(here, FIRST, "inc-20261123-run0", scheduled=far)
    assert silent(here, FIRST + 2 * DAY + 2 * HOUR)


def test_a_run_that_does_not_end_is_named(here: Watched) -> None:
    """No other begins meanwhile."""
    ran(here, FIRST, "inc-20261123-run0", ends=False)
    assert silent(here, FIRST + DAY + 2 * HOUR) == []
    here.give_mail()
    assert silent(here, FIRST + 2 * DAY + 2 * HOUR)
    assert any("no other begins meanwhile: inc-20261123-run0" in one for one in here.mailed())


def test_another_environments_run_is_none(here: Watched) -> None:
    """Though it stands in the same table, under a schedule of the same name."""
    ran(here, FIRST, "inc-20261123-run0")
    place = here.house.place
    here.house.place = place.model_copy(update={"name": "another"})
    ran(here, FIRST + DAY, "inc-20261124-run1")
    silent(here, FIRST + DAY + 3 * HOUR, here.another())  # who watches there puts it on record as over
    here.house.place = place
    assert silent(here, FIRST + 2 * DAY + 2 * HOUR)
    assert silent(here, FIRST + 2 * DAY + 3 * HOUR, here.another())


def test_of_two_watchers_one_tells(here: Watched) -> None:
    ran(here, FIRST, "inc-20261123-run0")
    here.at = FIRST + 3 * DAY
    all_at_once(*(here.another().look for _ in range(3)))
    assert here.pages() == [("security-lead", SUBJECT), ("technical-manager", SUBJECT)]


def test_it_is_looked_at_once_an_hour(here: Watched) -> None:
    """What stands of it in the ledger is not even asked for in between."""
    ran(here, FIRST, "inc-20261123-run0")
    assert silent(here, FIRST + 3 * DAY)
    assert silent(here, FIRST + 3 * DAY + minutes(59)) == []
    assert silent(here, FIRST + 3 * DAY + minutes(60))


def test_who_cannot_be_reached_is_told_an_hour_later(here: Watched) -> None:
    ran(here, FIRST, "inc-20261123-run0")
    here.aws.fail("SendTextMessage", "ThrottlingException")
    (found,) = silent(here, FIRST + 3 * DAY)
    assert found.paged == ()
    here.aws.answer("SendTextMessage", lambda _asked: None)
    here.pages()
    silent(here, FIRST + 3 * DAY + HOUR)
    assert here.pages() == [("security-lead", SUBJECT), ("technical-manager", SUBJECT)]


def test_a_worker_knows_the_schedules_of_its_own_environment(tmp_path: Path) -> None:
    """By its folder: none that is for others alone."""
    folder = tmp_path / "ours"
    copytree(shipped_folder(), folder)
    file = folder / "schedules.yaml"
    file.write_text(file.read_text().replace("environments: [sandbox, staging]", "environments: [staging]"))
    known = Folder(folder, "sandbox").schedules()
    assert known["drift"] == NIGHTLY
    assert "response-drill" not in known

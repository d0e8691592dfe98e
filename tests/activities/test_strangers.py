"""Requests that are none of ours are noted where they are refused, and one page an hour tells of them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.action import RuleError
from activities.ledger.table import Table
from activities.ledger.terms import SupersededError, Terms
from activities.registry import activities
from activities.strange_requests import Strange, StrangeRequestError, UnrecordedError, kind_of
from activities.watching.sheets import Sheet, Sheets
from domain.model.activity_io import AppendCall, PageRequest, Stranger
from domain.values.ids import FORENSICS_QUEUE, NOTIFY_QUEUE
from tests.activities.watched import Watched, all_at_once, watched
from tests.builders import CHAIN, T0, declaration, minutes
from tests.domain.record_ledgers import Recorded
from tests.house import asked_by, asking
from tests.records import INCIDENT

DEFINITION = "__temporal_activity_definition"
PATIENT = "Jane Citizen, born 1970"
ELSEWHERE = StrangeRequestError("another environment", Strange.ELSEWHERE)
UNRECORDED = UnrecordedError("not on record", type="NotYet")


@pytest.fixture
def here() -> Iterator[Watched]:
    with watched() as here:
        here.house.people = here.house.people.model_copy(update={"security": "security-lead"})
        yield here


def noted(here: Watched, *errors: Exception, incident: str | None = None, sheets: Sheets | None = None) -> None:
    taken = sheets or Sheets(here.house)
    for error in errors:
        taken.note(here.aws, error, "people.page", incident, here.at)


def test_what_honest_people_are_refused_is_not_strange() -> None:
    """A rule, an error of AWS's, a look that comes too early; and what only strangers ask for is told by its kind."""
    honest = [RuleError("not approved yet"), ApplicationError("not yet", type="NotYet"), ValueError("x")]
    assert [kind_of(error) for error in honest] == [None, None, None]
    assert kind_of(ELSEWHERE) is Strange.ELSEWHERE
    assert kind_of(SupersededError("term 2")) is Strange.OLDER_LIFE
    assert kind_of(UNRECORDED) is Strange.UNRECORDED


def test_one_page_an_hour(here: Watched) -> None:
    """With how much of each kind there was, and the first of it; to nobody but whoever sees to security."""
    noted(here, *[ELSEWHERE] * 3, SupersededError("term 2"), incident=INCIDENT)
    here.looks(minutes(1))
    assert f"people.page {INCIDENT}" in _said(here)
    assert here.pages() == [("security-lead", "[P1] Requests that are none of ours in production: 4 refused")]
    noted(here, *[ELSEWHERE] * 10, incident=INCIDENT)
    here.looks(minutes(60.9))
    assert here.pages() == []
    here.looks(minutes(61))
    assert here.pages() == [("security-lead", "[P1] Requests that are none of ours in production: 10 refused")]
    for at in (62, 121, 122, 300):
        here.looks(minutes(at))
    assert here.pages() == []


def test_of_several_watchers_one_pages(here: Watched) -> None:
    noted(here, ELSEWHERE)
    all_at_once(*(here.another().look for _ in range(3)))
    here.looks(minutes(2), here.another())
    assert len(here.pages()) == 1


def test_without_a_role_for_it_the_chain_hears_of_it(here: Watched) -> None:
    """The organisation's file may leave it out."""
    here.house.people = here.house.people.model_copy(update={"security": None})
    noted(here, ELSEWHERE)
    here.looks()
    assert [who for who, _ in here.pages()] == [CHAIN[0]]


def test_an_incident_whose_record_is_on_its_way_is_no_strangers(here: Watched) -> None:
    """A change or a notice may come before the first entry is written; a minute later it is, or somebody made it up."""
    sheets = Sheets(here.house)
    noted(here, UNRECORDED, UNRECORDED, incident=INCIDENT, sheets=sheets)
    here.looks(timedelta(seconds=59))
    assert here.pages() == []
    played = Recorded(declaration())
    here.write(INCIDENT, *played.entries)
    here.looks(minutes(1))
    assert here.pages() == []
    noted(here, UNRECORDED, incident="inc-20200101-evil", sheets=sheets)
    here.looks(minutes(1.5))
    assert here.pages() == []
    here.looks(minutes(2))
    assert [subject[-9:] for _, subject in here.pages()] == ["1 refused"]


def test_a_flood_costs_a_few_writes(here: Watched) -> None:
    """How much there was is told to the power of ten; one item a process holds it, whatever names are made up."""
    sheets = Sheets(here.house)
    for number in range(10_000):
        error = (ELSEWHERE, UNRECORDED)[number % 2]
        sheets.note(here.aws, error, "people.page", f"inc-20200101-{number:05d}", T0)
    written = [one for one in here.aws.sent("PutItem") if one["Item"]["pk"]["S"].startswith("stranger#")]
    assert len(written) < 220
    assert len({one["Item"]["sk"]["S"] for one in written}) == 1
    assert max(len(one["Item"]["content"]["S"]) for one in written) < 40_000
    here.looks(minutes(2))
    ((_, subject),) = here.pages()
    assert int(subject.split()[-2]) >= 2000


def test_nothing_of_a_request_is_kept_but_an_incident(here: Watched) -> None:
    """What it says may be about a patient."""
    page = registered(here, "people.page")
    asked = PageRequest.model_validate(
        {
            "about": {**Recorded(declaration()).incident.state.about.model_dump(), "incident": PATIENT},
            "page_id": PATIENT,
            "message": "page",
            "to": PATIENT,
            "role": "cto",
            "reason": PATIENT,
            "ask": PATIENT,
        }
    )
    with pytest.raises(ApplicationError, match="is no contact"):
        asking(asked).run(page, asked)
    (written,) = [one for one in here.aws.sent("PutItem") if one["Item"]["pk"]["S"].startswith("stranger#")]
    sheet = Sheet.model_validate_json(written["Item"]["content"]["S"])
    assert (sheet.counts, [one.incident for one in sheet.examples]) == ({Strange.NOBODY: 1}, [""])
    assert "Citizen" not in str(written)


def test_it_is_refused_all_the_same_where_that_cannot_be_noted(here: Watched) -> None:
    here.aws.fail("PutItem", "AccessDeniedException")
    page = registered(here, "people.page")
    about = {**Recorded(declaration()).incident.state.about.model_dump(), "environment": "another"}
    asked = PageRequest.model_validate(
        {"about": about, "page_id": "x", "message": "page", "to": "cto", "role": "cto", "reason": "r", "ask": "a"}
    )
    with pytest.raises(ApplicationError, match="is not its environment") as error:
        asking(asked).run(page, asked)
    assert error.value.type == "Refused"


def test_entries_that_do_not_belong_there_are_strange(here: Watched) -> None:
    """Forged ones, those of a life that was left behind, and whatever another workflow would write."""
    played = Recorded(declaration())
    here.write(INCIDENT, *played.entries)
    Terms(Table(here.aws, here.house.environment().ledger_table)).take(INCIDENT, "run-2")
    append = registered(here, "ledger.append")
    call = {"incident": INCIDENT, "environment": here.house.environment().name, "epoch": 1, "term": 1}
    last = played.entries[-1]
    forged = last.model_copy(update={"seq": last.seq + 5})
    played.say("note", "cto", text="from the past")
    for entries, kind in (([forged], Strange.FORGED), ([played.entries[-1]], Strange.OLDER_LIFE)):
        with pytest.raises(ApplicationError):
            as_workflow(INCIDENT).run(append, AppendCall(**call, entries=entries))
        sheet = here.aws.sent("PutItem")[-1]["Item"]["content"]["S"]
        assert kind in Sheet.model_validate_json(sheet).counts
    with pytest.raises(ApplicationError, match="does alone"):
        as_workflow("theirs").run(append, AppendCall(**call, entries=[last]))
    sheet = here.aws.sent("PutItem")[-1]["Item"]["content"]["S"]
    assert Strange.OTHERS in Sheet.model_validate_json(sheet).counts


def test_what_an_incident_did_not_believe_is_noted_with_its_entry(here: Watched) -> None:
    """The refusals of people are nobody's attack, and of a cancellation the incident itself pages."""
    played = Recorded(declaration())
    here.write(INCIDENT, *played.entries)
    written = len(played.entries)
    played.incident.refuse("note", "cto", "the incident has ended", T0)
    played.incident.refuse_cancel(T0)
    played.incident.disbelieve("answer to people.page", "it is none that the hands have given", T0)
    call = {"incident": INCIDENT, "environment": here.house.environment().name, "epoch": 1, "term": 1}
    entries = played.incident.timeline.entries[written:]
    as_workflow(INCIDENT).run(registered(here, "ledger.append"), AppendCall(**call, entries=entries))
    here.looks(minutes(1))
    assert f"answer to people.page {INCIDENT}" in _said(here)
    assert [subject[-9:] for who, subject in here.pages() if who == "security-lead"] == ["1 refused"]


@pytest.mark.parametrize("told", [Stranger(what="schedules.declare"), Stranger(what="a change", begun=True)])
def test_what_a_run_without_a_record_was_told_is_noted(here: Watched, told: Stranger) -> None:
    """An answer in the place of ours, and that it was begun by none of ours."""
    as_workflow("restore/x").run(registered(here, "strangers.note"), told)
    here.looks(minutes(1))
    assert [subject[-9:] for who, subject in here.pages() if who == "security-lead"] == ["1 refused"]


def as_workflow(name: str) -> ActivityEnvironment:
    """What asks for an activity."""
    environment = asked_by(name)
    environment.info = replace(environment.info, started_time=T0)
    return environment


def registered(here: Watched, name: str) -> Any:
    """An activity as a worker has it."""
    page: Any = None
    made = activities(lambda _: here.aws, page, here.house, (NOTIFY_QUEUE, FORENSICS_QUEUE))
    return next(one for some in made.values() for one in some if getattr(one, DEFINITION).name == name)


def _said(here: Watched) -> str:
    body: str = here.aws.sent("SendTextMessage")[-1]["MessageBody"]
    return body

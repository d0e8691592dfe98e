"""`incident contact`: codes that are said back, a lead's word, and what the ledger knows of who is reached."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowHandle

from domain.model.declaration import Declaration
from domain.model.event_kinds import Happening
from domain.model.scheduled import ScheduledCall, ScheduledRun
from domain.model.work_events import NoticeMoved
from domain.rules import lifecycle
from domain.rules.run import IncidentRun
from domain.values import codes, ids
from starters.cli import terminal
from starters.files.scheduled import declared
from starters.files.shipped import shipped_folder
from tests.activities.report_worlds import Played
from tests.builders import incident_id
from tests.starters.backstage import PLACE, Backstage, code_of
from tests.starters.conftest import Incident
from tests.starters.ledgered import alter, keep
from tests.starters.vaulted import Vaulted
from tests.waiting import until
from workflows import search_attributes

NOW = datetime.now(UTC).replace(microsecond=0)
CTO, LEAD_SMS = "confirm-cto-1", "confirm-devops-lead-1"


def validation(at: datetime) -> Declaration:
    """A contact validation of the shipped organisation, in its sandbox."""
    run = ScheduledRun(schedule="contacts", environment="sandbox", declares="contact-validation")
    made = declared(shipped_folder(), ScheduledCall(run=run, at=at, now=at))
    return made.model_copy(update={"incident_id": incident_id(at)})


class Open:
    """A validation that runs, whose codes were all sent."""

    def __init__(self, backstage: Backstage) -> None:
        self.backstage = backstage
        self.handle: WorkflowHandle[Any, Any] = backstage.run(self._start(validation(NOW)))
        until(lambda: {one["status"] for one in self.state()["notices"]} == {"sent"}, "all codes are sent")

    async def _start(self, made: Declaration) -> WorkflowHandle[Any, Any]:
        return await self.backstage.client.start_workflow(
            "Incident",
            IncidentRun(declaration=made),
            id=made.incident_id,
            task_queue=ids.task_queue(PLACE),
            search_attributes=search_attributes.pairs(made.runbook.id, "P3", made.mode),
        )

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = self.backstage.run(self.handle.query("state"))
        return found

    def task(self, step: str) -> dict[str, Any]:
        found: dict[str, Any] = next(one for one in self.state()["tasks"] if one["step"] == step)
        return found

    def code(self, step: str) -> str:
        """The code that came for a task."""
        notice = self.task(step)["code_of"]
        return next(code_of(one["sequence"]) for one in self.state()["notices"] if one["step"] == notice)


@pytest.fixture
def asked(backstage: Backstage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    monkeypatch.setenv("TEMPORAL_ADDRESS", backstage.address)
    backstage.start_workers()
    made = Open(backstage)
    yield made
    backstage.run(made.handle.terminate())
    backstage.stop_workers()


def test_codes_and_a_leads_word(incident: Incident, asked: Open) -> None:
    """A code confirms its own channel and is spent; a wrong one is refused and leaves nothing on record; without a
    code a lead confirms, with a note, also a party that has no code."""
    code, before = asked.code(CTO), len(asked.backstage.run(asked.handle.query("timeline")))
    wrong = incident("contact", "confirm", "AAAAA-BBBBB")
    assert (wrong.status, wrong.out, wrong.err.count("\n")) == (1, "", 1)
    assert len(asked.backstage.run(asked.handle.query("timeline"))) == before
    said = incident("contact", "confirm", code.lower(), "--as", "cto", "--json")
    assert said.status == 0, said.err
    assert said.json == [{"incident": asked.handle.id, "step": CTO, "title": "cto says the code that came by mail"}]
    assert (asked.task(CTO)["status"], asked.task(CTO)["by"]) == ("done", "cto")
    assert {one["status"] for one in asked.state()["tasks"]} == {"open", "done"}
    assert incident("contact", "confirm", code, "--as", "cto").status == 1
    by_note = ("contact", "confirm", "--for", "devops-lead", "--note", "met in the office")
    assert incident(*by_note, "--as", "cto").status == 1
    steps = {LEAD_SMS, "confirm-devops-lead-2"}
    assert {one["step"] for one in incident(*by_note, "--json").json} == steps
    assert {asked.task(step)["note"] for step in steps} == {"met in the office"}
    assert incident("contact", "confirm", "--for", "insurer", "--note", "rang").status == 0
    assert asked.task("hear-insurer")["note"] == "rang"
    nobody = incident("contact", "confirm", "--for", "nobody", "--note", "rang")
    assert (nobody.status, nobody.err) == (1, "no check of 'nobody' is open in sandbox: incident contact list\n")


@pytest.mark.parametrize("arguments", [(), ("CODE", "--for", "cto", "--note", "n"), ("--for", "cto"), ("--note", "n")])
def test_a_code_or_a_note(incident: Incident, arguments: tuple[str, ...]) -> None:
    """One of the two, whole."""
    said = incident("contact", "confirm", *arguments)
    assert (said.status, said.err.count("\n")) == (2, 1)


def past(days: int) -> Played:
    """A validation of so many days ago whose codes were sent: the CTO says theirs, the lead is heard of."""
    played = Played(validation(NOW - timedelta(days=days)))
    for number, notice in enumerate(played.incident.state.notices, start=1):
        digest = codes.digest(code_of(number), codes.about(played.incident.state.id, number))
        moved = NoticeMoved(step=notice.step, status="sent", sequence=number, code=digest)
        played.incident.take([Happening(moved)], played.now)
    numbers = {notice.step: notice.sequence for notice in played.incident.state.notices}
    assert played.say("complete_task", "cto", step=CTO, code=code_of(numbers["code-cto-1"] or 0)) is None
    assert played.say("complete_task", "devops-lead", step=LEAD_SMS, note="rang the duty phone") is None
    return played


def test_the_list_says_what_is_on_record_and_no_more(
    incident: Incident, aws: Vaulted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When and how each channel was last confirmed, what nobody answered since, what is open now; else unknown."""
    earlier, later = past(40), Played(validation(NOW - timedelta(days=1)))
    earlier.wait(timedelta(days=15))
    for link in list(earlier.incident.state.links):
        link.held = True
    earlier.incident.take(lifecycle.end_upkeep(earlier.incident.state, earlier.now), earlier.now)
    keep(aws, earlier.incident, later.incident)
    rows = {(one["contact"], one["channel"]): one for one in incident("contact", "list", "--json").json["contacts"]}
    cto, text, mail = rows["cto", "email"], rows["devops-lead", "sms"], rows["devops-lead", "email"]
    assert (cto["by"], cto["how"], cto["missed_at"]) == ("cto", "said the code that was sent", None)
    assert (text["by"], text["how"]) == ("devops-lead", "rang the duty phone")
    assert (mail["confirmed_at"], mail["missed_at"] is not None) == (None, True)
    assert rows["insurer", None]["missed_at"] is not None
    assert {one["open"]["incident"] for one in rows.values()} == {later.incident.state.id}
    assert cto["open"]["step"] == CTO
    monkeypatch.setattr(terminal, "_PIPE_WIDTH", 80)
    table = incident("contact", "list").out
    assert max(map(len, table.splitlines())) <= 80
    assert later.incident.state.id in table


def test_nothing_on_record_is_unknown(incident: Incident, aws: Vaulted) -> None:
    """Never asked, and a number that is not the one that was asked, are the same: nobody knows."""
    rows = incident("contact", "list", "--json").json["contacts"]
    assert {(one["confirmed_at"], one["open"], one["missed_at"]) for one in rows} == {(None, None, None)}
    assert len(rows) == 14
    assert incident("contact", "list").out.count("unknown") == len(rows)
    assert aws.environment.name == "sandbox"


def test_a_record_that_cannot_be_read_is_told(incident: Incident, aws: Vaulted) -> None:
    """The rest is listed, and the exit status says that it is not all."""
    (broken,) = keep(aws, past(3).incident)
    alter(aws, broken, "rewritten")
    said = incident("contact", "list", "--json")
    assert (said.status, said.json["unreadable"][0]["id"]) == (1, broken)
    assert {one["confirmed_at"] for one in said.json["contacts"]} == {None}

"""What whoever holds the queue of workflows would put on record, though nobody has signed just that: refused."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from activities.action import RuleError
from activities.ledger.appending import Appender
from activities.ledger.store import LedgerStore
from domain.config.runbook import Runbook
from domain.model import acts, commands, events, work_events
from domain.model.activity_io import AppendCall, FollowCall
from domain.model.declaration import Declaration
from domain.model.duty_records import Ending, Signature
from domain.model.events import Event
from domain.model.state import IncidentState
from domain.model.timeline import Timeline
from domain.rules import evolve, obligation_rules
from domain.rules.custody import behind_the_end
from domain.values.severity import Severity
from tests.activities.ledger_worlds import ledger_and_vault, place
from tests.activities.world import WorldClients
from tests.builders import T0, declaration, minutes, owed, runbook
from tests.house import house_of
from tests.people import PEOPLE
from tests.proven import Proving
from tests.records import INCIDENT

STAGING = place(kind="staging")
PRODUCTION = place(kind="production")


class Held:
    """A queue that somebody else holds: they write entries as they like, with proofs that they have seen."""

    def __init__(self, clients: WorldClients, book: Runbook | None = None, **declared: Any) -> None:
        fields: dict[str, Any] = {
            "environment": STAGING,
            "runbook": book or runbook(),
            "obligations": owed(),
            "phi": True,
        }
        self.clients = clients
        self.people = Proving(declaration(**{**fields, **declared}))
        self.declared: Declaration = self.people.incident.state.declaration
        self.house = house_of(self.declared)
        self.house.keys = PEOPLE.keys()
        self.timeline = Timeline()
        for entry in self.people.entries:
            self.timeline.append(
                entry.at, entry.actor, entry.kind, entry.text, entry.data, v=entry.v, cause=entry.cause
            )
        self.written = 0
        self.now = T0 + minutes(2)
        self.write()

    def write(self, timeline: Timeline | None = None, epoch: int = 1) -> int:
        timeline = timeline or self.timeline
        new = timeline.entries[self.written :]
        call = AppendCall(incident=INCIDENT, environment=self.declared.environment.name, epoch=epoch, entries=new)
        done = Appender(self.clients, self.house).append(call)
        self.written = timeline.length
        return done.epoch

    def put(self, actor: str, event: Event, cause: dict[str, Any] | None = None, at: datetime | None = None) -> None:
        self.timeline.record(at or self.now, actor, event, cause or {})

    def said(self, name: str, by: str, **given: Any) -> dict[str, Any]:
        """A cause with a genuine proof: the person has signed this."""
        self.people.now = self.now
        said = acts.given(acts.read(name, {"by": by, **given}))
        return {"command": name, "given": said, "proof": self.people.proof(name, by, **given)}

    def state(self) -> IncidentState:
        return evolve.fold(self.timeline.entries)

    def refused(self) -> None:
        with pytest.raises(RuleError):
            self.write()


@pytest.fixture
def clients() -> Iterator[WorldClients]:
    with ledger_and_vault() as made:
        yield made


@pytest.fixture
def held(clients: WorldClients) -> Held:
    return Held(clients)


def test_a_signature_for_one_duty_ends_no_other(held: Held) -> None:
    """Both sign that the assessment is done; it stands as the end of the statement to the regulator."""
    held.put("cto", *_begins(held))
    said = {"step": "assessment", "reference": "r", "outcome": "remediated"}
    ending = Ending(state="discharged", by="cto", done_at=held.now, reference="r", outcome="remediated")
    one, two = (
        held.said("discharge_obligation", "cto", **said),
        held.said("discharge_obligation", "privacy-officer", **said),
    )
    signatures = [_signature(one, "cto", held.now), _signature(two, "privacy-officer", held.now)]
    held.put("cto", work_events.DutySigned(step="statement", title="s", ending=ending, signatures=signatures), one)
    assert held.state().obligation("statement").state == "discharged"
    held.refused()


def _begins(held: Held) -> tuple[Event, dict[str, Any]]:
    """The statement begins (of a fact that is on record; left out here, as nothing looks)."""
    fields: dict[str, Any] = {"step": "statement", "title": "s", "obligation": "statement", "source": "law"}
    return work_events.DutyStarted(**fields, started_at=held.now, due_at=held.now + timedelta(hours=72)), {}


def _signature(cause: dict[str, Any], by: str, at: datetime) -> Signature:
    said: dict[str, Any] = {"command": cause["command"], "given": cause["given"], "proof": cause["proof"]}
    return Signature(by=by, role=by, at=at, **said)


def test_only_who_is_to_be_told_ends_a_duty_to_tell_them(held: Held) -> None:
    """The devops-lead acknowledges; by that the Privacy Officer counts as told."""
    cause = held.said("acknowledge", "devops-lead")
    ending = obligation_rules.told("devops-lead", held.now)
    held.put("devops-lead", work_events.DutySigned(step="officer-told", title="t", ending=ending), cause)
    assert held.state().obligation("officer-told").state == "discharged"
    held.refused()


def test_when_a_duty_was_done_is_as_it_was_signed(held: Held) -> None:
    """Both sign after forty days, ten too late; on record it was done on the first."""
    held.now = T0 + timedelta(days=40)
    said = {"step": "assessment", "reference": "r", "outcome": "remediated", "justification": "j"}
    one, two = (
        held.said("discharge_obligation", "cto", **said),
        held.said("discharge_obligation", "technical-manager", **said),
    )
    before = T0 + timedelta(days=1)
    ending = Ending(
        state="discharged", by="cto", done_at=before, reference="r", outcome="remediated", justification="j"
    )
    signatures = [_signature(one, "cto", before), _signature(two, "technical-manager", before)]
    held.put("cto", work_events.DutySigned(step="assessment", title="a", ending=ending, signatures=signatures), one)
    assert held.state().obligation("assessment").late is None
    held.refused()


def test_a_declared_fact_is_declared_once(held: Held) -> None:
    """The Privacy Officer moves the suspicion a day back, and signs; later it stands again as declared."""
    said: dict[str, Any] = {"fact": "suspicion_at", "at": "2026-11-22T03:00:00Z", "reason": "logs"}
    moved = T0 - timedelta(days=1)
    cause = held.said("record_fact", "privacy-officer", **said)
    held.put(
        "privacy-officer", work_events.FactRecorded(fact="suspicion_at", title="S", value=moved, reason="logs"), cause
    )
    held.write()
    again = work_events.FactRecorded(fact="suspicion_at", title="S", value=T0, reason="as declared")
    held.put("devops-lead", again, {"command": "start"}, at=T0)
    fact = held.state().fact("suspicion_at")
    assert fact is not None
    assert fact.value == T0
    held.refused()


def test_the_guard_believes_no_declaration_of_its_kind_of_environment(clients: WorldClients) -> None:
    """The worker's own file says staging; the first entry says sandbox, and all is unsigned from there."""
    _escapes(clients, environment=STAGING.model_copy(update={"kind": "sandbox"}))


def test_nothing_of_a_dry_run_goes_on_record(clients: WorldClients) -> None:
    _escapes(clients, mode="dry-run")


def _escapes(clients: WorldClients, **changes: Any) -> None:
    declared = declaration(**{"environment": STAGING, "runbook": runbook(), **changes})
    house = house_of(declared.model_copy(update={"environment": STAGING}))
    house.keys = PEOPLE.keys()
    timeline = Timeline()
    timeline.record(T0, "devops-lead", events.Declared(declaration=declared), {"command": "start"})
    timeline.record(T0, "ceo", events.FalseAlarm(reason="nobody said so"), {})
    call = AppendCall(incident=INCIDENT, environment=STAGING.name, epoch=1, entries=timeline.entries)
    with pytest.raises(RuleError):
        Appender(clients, house).append(call)


def _ends_with_one(clients: WorldClients, honest: Declaration, forged: Declaration) -> None:
    house, people = house_of(honest), Proving(forged)
    house.keys = PEOPLE.keys()
    people.wait(minutes(1))
    given: dict[str, Any] = {"step": "assessment", "reference": "r", "outcome": "remediated"}
    proof = people.proof("discharge_obligation", "devops-lead", **given)
    timeline = Timeline(entries=list(people.entries))
    missing = [role for role in ("technical-manager",) if forged.obligations.obligations[0].signers]
    role = "cto" if missing else "devops-lead"
    cause = {"command": "discharge_obligation", "given": given, "proof": proof}
    ending = Ending(state="discharged", by="devops-lead", done_at=people.now, reference="r", outcome="remediated")
    signed = work_events.DutySigned(
        step="assessment",
        title="a",
        ending=ending,
        signatures=[
            Signature(
                by="devops-lead", role=role, at=people.now, command="discharge_obligation", given=given, proof=proof
            )
        ],
        missing=missing,
    )
    timeline.record(people.now, "devops-lead", signed, cause)
    call = AppendCall(incident=INCIDENT, environment=STAGING.name, epoch=1, entries=timeline.entries)
    with pytest.raises(RuleError):
        Appender(clients, house).append(call)


def _with_code(required: bool = True) -> Runbook:
    plain = runbook().model_dump(mode="json", by_alias=True)
    plain["phases"][0]["steps"] += [
        {"id": "code", "notice": "test.tell", "title": "Code", "after": "5m"},
        {"id": "confirm", "task": "Confirm", "owner": "cto", "code_of": "code", "required": required},
    ]
    return Runbook.model_validate(plain)


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("waive_task", {"step": "confirm", "reason": "none"}),
        ("complete_task", {"step": "confirm", "note": "called back"}),
    ],
    ids=["waived", "by-the-owners-note"],
)
def test_a_required_task_with_a_code_is_not_ended_without_code_or_signature(name: str, payload: dict[str, Any]) -> None:
    """It is proven by its code, or by a signature; this has neither."""
    played = Proving(declaration(environment=STAGING, runbook=_with_code()))
    command = commands.INCIDENT_COMMANDS[name].model_validate({"by": "devops-lead", **payload})
    assert acts.counts(played.incident.state.declaration.runbook, command)


def test_a_task_with_a_code_is_not_ended_without_it_on_record(clients: WorldClients) -> None:
    held = Held(clients, _with_code())
    held.put("cto", work_events.TaskEnded(step="confirm", title="Confirm", status="done", note="said the code"), {})
    assert held.state().task("confirm").status == "done"
    held.refused()


def test_people_read_what_was_signed(held: Held) -> None:
    """The event says P1, as signed; the sentence that people read says something else."""
    cause = held.said("reclassify", "cto", severity="P1", reason="r")
    event = events.SeverityChanged(before=Severity.P0, after=Severity.P1, reason="r")
    held.timeline.append(
        held.now, "cto", event.kind, "cto closes the incident: a false alarm", event.data(), cause=cause
    )
    held.refused()


def test_a_found_key_dates_no_work_that_is_left_back(held: Held) -> None:
    """`ledger.follow` takes any time for its entry, and any kind, though the incident is open."""
    held.put("devops-lead", events.Noted(text="a day later", unsigned=True), at=held.now + timedelta(days=1))
    held.write()
    held.house.keys = PEOPLE.keys(cto=held.now + timedelta(hours=20))
    cause = held.said("false_alarm", "cto", reason="r")
    event = events.FalseAlarm(reason="r")
    said: dict[str, Any] = {"actor": "cto", "kind": event.kind, "text": "x", "data": event.data(), "cause": cause}
    call = FollowCall(incident=INCIDENT, environment=STAGING.name, number=1, term=1, at=held.now, **said)
    with pytest.raises(RuleError):
        Appender(held.clients, held.house).follow(call)


def test_who_may_not_lower_a_severity_does_not(held: Held) -> None:
    """A P0 is lowered by the cto or the ceo; the development-lead was refused."""
    cause = held.said("reclassify", "development-lead", severity="P3", reason="r")
    held.put("development-lead", events.SeverityChanged(before=Severity.P0, after=Severity.P3, reason="r"), cause)
    held.refused()


def test_a_release_that_a_command_wrote_behind_the_end_is_used_up(held: Held) -> None:
    """As `custody_writer` writes it, with the proof beside; whoever reads the record says it again."""
    said: dict[str, Any] = {"evidence": "e-1", "event": "released", "reason": "asked for", "to": "police"}
    cause = held.said("custody", "security-lead", **said)
    who = held.declared.organisation.contact("security-lead")
    assert who is not None
    command = commands.Custody.model_validate({"by": "security-lead", **said})
    entry = behind_the_end(command, who, cause["proof"])
    LedgerStore(held.clients, STAGING).follow(INCIDENT, entry, held.now)
    call = FollowCall(incident=INCIDENT, environment=STAGING.name, number=1, term=1, at=held.now, **entry.said())
    with pytest.raises(RuleError):
        Appender(held.clients, held.house).follow(call)

"""Records as they are: late, silent, of a dry run, cut; what of it makes a difference when they are run again."""

import pytest

from domain.config.approval import ApprovalClass
from domain.config.organisation import Organisation
from domain.config.runbook import Runbook
from domain.model.activity_io import Planned
from domain.model.commands import Acknowledge, Mitigated
from domain.model.finding import Finding, FindingStatus
from domain.model.records import ChangeStatus
from domain.rehearsal.documents import Documents
from domain.rehearsal.record import Record, read
from domain.rehearsal.rehearse import Rehearser
from domain.rules import change_requests, findings, lifecycle
from domain.rules.change import LiveChange
from domain.rules.change_messages import ChangeRequest
from domain.rules.evolve import NoIncidentError
from domain.rules.live import LiveIncident
from domain.values.severity import Severity
from domain.values.status import Status
from tests.builders import T0, declaration, minutes, organisation
from tests.domain.changing import plan
from tests.domain.histories import pass_until
from tests.domain.speaking import incident_in, say
from tests.domain.stored_incidents import stored

CLASSES = dict.fromkeys(("test.rollback", "test.scale", "test.promote"), ApprovalClass.A2)


def documents(record: Record) -> Documents:
    return Documents.of(record.declaration)


def without_promote(record: Record) -> Documents:
    """The same documents, but that the runbook offers one change less."""
    content = documents(record).runbook.model_dump(mode="json", by_alias=True)
    steps = content["phases"][0]["steps"]
    steps[:] = [step for step in steps if step["id"] != "promote"]
    return documents(record).model_copy(update={"runbook": Runbook.model_validate(content)})


def _outage(until: float, spoken_at: float) -> Record:
    """A P2 that is acknowledged and, so many hours later, mitigated; its clocks are looked at up to `until`."""
    incident = LiveIncident.declared(declaration(severity=Severity.P2, incident_id="inc-1"))
    incident.pass_time(T0)
    say(incident, "acknowledge", Acknowledge(by="devops-lead"), T0 + minutes(30))
    pass_until(incident, T0 + minutes(60 * until))
    say(incident, "mitigated", Mitigated(by="devops-lead", summary="over"), T0 + minutes(60 * spoken_at))
    return read(incident.timeline.entries)


@pytest.mark.parametrize(("until", "spoken_at"), [(2, 2), (8.5, 8.5), (7.9, 8.002)])
def test_who_is_heard_a_moment_before_the_clocks_makes_no_difference(until: float, spoken_at: float) -> None:
    """The chain was due after eight hours: long before, dealt with in time, or missed by seconds."""
    record = _outage(until, spoken_at)
    assert (record.doubtful, Rehearser(CLASSES).rehearse(record, documents(record))) == ([], [])


def test_what_stays_in_doubt_is_told_with_the_doubt() -> None:
    """An hour in which the chain was due, and the record says nothing: no worker ran, or the rules were others."""
    record = _outage(7.9, 9)
    told = Rehearser(CLASSES).rehearse(record, documents(record))
    (page,) = (one for one in told if one.difference.what == "page of technical-manager as technical-manager")
    assert page.difference.was is None
    assert page.leaves == ()
    assert (
        page.doubt == "unless no worker ran: the record says nothing from 2026-11-23T11:00:00Z to 2026-11-23T12:00:00Z"
    )


def test_a_dry_run_is_run_again() -> None:
    """It plans every change once its probes have answered, and ends by itself; nobody is paged."""
    incident = LiveIncident.declared(declaration(mode="dry-run"))
    incident.pass_time(T0)
    state = incident.state
    for step in findings.probes(state.declaration.runbook):
        found = findings.found(state, step, Finding(status=FindingStatus.SUSPECT, summary="seen"))
        incident.take(found, T0 + minutes(1), {"answer": "observe"})
    incident.take(change_requests.request_all(state), T0 + minutes(1))
    for record in state.changes_in_flight():
        made = LiveChange(ChangeRequest.of(state, record))
        made.planned(Planned(plan=plan()), T0 + minutes(2))
        news = made.news()
        assert news is not None
        incident.take(change_requests.progress(state, news.workflow_id, news.happenings()), T0 + minutes(2))
    incident.take(lifecycle.end_dry_run(state), T0 + minutes(2))
    assert (state.status, {one.status for one in state.changes}) == (Status.CLOSED, {ChangeStatus.PLANNED})
    stored_run = read(incident.timeline.entries)
    assert Rehearser(CLASSES).rehearse(stored_run, documents(stored_run)) == []
    told = Rehearser(CLASSES).rehearse(stored_run, without_promote(stored_run))
    assert {one.difference.what for one in told} == {"offer promote", "change promote/1"}


def test_what_closing_opens_is_no_input_of_its_own() -> None:
    """The close is on record behind the review that it asks for, and is heard again as what both came of."""
    content = organisation().model_dump(mode="json", by_alias=True)
    content["severities"]["P0"]["review"] = True
    incident = incident_in(Status.CLOSED, organisation=Organisation.model_validate(content))
    kinds = [entry.kind for entry in incident.timeline.entries]
    assert kinds[-2:] == ["linking", "closed"]
    record = read(incident.timeline.entries)
    assert Rehearser(CLASSES).rehearse(record, documents(record)) == []


def test_a_record_without_its_beginning_cannot_be_run_again() -> None:
    entries = list(stored(1)[0])
    for cut in ([], entries[1:]):
        with pytest.raises(NoIncidentError):
            read(cut)

"""Changes as their incident sees them: asked for, under way, planned again, undone."""

from typing import Any

import pytest

from domain.config.runbook import ChangeStep
from domain.model.change_events import ApprovalAsked, ChangeMoved, PlanMade, VoteCast
from domain.model.commands import Undo
from domain.model.effects import Send
from domain.model.event_kinds import Happening
from domain.model.events import Refused
from domain.model.records import IN_FLIGHT, ChangeStatus
from domain.rules import change_requests
from domain.rules.document import waiting_for
from domain.rules.live import LiveIncident
from domain.values.severity import Severity
from domain.values.status import Status
from tests.builders import LEADS, T0, declaration, minutes, runbook
from tests.domain.changing import plan
from tests.domain.requesting import NAME, applied, ask, hear, last_started, started, tell
from tests.domain.speaking import BY, incident_in, say


@pytest.mark.parametrize(
    ("step", "settings", "reason"),
    [
        ("rollback", {}, None),
        ("scale-up", {"count": 4}, None),
        ("promote", {}, None),
        ("rollback", {"service": "frontend"}, "'rollback' does not ask for service; it asks for nothing"),
        ("scale-up", {"count": 4, "b": 1, "a": 2}, "'scale-up' does not ask for a, b; it asks for count"),
        ("scale-up", {}, "'scale-up' needs count: give it with --set name=value"),
        ("health", {}, "'health' is no change of this runbook; it offers rollback, scale-up, promote"),
        ("assess", {}, "'assess' is no change of this runbook"),
        ("nothing", {}, "'nothing' is no change of this runbook"),
    ],
)
def test_what_can_be_asked_for(step: str, settings: dict[str, Any], reason: str | None) -> None:
    """A change takes the values that it asks for, all of them and no others."""
    incident = incident_in(Status.ACKNOWLEDGED)
    answer = ask(incident, step, **settings)
    if reason is None:
        assert answer is None
        assert started(incident) == [f"{NAME}/{step}/1"]
    else:
        assert reason in str(answer)
        assert started(incident) == []


def test_a_value_with_a_default_may_be_left_out() -> None:
    """What the runbook gives already need not be given again, and may be."""
    steps = [{"id": "scale", "change": "test.scale", "title": "Scale", "with": {"count": 4}, "ask": ["count"]}]
    book = runbook(phases=[{"id": "immediate", "title": "Immediate", "steps": steps}])
    given = [LiveIncident.declared(declaration(runbook=book)) for _ in range(2)]
    ask(given[0], "scale")
    ask(given[1], "scale", count=6)
    assert [incident.state.changes[0].params for incident in given] == [{"count": 4}, {"count": 6}]


@pytest.mark.parametrize("status", list(ChangeStatus))
def test_one_change_of_a_step_at_a_time(status: ChangeStatus) -> None:
    """A step is asked for again only when its last change has ended; other steps do not wait for it."""
    incident = incident_in(Status.ACKNOWLEDGED)
    ask(incident)
    incident.state.changes[0].status = status
    answer = ask(incident)
    if status in IN_FLIGHT:
        assert answer == f"{NAME}/rollback/1 is {status} already"
    else:
        assert answer is None
        assert started(incident) == [f"{NAME}/rollback/1", f"{NAME}/rollback/2"]
    assert ask(incident, "promote") is None


def test_drift_is_planned_again_once() -> None:
    """After `stale` the same request is planned anew; what the stale change says afterwards starts nothing more."""
    incident = incident_in(Status.ACKNOWLEDGED)
    ask(incident, "scale-up", count=4)
    tell(incident, ChangeStatus.STALE, "scale-up")
    stale = incident.state.changes[0]
    late = Refused(command="approve", reason="the change is stale", workflow_id=stale.workflow_id)
    hear(incident, stale, late, minute=11)
    assert started(incident) == [f"{NAME}/scale-up/1", f"{NAME}/scale-up/2"]
    again = incident.state.changes[1]
    assert (again.params, again.requested_by) == ({"service": "backend", "count": 4}, BY)
    assert incident.timeline.entries[-1].text == "Refused approve: the change is stale"


def test_planning_again_is_bounded() -> None:
    """A resource that drifts for ever is planned five times; then a person must ask, and may."""
    incident = incident_in(Status.ACKNOWLEDGED)
    ask(incident)
    while incident.state.changes_in_flight():
        tell(incident, ChangeStatus.STALE)
    assert len(incident.state.changes) == 5
    assert incident.timeline.entries[-1].text == "Roll back: stale 5 times; ask again by hand"
    assert ask(incident) is None
    tell(incident, ChangeStatus.REJECTED)
    ask(incident)
    tell(incident, ChangeStatus.STALE)
    assert incident.state.changes[-1].generation == 8


def test_a_stale_undo_is_planned_again_as_an_undo() -> None:
    """Drift under an undo asks for the undo again, not for the change."""
    incident = incident_in(Status.ACKNOWLEDGED)
    applied(incident)
    say(incident, "undo", Undo(by=BY, step="rollback"))
    tell(incident, ChangeStatus.STALE)
    again, undone = last_started(incident)
    assert (again.generation, again.undo_of, undone) == (3, 1, plan())


def test_nothing_is_planned_again_after_the_end() -> None:
    """Drift that is told to an ended incident starts nothing."""
    incident = incident_in(Status.ACKNOWLEDGED)
    ask(incident)
    incident.state.status = Status.FALSE_ALARM
    tell(incident, ChangeStatus.STALE)
    assert len(incident.state.changes) == 1


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({}, None),
        ({"status": ChangeStatus.ALREADY_DONE, "ours": True}, None),
        ({"status": ChangeStatus.ALREADY_DONE, "ours": False}, "what is not ours is not undone"),
        ({"made": plan(reversible=False)}, "test.rollback cannot be undone"),
        ({"status": ChangeStatus.FAILED}, None),
        ({"status": ChangeStatus.FAILED, "ours": None}, "nothing of 'rollback' has been applied"),
        ({"status": ChangeStatus.APPLYING}, "nothing of 'rollback' has been applied"),
    ],
)
def test_what_can_be_undone(record: dict[str, Any], reason: str | None) -> None:
    """Only what we applied ourselves and what can be reversed is undone: as a change of its own."""
    incident = incident_in(Status.ACKNOWLEDGED)
    ask(incident)
    tell(incident, **{"status": ChangeStatus.APPLIED, "made": plan(), "ours": True, **record})
    answer = say(incident, "undo", Undo(by="cto", step="rollback"))
    if reason is None:
        assert answer is None
        record_, undone = last_started(incident)
        assert (undone, record_.requested_by, record_.undo_of) == (plan(), "cto", 1)
        busy = say(incident, "undo", Undo(by="cto", step="rollback"))
        assert busy == f"{NAME}/rollback/2 is planning already"
    else:
        assert reason in str(answer)
        assert len(incident.state.changes) == 1


@pytest.mark.parametrize("status", [ChangeStatus.APPLIED, ChangeStatus.ALREADY_DONE])
def test_what_was_undone_is_marked(status: ChangeStatus) -> None:
    """Once an undo is applied the change that it reversed is `undone`, whatever comes late, and not undone twice."""
    incident = incident_in(Status.ACKNOWLEDGED)
    applied(incident)
    first = incident.state.changes[0]
    say(incident, "undo", Undo(by=BY, step="rollback"))
    assert incident.state.changes[0].status is ChangeStatus.APPLIED
    tell(incident, status, made=plan(), ours=True)
    names = {"step": "rollback", "workflow_id": first.workflow_id}
    hear(incident, first, ChangeMoved(**names, title="late", status=ChangeStatus.APPLIED), minute=12)
    assert [change.status for change in incident.state.changes] == [ChangeStatus.UNDONE, status]
    assert "nothing of" in str(say(incident, "undo", Undo(by=BY, step="rollback")))


def test_a_rejected_undo_leaves_the_change() -> None:
    """An undo that nobody approves changes nothing, and may be asked for again."""
    incident = incident_in(Status.ACKNOWLEDGED)
    applied(incident)
    say(incident, "undo", Undo(by=BY, step="rollback"))
    tell(incident, ChangeStatus.REJECTED)
    assert incident.state.changes[0].status is ChangeStatus.APPLIED
    assert say(incident, "undo", Undo(by=BY, step="rollback")) is None


def test_asking_twice_hides_nothing_from_undo() -> None:
    """A second request that found our own work done is passed over: the change that did it is undone."""
    incident = incident_in(Status.ACKNOWLEDGED)
    applied(incident)
    ask(incident)
    tell(incident, ChangeStatus.ALREADY_DONE, made=plan(before={"revision": 7}), ours=True)
    say(incident, "undo", Undo(by=BY, step="rollback"))
    record, undone = last_started(incident)
    assert (undone, record.undo_of) == (plan(), 1)


def test_what_a_change_says_is_taken_over() -> None:
    """What a change says stands in the incident: its record, its entries with their time, its clock, its pages."""
    incident = incident_in(Status.MITIGATED)
    ask(incident)
    change, paged = incident.state.changes[0], len(incident.state.pages)
    names: dict[str, Any] = {"step": "rollback", "workflow_id": change.workflow_id}
    people = ["technical-manager", "cto"]
    asked = ApprovalAsked(
        **names, title="Roll back", eligible=people, voters=["cto", "technical-manager"], until=T0 + minutes(20)
    )
    vote = Happening(VoteCast(**names, role="cto", decision="approve"), "cto", T0 + minutes(8))
    hear(incident, change, PlanMade(**names, plan=plan()), asked)
    incident.take(change_requests.progress(incident.state, change.workflow_id, [vote]), T0 + minutes(9))
    assert change.status is ChangeStatus.AWAITING_APPROVAL
    timer = incident.state.clock("approval:rollback")
    assert timer is not None
    assert (timer.due_at, timer.state) == (T0 + minutes(20), "running")
    written = next(e for e in incident.timeline.entries if e.kind == "approval")
    assert (written.at, written.actor, written.text) == (T0 + minutes(8), "cto", "cto (cto) approves")
    assert written.data == {**names, "role": "cto", "decision": "approve"}
    pages = incident.state.pages[paged:]
    assert [(page.to, page.role, page.level) for page in pages] == [
        ("cto", "cto", 2),
        ("technical-manager", "technical-manager", 1),
    ]
    assert "cto" in waiting_for(incident.state)


def test_a_stranger_s_progress_is_nobody_s() -> None:
    """A change that the incident never asked for changes nothing in it."""
    incident = incident_in(Status.ACKNOWLEDGED)
    ask(incident)
    before = incident.state.model_copy(deep=True)
    other = incident.state.changes[0].model_copy(update={"workflow_id": "inc-20261123-0000/rollback/1"})
    names = {"step": "rollback", "workflow_id": other.workflow_id}
    hear(incident, other, ChangeMoved(**names, title="forged", status=ChangeStatus.APPLIED))
    assert incident.state == before


@pytest.mark.parametrize(("severity", "pages"), [(Severity.P0, [*LEADS, "technical-manager"]), (Severity.P1, [])])
def test_denied_access_pages_once(severity: Severity, pages: list[str]) -> None:
    """In a P0 everybody who was paged learns once that the automation has lost its hands; below it, nobody."""
    incident = incident_in(Status.ACKNOWLEDGED, severity=severity)
    incident.pass_time(T0)
    before = len(incident.state.pages)
    for _ in range(3):
        ask(incident)
        tell(incident, ChangeStatus.FAILED, denied=True)
    told = incident.state.pages[before:]
    assert [page.to for page in told] == pages
    assert all("denies the automation access (test.rollback)" in page.reason for page in told)
    sent = [incident.state.pages[one.number - 1].to for one in incident.effects if isinstance(one, Send)]
    assert sent[len(sent) - len(pages) :] == pages


def test_a_dry_run_plans_what_needs_no_answer() -> None:
    """Every change is planned that asks a person for nothing; one that does is named."""
    incident = LiveIncident.declared(declaration(mode="dry-run"))
    incident.take(change_requests.request_all(incident.state), T0)
    assert started(incident) == [f"{NAME}/rollback/1", f"{NAME}/promote/1"]
    assert "Scale up: not planned, it needs count" in [entry.text for entry in incident.timeline.entries]
    offered = [step for step in incident.state.declaration.runbook.steps() if isinstance(step, ChangeStep)]
    assert len(offered) == 3

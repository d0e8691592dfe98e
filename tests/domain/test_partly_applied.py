"""A change that was done in part: what is on record, who is paged, what an undo takes back."""

from datetime import UTC

import pytest

from domain.model.activity_io import Applied
from domain.model.commands import Undo
from domain.model.records import ChangeStatus
from domain.rules.live import LiveIncident
from domain.values.local_time import Clock
from domain.values.status import Status
from reporting.content import response
from reporting.content.blocks import Table
from tests.builders import LEADS, T0, minutes
from tests.domain.changing import approve, heard, plan, waiting
from tests.domain.requesting import applied, ask, last_started, tell
from tests.domain.speaking import BY, incident_in, say

DENIED = "AccessDenied: AWS answered AccessDeniedException to UpdateWebACL"
PIECES = {"web": DENIED, "acl": "done", "group": "done"}
MADE = plan(before={"web": 1, "acl": 1, "group": 1, "same": 0}, after={"web": 2, "acl": 2, "group": 2, "same": 0})


def test_each_piece_is_on_record_with_what_came_of_it() -> None:
    """At once when applying answers, before the rest is verified, and again at the end."""
    made = waiting()
    made.record.plan = MADE
    approve(made, "technical-manager")
    heard(made)
    made.applied(Applied(outcome="applied", refused={"web": DENIED}), T0 + minutes(2))
    told = heard(made)
    assert told.data[-1]["pieces"] == PIECES
    said = f"2 of 3 pieces done; not done: web ({DENIED})"
    assert told.texts == [f"Applied in part, verifying: Roll back: {said}"]
    made.verified("3 of 3 as planned", T0 + minutes(3))
    assert (made.record.status, made.record.ours) == (ChangeStatus.PARTLY_APPLIED, True)
    assert made.record.reason == f"3 of 3 as planned; {said}"


def test_a_failed_verification_says_what_was_refused_too() -> None:
    """Whoever reads why it failed learns that it had not been done whole."""
    made = waiting()
    made.record.plan = MADE
    approve(made, "technical-manager")
    made.applied(Applied(outcome="applied", refused={"web": DENIED}), T0 + minutes(2))
    made.failed("VerificationFailed: somebody changed acl", T0 + minutes(3))
    assert made.record.status is ChangeStatus.FAILED
    assert f"not done: web ({DENIED})" in str(made.record.reason)


@pytest.mark.parametrize(
    ("commander", "pages"),
    [("cto", [("cto", "incident-commander")]), (None, [(role, role) for role in (*LEADS, "technical-manager")])],
)
def test_the_commander_is_paged_at_once(commander: str | None, pages: list[tuple[str, str]]) -> None:
    """With the pieces; while nobody commands, everybody who was paged."""
    incident = incident_in(Status.ACKNOWLEDGED)
    incident.pass_time(T0)
    incident.state.commander = commander
    ask(incident)
    before = len(incident.state.pages)
    tell(incident, ChangeStatus.VERIFYING, made=MADE, ours=True, pieces=PIECES)
    told = incident.state.pages[before:]
    assert [(page.to, page.role) for page in told] == pages
    assert {page.reason for page in told} == {f"done in part: Roll back: 2 of 3 pieces done; not done: web ({DENIED})"}
    tell(incident, ChangeStatus.PARTLY_APPLIED, ours=True)
    assert len(incident.state.pages) == before + len(pages)


def partly(incident: LiveIncident) -> None:
    ask(incident)
    tell(incident, ChangeStatus.VERIFYING, made=MADE, ours=True, pieces=PIECES)
    tell(incident, ChangeStatus.PARTLY_APPLIED, ours=True)


def test_an_undo_takes_back_what_was_done_alone() -> None:
    """What was refused stands as it stood, whatever became of it since."""
    incident = incident_in(Status.ACKNOWLEDGED)
    partly(incident)
    assert say(incident, "undo", Undo(by=BY, step="rollback")) is None
    _, undone = last_started(incident)
    assert undone is not None
    assert undone.is_sealed()
    assert undone.after == {"acl": 2, "group": 2, "same": 0}
    tell(incident, ChangeStatus.APPLIED, made=undone.reversed().sealed(), ours=True)
    assert [change.status for change in incident.state.changes] == [ChangeStatus.UNDONE, ChangeStatus.APPLIED]


@pytest.mark.parametrize("whole", [True, False])
def test_an_undo_that_is_done_in_part_can_be_asked_for_again(*, whole: bool) -> None:
    """The change stands as far as it was not taken back, and the next undo takes back the rest."""
    incident = incident_in(Status.ACKNOWLEDGED)
    if whole:
        applied(incident, made=MADE)
    else:
        partly(incident)
    status = incident.state.changes[0].status
    say(incident, "undo", Undo(by=BY, step="rollback"))
    _, undone = last_started(incident)
    assert undone is not None
    pieces = {name: DENIED if name == "acl" else "done" for name in undone.changing}
    tell(incident, ChangeStatus.VERIFYING, made=undone.reversed().sealed(), ours=True, pieces=pieces)
    tell(incident, ChangeStatus.PARTLY_APPLIED, ours=True)
    first = incident.state.changes[0]
    assert (first.status, first.refused) == (status, {} if whole else {"web": DENIED})
    assert say(incident, "undo", Undo(by=BY, step="rollback")) is None
    record, rest = last_started(incident)
    assert (record.undo_of, rest and rest.after) == (1, {"acl": 2, "same": 0})


def test_it_is_suggested_again_and_told_in_the_report() -> None:
    """The rest can be asked for again; the report has each piece with what came of it."""
    incident = incident_in(Status.ACKNOWLEDGED)
    partly(incident)
    assert ask(incident) is None
    tables = [block for block in response.changes(incident.state, Clock(UTC)) if isinstance(block, Table)]
    assert [[*PIECES.items()]] == [[tuple(row) for row in one.rows] for one in tables if one.columns[0] == "Piece"]

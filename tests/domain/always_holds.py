"""What holds of an incident and its changes whatever has happened to them."""

from collections import Counter

from hypothesis.stateful import RuleBasedStateMachine, invariant
from pydantic_core import to_json

from domain.model.event_kinds import event_of
from domain.model.records import ChangeStatus
from domain.model.state import IncidentState
from domain.model.timeline import GENESIS, Entry, Timeline
from domain.rules.change import LiveChange
from domain.rules.evolve import begun, evolve
from domain.rules.live import LiveIncident
from domain.values.status import Status
from tests.domain import machine

AGREED = {ChangeStatus.APPLYING, ChangeStatus.VERIFYING, ChangeStatus.APPLIED}


class AlwaysHolds(RuleBasedStateMachine):
    """Looked at after every step of a machine that keeps these."""

    incident: LiveIncident
    changes: dict[str, LiveChange]
    entries: list[Entry]
    duties: dict[str, str]
    level: int
    status: Status
    commander: str | None
    folded: IncidentState
    folded_entries: int

    @invariant()
    def the_level_never_decreases(self) -> None:
        assert self.incident.state.paging.level >= self.level
        self.level = self.incident.state.paging.level

    @invariant()
    def the_status_goes_along_the_edges(self) -> None:
        now = self.incident.state.status
        assert now is self.status or now in machine.EDGES[self.status]
        self.status = now

    @invariant()
    def who_commands_has_said_so(self) -> None:
        """Nobody comes to command but by their own word, and once somebody does, somebody always does."""
        now = self.incident.state.commander
        if now != self.commander:
            took = {
                one.actor for one in self.incident.timeline.entries if one.kind in {"acknowledged", "command-taken"}
            }
            assert now in took
        self.commander = now

    @invariant()
    def a_duty_that_has_ended_stays_so_and_none_outlives_its_incident(self) -> None:
        now: dict[str, str] = {record.step: record.state for record in self.incident.state.obligations}
        assert all(now[step] == state for step, state in self.duties.items() if state != "open")
        self.duties = now
        assert not self.incident.state.ended or "open" not in now.values()

    @invariant()
    def the_record_only_grows(self) -> None:
        """What was written stays, and what is new follows from it; here, as in the ledger, nothing is dropped."""
        self._see_what_is_new()

    def _see_what_is_new(self) -> None:
        timeline, length = self.incident.timeline, len(self.entries)
        old = [entry for entry in timeline.entries if entry.seq <= length]
        new = timeline.entries[len(old) :]
        assert old == self.entries[timeline.dropped :]
        last = self.entries[-1].hash if self.entries else GENESIS
        assert Timeline(base=last, dropped=length, entries=new).first_broken() is None
        self.entries += new

    @invariant()
    def the_state_survives_json(self) -> None:
        assert IncidentState.model_validate_json(to_json(self.incident.state)) == self.incident.state

    @invariant()
    def one_change_of_a_step_is_in_flight(self) -> None:
        flying = Counter(change.step for change in self.incident.state.changes_in_flight())
        assert all(count == 1 for count in flying.values())
        ids = [change.workflow_id for change in self.incident.state.changes]
        assert len(set(ids)) == len(ids)

    @invariant()
    def nothing_is_applied_without_its_votes(self) -> None:
        for change in self.changes.values():
            record, quorum = change.record, change.electorate.rule.quorum
            people = [vote.by for vote in record.approvals]
            assert len(set(people)) == len(people)
            if change.electorate.own:
                assert set(people) <= {record.requested_by}
            else:
                assert record.requested_by not in people
            if record.status in AGREED:
                approving = [vote for vote in record.approvals if vote.decision == "approve"]
                assert len(approving) == len(record.approvals)
                assert len({vote.role for vote in approving}) >= quorum

    @invariant()
    def the_timeline_folds_to_the_state(self) -> None:
        """At every entry: folded one by one, what is new leads from the state before to the state as it is."""
        for entry in self.entries[self.folded_entries :]:
            read = Entry.model_validate_json(to_json(entry))
            self.folded = begun(read) if read.seq == 1 else evolve(self.folded, read, event_of(read))
        self.folded_entries = len(self.entries)
        assert self.folded == self.incident.state

    @invariant()
    def the_incident_knows_its_changes(self) -> None:
        """Told everything, the incident has each change as it stands; only `undone` is its own word."""
        for change in self.changes.values():
            known = self.incident.state.change(change.record.workflow_id)
            assert known is not None
            told = change.record.model_copy(update={"status": known.status})
            assert known == told
            assert known.status in {change.record.status, ChangeStatus.UNDONE}

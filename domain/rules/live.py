"""An incident under way: its state, the timeline that it is the fold of, and what is still to be done outside.

Deterministic and without a clock: every call is given the time. What is decided is taken into the state event by event,
each with an entry of the timeline.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from domain.model.commands import Command, RequestChange, Undo
from domain.model.declaration import Alert, Declaration
from domain.model.effects import Effect, StartChange
from domain.model.event_kinds import COUNTED, Happening
from domain.model.events import Declared, RefusalsCounted, Refused, Restored
from domain.model.restoring import RestoredIncident
from domain.model.state import IncidentState
from domain.model.timeline import Timeline, bounded
from domain.rules import (
    change_outcomes,
    change_requests,
    clock,
    decide,
    delegating,
    evolve,
    facts,
    hand_over,
    hearing_changes,
    tampering,
)
from domain.rules.alerts import TOO_MANY, Alerts, repeated
from domain.rules.change_messages import ChangeNews
from domain.rules.react import outstanding, react
from domain.rules.refusals import Refusals
from domain.rules.refusing import Refusing
from domain.values.status import Status

_GIVEN = 4000
"""As of a change (`domain.rules.change`)."""


class LiveIncident(Refusing):
    """One incident. `effects` is drained by whoever carries them out; `heard` numbers what each change said last."""

    def __init__(
        self,
        state: IncidentState,
        timeline: Timeline,
        refusals: Refusals | None = None,
        heard: dict[str, int] | None = None,
    ) -> None:
        super().__init__(refusals)
        self.heard = heard or {}
        self.alerts = Alerts()
        self.state = state
        self.timeline = timeline
        self.effects: list[Effect] = []

    @classmethod
    def declared(cls, declaration: Declaration, timeline: Timeline | None = None) -> "LiveIncident":
        """Begin an incident: what the declaration says of facts is recorded, evidence begins to be preserved."""
        at, event = declaration.declared_at, Declared(declaration=declaration)
        timeline = timeline or Timeline()
        entry = timeline.record(at, declaration.declared_by, event, {"command": "start"})
        incident = cls(evolve.declared(declaration, at, declaration.declared_by), timeline)
        incident.effects += react(incident.state, entry, event)
        cause = {"command": "start", "entry": entry.seq}
        incident.take(facts.as_declared(incident.state), at, cause)
        incident.take(change_requests.preserve_evidence(incident.state), at, cause)
        return incident

    def take(self, happenings: Iterable[Happening], now: datetime, cause: dict[str, Any] | None = None) -> None:
        """Put events on the timeline one by one, each taken into the state before the next is decided.

        `cause` is that of all of them; the entries after the first refer to it by the first one's number, and repeat
        what was given where they count.
        """
        first: int | None = None
        for event, actor, at, own in happenings:
            given = own or cause or {}
            if own is None and first is not None:
                said = given if event.kind in COUNTED else _without(given, "given", "proof")
                given = {**said, "entry": first}
            entry = self.timeline.record(at or now, actor, event, given)
            first = first or entry.seq
            try:
                evolve.evolve(self.state, entry, event)
            except Exception:
                self.timeline.entries.pop()  # a record that cannot be folded could not be gone on with
                raise
            self.effects += react(self.state, entry, event)

    def hear(self, name: str, command: Command, now: datetime, refusal: decide.Refusal = decide.refusal) -> str | None:
        """Do a command, or put its refusal on record and return the reason."""
        self._end_what_is_over(now)
        reason = refusal(self.state, name, command)
        if reason is None:
            cause = decide.cause_of(name, command)
            if command.proven and not isinstance(command, RequestChange | Undo):  # a change carries its request's
                cause["proof"] = command.proof
            self.take(decide.decide(self.state, name, command, now), now, cause)
            self._end_what_is_over(now)
        else:
            self.refuse(name, command.by, reason, now, decide.cause_of(name, command, most=_GIVEN))
        return reason

    def _end_what_is_over(self, now: datetime) -> None:
        """Begin and end what is due of stand-ins and offers: both hold as of now, though the timer is yet to ring."""
        if not self.state.ended:
            self.take(delegating.pass_time(self.state, now), now)
            self.take(hand_over.lapse(self.state, now), now)

    def _record(self, event: Refused | RefusalsCounted, by: str, now: datetime, cause: dict[str, Any]) -> None:
        self.take(self._refused(event, by), now, cause)

    def _refused(self, event: Refused | RefusalsCounted, by: str) -> Iterator[Happening]:
        yield Happening(event, by)
        yield from tampering.unproven(self.state, event)

    def hear_change(self, news: ChangeNews, now: datetime) -> str | None:
        """Take what a change's workflow says, in the order in which it happened; or the reason why nothing of it.

        What was heard already does nothing.
        """
        heard = self.heard.get(news.workflow_id, 0)
        if (reason := hearing_changes.doubt(self.state, news, heard, now)) is not None:
            return reason
        happenings = hearing_changes.unheard(news, heard, self.timeline.entries[-1].at, now)
        self.heard[news.workflow_id] = max(heard, news.events[-1].number)
        happenings = hearing_changes.without_what_stands(self.state.change(news.workflow_id), happenings)
        self.take(change_requests.progress(self.state, news.workflow_id, happenings), now)
        return None

    def hear_alert(self, alert: Alert, now: datetime) -> str | None:
        """Count another alert; of very many in an hour only how many there were is on record, like refusals.

        One that reopens the incident is always heard.
        """
        if not self.alerts.take(now) and self.state.status is not Status.RESOLVED:
            return TOO_MANY
        self.take(repeated(self.state, alert.by, alert.text), now, {"alert": bounded(alert.by)})
        return None

    def refuse_cancel(self, now: datetime) -> None:
        """Put on record that the workflow was to be cancelled, however much else was refused, and page."""
        self.take(tampering.cancel_refused(self.state), now, {"command": "cancel"})

    def pass_time(self, now: datetime) -> None:
        """Let everything happen that is due by now."""
        self.take(clock.pass_time(self.state, now), now)

    @classmethod
    def restored(cls, found: RestoredIncident, now: datetime) -> "LiveIncident":
        """Go on from the record alone, behind its last entry: what it does not say the end of is done again."""
        incident = cls(found.state, Timeline(dropped=found.length, base=found.head), heard=dict(found.heard))
        watched = tuple(silence.sentence() for silence in found.silences)
        event = Restored(term=found.term, entries=found.length, until=found.until, watched=watched)
        cause = {"command": "restore"}
        incident.take([Happening(event)], now, cause)
        for workflow_id, outcome in found.intended.items():
            incident.take(change_outcomes.found(incident.state, workflow_id, outcome), now, cause)
        ended = {one.workflow_id for one in incident.state.changes if not one.in_flight}
        to_hear = [StartChange(name) for name in found.intended if name in ended]  # it may wait for somebody who hears
        incident.effects = [*outstanding(incident.state), *to_hear]
        return incident


def _without(cause: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in cause.items() if name not in names}

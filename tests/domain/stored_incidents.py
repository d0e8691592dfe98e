"""Three hundred stored incidents as people and chance make them: spoken to, voted on, heard late, lost and restored.

They are played by the random machine of `test_incident_machine`, by a generator with a seed instead of hypothesis: so
they are the same ones every time, and long.
"""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal

from domain.config.runbook import ProbeStep, Runbook
from domain.model.commands import CHANGE_COMMANDS, INCIDENT_COMMANDS
from domain.model.effects import Effect, SendNotice
from domain.model.event_kinds import Happening
from domain.model.finding import Finding, FindingStatus
from domain.model.records import ChangeStatus
from domain.model.timeline import Entry
from domain.model.work_events import NoticeMoved
from domain.rules import alerts, findings
from domain.rules.change import LiveChange
from domain.rules.ledger_progress import LedgerProgress
from domain.rules.live import LiveIncident
from domain.values.severity import Severity
from domain.values.status import Status
from tests.builders import CHAIN, LEADS, T0, declaration, incident_id, minutes, organisation, with_notices
from tests.domain.test_incident_machine import IncidentMachine

MANY = 300
_PEOPLE = (*LEADS, *LEADS, *CHAIN, "incident-commander", "privacy-officer", "insurer", "a-stranger")
_STEPS = ("rollback", "rollback", "promote", "scale-up", "nothing")
_LIFE = {Status.DECLARED: "acknowledge", Status.ACKNOWLEDGED: "mitigated", Status.MITIGATED: "resolve"}


class Stored(IncidentMachine):
    """One incident that chance makes; `entries` are its record."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._chance = random.Random(number)
        self.entries = []
        self.changes, self.duties, self.folded_entries = {}, {}, 0
        self._being_sent: list[str] = []
        self.now = at = T0 + timedelta(hours=7 * number)
        severity, phi = self._chance.choice(list(Severity)), self._chance.random() < 0.4
        self.incident = LiveIncident.declared(
            declaration(
                incident_id=incident_id(at),
                severity=severity,
                runbook=_book(),
                phi=phi,
                declared_at=at,
                title="Down",
                organisation=organisation(sign_of_life="30m" if number % 2 else None),
            )
        )
        self._passes(0)
        while (
            not (self.incident.state.ended and self._chance.random() < 0.3)
            and len(self.incident.timeline.entries) < 150
        ):
            before = self.now
            self._chance.choice(self._doings())()
            if self.now > before or self._chance.random() < 0.7:  # several things may come in one task of the workflow
                self._wake()
            if self._chance.random() < 0.02:
                break
        self._wake()
        self._see_what_is_new()

    def _doings(self) -> list[Callable[[], Any]]:
        open_ones = [change for change in self.changes.values() if not change.ended]
        doings: list[Callable[[], Any]] = [
            self._time,
            self._time,
            self._time,
            self._live_on,
            self._speak,
            self._speak,
            self._ask,
        ]
        doings += [self._look, self._late, self._first, self._alert, self._unwritten, self._is_sent]
        doings += [self._work] * (4 * len(open_ones)) + [self._cast] * (2 * len(self.changes))
        return (
            [*doings, self.carry_on, self.everything_but_the_record_is_lost] if self._chance.random() < 0.1 else doings
        )

    def _time(self) -> None:
        self._passes(self._chance.choice([1, 3, 5, 11, 35, 120]))

    def _passes(self, count: int) -> None:
        """Everything happens at its instant, or a moment later."""
        until = self.now + minutes(count)
        while (at := self._next()) is not None and at <= until:
            self.now = max(self.now, at + timedelta(microseconds=self._chance.choice([0, 0, 4000, 31_415])))
            self._wake()
        self.now = max(self.now, until)

    def _late(self) -> None:
        """The workers were away: everything is caught up in one go."""
        if self._chance.random() < 0.3:
            self.now += minutes(self._chance.choice([2, 45, 700]))
            self._wake()

    def _first(self) -> None:
        """The worker was away for a moment, and what waited is heard before the clocks are looked at."""
        self.now += timedelta(seconds=self._chance.choice([1, 4, 9]))
        self._speak()
        self._wake()

    def _speaks(self, name: str, **given: Any) -> None:
        by = self._chance.choice(_PEOPLE)
        self._say(INCIDENT_COMMANDS[name].model_validate({"by": by, **given}))
        self._answer_effects()

    def _live_on(self) -> None:
        """Say what leads on from here."""
        name = _LIFE.get(self.incident.state.status)
        text = {} if name in {None, "acknowledge"} else {"summary": "as seen"}
        self._speaks(name or "close", **text)

    def _speak(self) -> None:
        pick, task, duty = self._chance.choice, "step", "step"
        said: list[tuple[str, dict[str, Any]]] = [
            ("note", {"text": "looking"}),
            ("complete_task", {task: pick(["assess", "review", "training", "rescue"])}),
            ("waive_task", {task: pick(["assess", "review"]), "reason": "over"}),
            ("reclassify", {"severity": pick(list(Severity)), "reason": "as seen"}),
            ("reopen", {"reason": "again"}),
            ("record_fact", {"fact": pick(["suspicion_at", "belief_at"]), "reason": "logs", "at": self._past()}),
            (
                "discharge_obligation",
                {duty: pick(["assessment", "statement"]), "reference": "R-1", "outcome": "remediated"},
            ),
            ("obligation_not_required", {duty: pick(["assessment", "statement", "officer-told"]), "reason": "none"}),
            ("custody", {"evidence": "dump", "event": "received", "reason": "kept"}),
            ("false_alarm", {"reason": "a test"}),
        ]
        weights = [4, 3, 2, 2, 1, 2, 3, 2, 1, 0.2]
        name, given = self._chance.choices(said, weights)[0]
        self._speaks(name, **given)

    def _past(self) -> datetime | None:
        return self._chance.choice([None, self.now - timedelta(hours=self._chance.randint(1, 90))])

    def _ask(self) -> None:
        step = self._chance.choice(_STEPS)
        if self._chance.random() < 0.3:
            self._speaks("undo", step=step)
        else:
            self._speaks("request_change", step=step, set={"count": 4} if step == "scale-up" else {})

    def _look(self) -> None:
        probe = self.incident.state.declaration.runbook.step(self._chance.choice(["health", "deployments"]))
        assert isinstance(probe, ProbeStep)
        if not self.incident.state.ended:
            finding = Finding(status=self._chance.choice(list(FindingStatus)), summary="seen")
            found = findings.found(self.incident.state, probe, finding, denied=self._chance.random() < 0.1)
            self.incident.take(found, self.now, {"answer": f"{probe.probe}.observe"})
            self._answer_effects()

    def _alert(self) -> None:
        if not self.incident.state.ended and self._chance.random() < 0.3:
            again = alerts.repeated(self.incident.state, "monitoring", "again")
            self.incident.take(again, self.now, {"alert": "monitoring"})

    def _answer(self, effect: Effect) -> None:
        """A notice may take long, and be told as sent when the incident is somewhere else."""
        if isinstance(effect, SendNotice) and self._chance.random() < 0.4:
            self._being_sent.append(effect.step)
        else:
            super()._answer(effect)

    def _is_sent(self) -> None:
        if self._being_sent:
            status: Literal["sent", "failed"] = self._chance.choice(["sent", "sent", "failed"])
            moved = NoticeMoved(step=self._being_sent.pop(0), status=status, reason="no answer")
            self.incident.take([Happening(moved)], self.now, {"answer": "test.tell.send"})

    def _unwritten(self) -> None:
        """The ledger cannot be written, which is noticed a moment late."""
        if not self.incident.state.ended and self._chance.random() < 0.1:
            progress = LedgerProgress(due_at=self.now - timedelta(seconds=3), clock="running")
            self.incident.take(progress.overdue(self.incident.state, self.now), self.now)
            self.incident.take(progress.wrote(0, 1), self.now, {"answer": "ledger.append"})

    def _cast(self) -> None:
        """Somebody votes, in time or not, on what stands there or on something else."""
        change = self._chance.choice(list(self.changes.values()))
        digest = change.record.plan.digest if change.record.plan and self._chance.random() < 0.8 else "0" * 64
        name = self._chance.choice(["approve", "approve", "approve", "reject", "cancel"])
        given = {"digest": digest} if name == "approve" else {"reason": "no"}
        people = [*_PEOPLE, *3 * change.electorate.voters()]
        command = CHANGE_COMMANDS[name].model_validate({"by": self._chance.choice(people), **given})
        change.hear(name, command, self.now)
        self._tell(change)

    def _work(self) -> None:
        """A change goes on: planned, applied, seen."""
        open_ones = [change for change in self.changes.values() if not change.ended]
        change = self._chance.choice(open_ones)
        self.now += timedelta(seconds=self._chance.choice([0, 2]))
        self._goes_on(change)
        self._tell(change)

    def _goes_on(self, change: LiveChange) -> None:
        pick = self._chance.choice
        match change.record.status:
            case ChangeStatus.PLANNING:
                self._plan(change, pick(["A2", "A1", "A2", "A3", "A2", "nothing", "denied"]))
            case ChangeStatus.APPLYING:
                self._apply(change, pick([*["applied"] * 6, "already-done", "somebody else", "stale", "failed"]))
            case ChangeStatus.VERIFYING if self._chance.random() < 0.8:
                change.verified("seen", self.now)
            case ChangeStatus.VERIFYING:
                change.failed("not steady", self.now)


@cache
def _book() -> Runbook:
    """The runbook of the builders, with a finding that raises the severity and asks for work."""
    plain = with_notices().model_dump(mode="json", by_alias=True)
    asked = {"id": "rescue", "task": "Give another way", "owner": "cto", "due": "1h", "opened_by": ["deployments"]}
    health = next(step for step in plain["phases"][0]["steps"] if step["id"] == "health")
    health["raises_to"] = "P1"
    return Runbook.model_validate(
        {**plain, "phases": [*plain["phases"], {"id": "more", "title": "More", "steps": [asked]}]}
    )


@cache
def stored(count: int = MANY) -> tuple[tuple[Entry, ...], ...]:
    """The entries of each."""
    return tuple(tuple(Stored(number).entries) for number in range(count))

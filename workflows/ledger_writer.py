"""Keeping the ledger: what is new in the timeline is written outside, and the response never waits for it.

Once the incident has ended and all of it is written, its report is stored beside the evidence.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from domain.model.activity_io import AppendCall, Appended, ReportCall, Reported
    from domain.model.event_kinds import Happening
    from domain.model.work_events import ReportStored
    from domain.rules.ledger_progress import LedgerProgress
    from domain.rules.live import LiveIncident
    from domain.values.timestamps import stamp

from workflows import failures, profiles
from workflows.asking import ask
from workflows.uncancelled import wait_condition

_LEAST = timedelta(seconds=1)
_PACE = timedelta(seconds=2)
"""Real time from one write to the next: a burst of commands is one write, and so is what comes of it."""


class LedgerWriter:
    """Writes an incident's timeline into the ledger, a batch at a time, for as long as it takes."""

    def __init__(
        self,
        incident: LiveIncident,
        progress: LedgerProgress,
        news: Callable[[], None],
        nothing_else: Callable[[], bool],
    ) -> None:
        self._incident = incident
        self.progress = progress
        self._news = news
        self._writer: asyncio.Task[None] | None = None
        self._pause: asyncio.Task[None] | None = None
        self._next_at = workflow.now()
        self.superseded = False
        """Whether another life of the incident goes on, or has ended it: this one has nothing more to say."""
        self._nothing_else = nothing_else
        self._reported = False
        self._with_report = True

    @property
    def writing(self) -> bool:
        return self._writer is not None

    @property
    def will_wake(self) -> bool:
        """Whether a write, or the pause before one, ends by itself soon and wakes the incident."""
        return self._writer is not None or self._pause is not None

    @property
    def done(self) -> bool:
        """Whether everything is written, or nothing of this life will be."""
        return self.superseded or not self._is_behind

    @property
    def _is_behind(self) -> bool:
        return self.progress.is_behind(self._incident.state, self._incident.timeline)

    def clocks(self) -> list[dict[str, Any]]:
        """The deadline of the record, where it runs or was ever missed, beside the clocks of the response."""
        if self.progress.due_at is None or (self.progress.clock == "met" and not self.progress.missed):
            return []
        return [{"name": "ledger", "due_at": stamp(self.progress.due_at), "state": self.progress.clock}]

    def keep(self) -> None:
        """Start writing what is new, unless it is being written already; page when it has failed for too long.

        Nothing new waits for longer than the pace: that much is lost when Temporal's database is. Once nothing else is
        left to be done it is written at once, and the report with it.
        """
        now = workflow.now()
        self._incident.take(self.progress.overdue(self._incident.state, now), now)
        if self._writer is not None or self.done:
            return
        if now >= self._next_at or self._nothing_else():
            if self._pause is not None:
                self._pause.cancel()
            self._writer = asyncio.create_task(self._write())
        elif self._pause is None:
            self._pause = asyncio.create_task(self._wait(self._next_at - now))

    async def _wait(self, rest: timedelta) -> None:
        try:
            await workflow.sleep(rest, summary="gather what is new for the ledger")
        finally:
            self._pause = None
        self._news()

    async def store_report(self) -> None:
        """Store the report of an incident that has ended; that it cannot be stored goes on record, and no more.

        A dry run leaves none. What is heard meanwhile is written too, and so is what came behind a report that is
        stored already.
        """
        state, environment = self._incident.state, self._incident.state.declaration.environment
        if state.live and not self._reported:
            if environment.evidence is None:
                self._take_report(ReportStored(reason=f"environment {environment.name} names no evidence bucket"))
            else:
                try:
                    self._take_report(ReportStored(places=(await self._store(profiles.REPORT, None)).places))
                except ActivityError as error:
                    self._take_report(ReportStored(reason=failures.reason(error)))
        while not self.done:
            self.keep()
            await wait_condition(lambda: not self.will_wake)

    async def _store(self, profile: profiles.Profile, last: AppendCall | None) -> Reported:
        self._with_report = False
        declaration = self._incident.state.declaration
        call = ReportCall(
            incident=declaration.incident_id,
            environment=declaration.environment.name,
            last=last,
        )
        options = profiles.with_profile(profile, self._incident.state.severity, "Store the report")
        return await ask("report.store", Reported, options, call)

    def _take_report(self, stored: ReportStored) -> None:
        self._reported = True
        self._incident.take([Happening(stored)], workflow.now(), {"answer": "report.store"})

    async def _write(self) -> None:
        state, timeline, progress = self._incident.state, self._incident.timeline, self.progress
        self._next_at, upto = workflow.now() + _PACE, timeline.length
        while self._is_behind and (state.ended or progress.written < upto):  # what comes meanwhile is gathered
            call = AppendCall(
                incident=state.id,
                environment=state.declaration.environment.name,
                epoch=progress.epoch,
                term=progress.term,
                entries=progress.next_batch(state, timeline, workflow.now()),
            )
            try:
                done = await self._append(call)
            except ActivityError as error:
                workflow.logger.warning("the ledger cannot be written: %s", failures.reason(error))
                if failures.is_superseded(error):
                    self.superseded = True
                    break
                self._news()  # its deadline runs: the loop must know when it is due
                await workflow.sleep(profiles.LEDGER_AGAIN, summary="try the ledger again")
            else:
                happenings = progress.wrote(done.written, done.epoch)
                self._incident.take(happenings, workflow.now(), {"answer": "ledger.append"})
        self._writer = None
        self._news()

    async def _append(self, call: AppendCall) -> Appended:
        left = None
        if self.progress.due_at is not None and self.progress.clock == "running":
            # the deadline of the record is the server's to keep: a timer of ours would be two events a write
            left = max(self.progress.due_at - workflow.now(), _LEAST)
        if left is not None and (appended := await self._append_with_report(call, left / 2)) is not None:
            return appended
        profile = profiles.with_profile(profiles.LEDGER, self._incident.state.severity, "Write the ledger")
        if left is not None:
            profile["schedule_to_close_timeout"] = left
        return await ask("ledger.append", Appended, profile, call)

    async def _append_with_report(self, call: AppendCall, time: timedelta) -> Appended | None:
        """Write the last entries of an incident that is over with its report, at one go.

        None where there is more to come, or where it did not succeed: the entries come first, and are written alone.
        """
        evidence = self._incident.state.declaration.environment.evidence
        last = call.entries[-1].seq == self._incident.timeline.length
        if evidence is None or not (self._with_report and last and self._nothing_else()):
            return None
        try:
            stored = await self._store({**profiles.REPORT, "schedule_to_close_timeout": time}, call)
        except ActivityError as error:
            if failures.is_superseded(error):
                raise
            return None
        self._take_report(ReportStored(places=stored.places))
        return stored.appended

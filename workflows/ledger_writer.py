"""Keeping the ledger: what is new in the timeline is written outside, and the response never waits for it.

Once the incident has ended and all of it is written, its report is stored beside the evidence.
"""

import asyncio
from collections.abc import Callable

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from domain.model.activity_io import AppendCall, Appended, ReportCall, Reported
    from domain.model.state import StoredReport
    from domain.rules import ledger_progress
    from domain.rules.incident import Incident as Rules

from workflows import failures, profiles


class Record:
    """Writes an incident's timeline into the ledger, a batch at a time, for as long as it takes."""

    def __init__(self, rules: Rules, news: Callable[[], None]) -> None:
        self._rules = rules
        self._news = news
        self._writer: asyncio.Task[None] | None = None

    @property
    def writing(self) -> bool:
        return self._writer is not None

    def keep(self) -> None:
        """Start writing what is new, unless it is being written already."""
        if self._writer is None and ledger_progress.is_behind(self._rules):
            self._writer = asyncio.create_task(self._write())

    async def store_report(self) -> None:
        """Store the report of an incident that has ended; that it cannot be stored goes on record, and no more.

        A dry run leaves none. What is heard meanwhile is written too.
        """
        if not self._rules.live:
            return
        report = await self._stored()
        self._rules.state.report = report
        if report.reason is not None and self._rules.declaration.environment.evidence is not None:
            text = f"No report was stored: {report.reason}"
            self._rules.record(workflow.now(), "orchestrator", "report", text, {"reason": report.reason})
        self.keep()
        await workflow.wait_condition(lambda: not self.writing)

    async def _stored(self) -> StoredReport:
        declaration = self._rules.declaration
        if declaration.environment.evidence is None:
            return StoredReport(reason=f"environment {declaration.environment.name} names no evidence bucket")
        call = ReportCall(
            incident=declaration.incident_id,
            environment=declaration.environment,
            timezone=declaration.organisation.timezone,
        )
        profile = profiles.with_profile(profiles.REPORT, self._rules.state.severity, "Store the report")
        try:
            done = await workflow.execute_activity("report.store", call, result_type=Reported, **profile)
        except ActivityError as error:
            return StoredReport(reason=failures.reason(error))
        return StoredReport(places=done.places)

    async def _write(self) -> None:
        while ledger_progress.is_behind(self._rules):
            call = AppendCall(
                incident=self._rules.declaration.incident_id,
                environment=self._rules.declaration.environment,
                epoch=self._rules.state.ledger.epoch,
                entries=ledger_progress.next_batch(self._rules, workflow.now()),
            )
            profile = profiles.with_profile(profiles.LEDGER, self._rules.state.severity, "Write the ledger")
            try:
                done = await workflow.execute_activity("ledger.append", call, result_type=Appended, **profile)
            except ActivityError as error:
                workflow.logger.warning("the ledger cannot be written: %s", failures.reason(error))
                self._news()  # its clock runs: the loop must know when it is due
                await workflow.sleep(profiles.LEDGER_AGAIN, summary="try the ledger again")
            else:
                ledger_progress.written(self._rules, done.written, done.epoch, workflow.now())
        self._writer = None
        self._news()

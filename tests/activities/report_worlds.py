"""Ledgers to make reports of: an outage in which something of every kind happened, and a breach of forty days."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from domain.config.approval import ApprovalClass
from domain.config.runbook import ChangeStep, ProbeStep, Runbook
from domain.model import commands
from domain.model.activity_io import Applied, Planned, Undone
from domain.model.declaration import Declaration
from domain.model.effects import SendNotice, StartChange
from domain.model.event_kinds import Happening
from domain.model.finding import Finding, FindingStatus
from domain.model.plan import Plan
from domain.model.timeline import Entry
from domain.model.work_events import NoticeMoved
from domain.rules import change_requests, clock, findings
from domain.rules.change import LiveChange
from domain.rules.change_messages import ChangeRequest, StandIns
from domain.rules.live import LiveIncident
from domain.values.severity import Severity
from starters.files.loading import load_obligations, load_runbook
from starters.files.organisation_folder import load_environment, load_organisation
from starters.files.shipped import shipped_folder
from tests.builders import declaration, minutes, owed, runbook, with_notices

ARN = "arn:aws:ecs:ap-southeast-2:123456789012:service/axis-cluster/axis-backend"
EVIDENCE = "/ecs/axis-backend from 2026-11-23T02:00:00Z to 2026-11-23T03:00:00Z"


class Played:
    """An incident as it goes on: what is due by itself happens in time, people speak in between."""

    def __init__(self, declared: Declaration) -> None:
        self.incident = LiveIncident.declared(declared)
        self.now = declared.declared_at
        self.changes: dict[str, LiveChange] = {}
        self.wait(timedelta(0))

    @property
    def entries(self) -> list[Entry]:
        return self.incident.timeline.entries

    def wait(self, duration: timedelta) -> None:
        """Let time pass, and everything happen that is due."""
        until = self.now + duration
        while (due := clock.next_due(self.incident.state)) is not None and due.at <= until:
            self.now = max(due.at, self.now)
            self.incident.pass_time(self.now)
            self._work()
        self.now = until

    def say(self, name: str, by: str, after: timedelta = timedelta(seconds=30), **payload: Any) -> str | None:
        """Let somebody say something a while later; returns why it was refused."""
        self.wait(after)
        command = commands.INCIDENT_COMMANDS[name].model_validate({"by": by, **payload})
        refused = self.incident.hear(name, command, self.now)
        self._work()
        return refused

    def find(self, step: str, status: FindingStatus, summary: str, **told: Any) -> None:
        """Let a probe answer."""
        probe = self.incident.state.declaration.runbook.step(step)
        assert isinstance(probe, ProbeStep)
        finding = Finding(status=status, summary=summary, **told)
        self.incident.take(findings.found(self.incident.state, probe, finding), self.now)

    def preserve(self) -> None:
        """Start what preserves evidence by itself."""
        self.incident.take(change_requests.preserve_evidence(self.incident.state), self.now)
        self._work()

    def plan(self, step: str, **content: Any) -> str:
        """Let the newest change of a step get its plan; gives the digest."""
        fields: dict[str, Any] = {
            "action": "test.rollback",
            "target": ARN,
            "summary": "revision 8 to 7",
            "before": {"revision": 8},
            "after": {"revision": 7},
            "impact": "All 3 tasks are replaced.",
            "approval_class": ApprovalClass.A2,
            "locks": (ARN,),
        }
        plan = Plan(**{**fields, **content}).sealed()
        self.changes[step].planned(Planned(plan=plan), self.now)
        self._told(step)
        return plan.digest

    def vote(self, step: str, by: str, after: timedelta = timedelta(seconds=40), **payload: Any) -> None:
        """Approve, or with a `reason` reject."""
        self.wait(after)
        name = "reject" if "reason" in payload else "approve"
        command = commands.CHANGE_COMMANDS[name].model_validate({"by": by, **payload})
        self.changes[step].hear(name, command, self.now)
        self._told(step)

    def end(self, step: str, seen: str, after: timedelta = timedelta(seconds=50), *, failed: bool = False) -> None:
        """Let an approved change be applied and looked at."""
        change = self.changes[step]
        self.wait(after)
        change.applied(Applied(outcome="applied"), self.now)
        if failed:
            change.failed(seen, self.now)
        else:
            change.verified(seen, self.now)
        self._told(step)

    def _told(self, step: str) -> None:
        if (news := self.changes[step].news()) is not None:
            happenings = change_requests.progress(self.incident.state, news.workflow_id, news.happenings())
            self.incident.take(happenings, self.now)

    def _work(self) -> None:
        state = self.incident.state
        declared = state.declaration
        effects, self.incident.effects = self.incident.effects, []
        for effect in effects:
            if isinstance(effect, SendNotice):
                reference = f"ref-{state.notice(effect.step).sequence}"
                sent = NoticeMoved(step=effect.step, status="sent", reference=reference, text="told the status page")
                self.incident.take([Happening(sent)], self.now)
            elif isinstance(effect, StartChange):
                record = state.change(effect.workflow_id)
                assert record is not None
                step, undone = declared.runbook.step(record.step), change_requests.undone_by(state, record)
                assert isinstance(step, ChangeStep)
                request = ChangeRequest(
                    about=state.about,
                    organisation=declared.organisation,
                    delegations=StandIns.of(state).delegations,
                    record=record,
                    rule=step.approval,
                    approve_within=minutes(10),
                    commander=state.commander,
                    undo=Undone(generation=undone.generation) if undone else None,
                )
                self.changes[step.id] = LiveChange(request)


def _book() -> Runbook:
    """The runbook of the builders, with a task that a finding asks for, and its duties."""
    plain = with_notices().model_dump(mode="json", by_alias=True)
    asked = {"id": "rescue", "task": "Give another way", "owner": "cto", "due": "1h", "opened_by": ["deployments"]}
    return runbook(phases=[*plain["phases"], {"id": "more", "title": "More", "steps": [asked]}])


@cache
def outage() -> tuple[Entry, ...]:
    """Twenty-five minutes to the mitigation, a duty kept and one kept late, a waiver, notes, custody, to the close."""
    fields: dict[str, Any] = {"runbook": _book(), "severity": Severity.P1, "phi": True, "obligations": owed()}
    played = Played(declaration(**fields, title="Portal answers 503", description="Patients cannot see studies."))
    seen = {"failed": 3, "share": 0.6, "when": "2026-11-23T02:58:00Z", "complete": True, "cause": None}
    played.find("deployments", FindingStatus.SUSPECT, "3 of 3 tasks unhealthy", facts=seen, evidence=EVIDENCE)
    played.find("health", FindingStatus.OK, "the database answers")
    played.say("acknowledge", "devops-lead", minutes(7))
    played.say("reclassify", "devops-lead", severity="P0", reason="every patient is concerned")
    played.say("acknowledge", "privacy-officer", minutes(10))
    played.say("resolve", "development-lead", summary="too early")
    played.say("request_change", "development-lead", step="rollback")
    digest = played.plan("rollback")
    played.vote("rollback", "technical-manager", digest=digest, comment="read and agreed")
    played.end("rollback", "3 of 3 tasks healthy")
    played.say("request_change", "devops-lead", step="promote")
    played.plan("promote", summary="promote the replica", before={"role": None}, after={"role": {"primary": True}})
    played.vote("promote", "cto", reason="the primary is back")
    played.say("note", "cto", text="The dump is with the vendor.")
    played.say("custody", "cto", evidence="dump-1", event="transferred", to="the vendor", reason="for analysis")
    played.say("mitigated", "devops-lead", summary="rolled back")
    played.say("resolve", "devops-lead", summary="steady for an hour", after=minutes(60))
    played.say("complete_task", "devops-lead", step="assess", note="Revision 8 lacked a migration.")
    played.say("waive_task", "technical-manager", step="rescue", reason="it was over before")
    played.say("complete_task", "technical-manager", step="review", note="Test migrations on a copy.")
    played.say("record_fact", "privacy-officer", fact="belief_at", at="2026-11-23T04:00:00Z", reason="logs were read")
    played.say("discharge_obligation", "privacy-officer", step="statement", reference="NDB-2026-117", after=minutes(90))
    played.say("discharge_obligation", "cto", step="statement")
    played.say("close", "devops-lead")
    return tuple(played.entries)


def _breach() -> Declaration:
    folder = shipped_folder()
    organisation, environment = load_organisation(folder), load_environment(folder, "sandbox")
    book = load_runbook(folder, "data-breach", organisation, environment)
    return Declaration(
        incident_id="inc-20260923-k4wq",
        title="Studies are downloaded in bulk",
        severity=Severity.P0,
        declared_at=datetime(2026, 9, 23, 15, 12, 8, tzinfo=UTC),
        declared_by="devops-lead",
        phi=True,
        organisation=organisation,
        environment=environment,
        runbook=book,
        runbook_digest=book.digest(),
        obligations=load_obligations(folder, organisation),
    )


@cache
def breach() -> tuple[Entry, ...]:
    """A breach by the shipped runbook, over the change to summer time: cut off in an hour, closed after forty days."""
    played = Played(_breach())
    played.preserve()
    web = "portal: 198.51.100.23 was allowed 1080 requests, 1080 of them to /api/studies/*/download,"
    played.find("web-requests", FindingStatus.SUSPECT, web, facts={"allowed": 1080}, evidence="aws-waf-logs-axis")
    played.find(
        "study-access", FindingStatus.SUSPECT, "backend: 1080 lines with DATA_ACCESS in the logs of the last 1h"
    )
    for role in ("security-lead", "privacy-officer", "legal-counsel"):
        played.say("acknowledge", role, minutes(3))
    played.say("request_change", "security-lead", step="isolate-network")
    digest = played.plan("isolate-network", summary="Isolate portal: the web ACL blocks by default")
    played.vote("isolate-network", "technical-manager", minutes(2), digest=digest, comment="read and agreed")
    played.end("isolate-network", "5 of 5 barriers as planned", minutes(1))
    for step, seen in (("snapshot-database", "the snapshot is available"), ("preserve-logs", "56 versions preserved")):
        played.plan(step, summary=f"Evidence: {step}", approval_class=ApprovalClass.A1)
        played.end(step, seen, minutes(4))
    for hour in range(3):
        played.say("note", "security-lead", minutes(25), text=f"Update {hour + 1} to the stakeholders.")
    played.say("mitigated", "security-lead", minutes(5), summary="The portal is cut off; nothing leaves any more")
    played.say("record_fact", "legal-counsel", timedelta(days=6), fact="belief_at", reason="the logs were read")
    late = {"justification": "the forensic report came late"}
    for role, reference in (("legal-counsel", "NDB-2026-117"), ("privacy-officer", None)):
        said: dict[str, Any] = {"step": "oaic-statement", "reference": reference, **late}
        played.say("discharge_obligation", role, timedelta(days=2), **said)
    played.say("record_fact", "legal-counsel", minutes(10), fact="statement_completed_at", reason="it is filed")
    played.say("resolve", "security-lead", timedelta(days=9), summary="Rebuilt, keys rotated, watched for a week")
    for role in ("legal-counsel", "privacy-officer"):
        said = {"step": "notify-patients", "reference": "letters of 14 October", "outcome": "all-individuals", **late}
        played.say("discharge_obligation", role, timedelta(days=3), **said)
    said = {"step": "notify-insurer", "reference": "claim 4711", **late}
    played.say("discharge_obligation", "legal-counsel", **said)
    for task in [task for task in played.incident.state.tasks if task.required]:
        played.say("complete_task", task.owner, timedelta(hours=14), step=task.step, note=f"Done: {task.title}")
    played.say("close", "security-lead", timedelta(days=2))
    return tuple(played.entries)

"""The outside world answered from memory: every activity of an outage under its own name, no AWS, no wire."""

from collections.abc import Callable
from typing import Any

from temporalio import activity

from benchmarks.bare import Marks
from domain.config.approval import ApprovalClass
from domain.config.reviews import review
from domain.config.runbook import ChangeStep, NoticeStep, ProbeStep, Runbook
from domain.model.activity_io import (
    AppendCall,
    Appended,
    Applied,
    ApplyRequest,
    ChangeAsked,
    ChangeOutcome,
    FollowCall,
    Noticed,
    NoticeRequest,
    ObserveRequest,
    Paged,
    PageRequest,
    Planned,
    PlanRequest,
    ReleaseRequest,
    ReportCall,
    Reported,
    Verified,
    VerifyRequest,
    Wave,
    WaveRequest,
)
from domain.model.finding import Finding, FindingStatus
from domain.model.plan import Plan
from domain.model.restoring import Restorable, RestorableCall

Activity = Callable[..., Any]
_ARN = "arn:aws:ecs:ap-southeast-2:123456789012:service/axis-cluster/axis-backend"


_SEEN = "2 of 2 tasks run axis-backend:41 and are healthy"


def plan(action: str) -> Plan:
    """The plan that every change of the benchmark comes to."""
    return Plan(
        action=action,
        target=_ARN,
        summary="axis-backend: task definition 42 to 41",
        before={"taskDefinition": "axis-backend:42", "desiredCount": 2},
        after={"taskDefinition": "axis-backend:41", "desiredCount": 2},
        impact="The backend's tasks are replaced one after the other; requests in flight end first",
        approval_class=ApprovalClass.A2,
        locks=(_ARN,),
    ).sealed()


def activities(runbook: Runbook, marks: Marks) -> list[Activity]:
    """Every activity that an incident of this runbook may ask for, and the review that its closing opens."""
    steps = (*runbook.steps(), *review([runbook]).steps())
    made = [_probe(name, marks) for name in sorted({step.probe for step in steps if isinstance(step, ProbeStep)})]
    made += [_notice(name, marks) for name in sorted({step.notice for step in steps if isinstance(step, NoticeStep)})]
    for name in sorted({step.change for step in steps if isinstance(step, ChangeStep)}):
        made += _change(name, marks)
    return [*made, *_record(marks)]


def _probe(name: str, marks: Marks) -> Activity:
    @activity.defn(name=f"{name}.observe")
    def observe(call: ObserveRequest) -> Finding:
        marks.add()
        status = FindingStatus.SUSPECT if name == "ecs.recent_deployments" else FindingStatus.OK
        facts = {"looked_at": call.step, "count": 2, "healthy": 2, "since": "2026-11-23T03:00:00Z"}
        return Finding(status=status, summary=f"2 of 2 are as they should be: {call.step}", facts=facts)

    return observe


def _notice(name: str, marks: Marks) -> Activity:
    @activity.defn(name=f"{name}.send")
    def send(call: NoticeRequest) -> Noticed:
        marks.add()
        return Noticed(reference=f"reference-{call.sequence}", text=f"Told: {call.step}")

    return send


def _change(name: str, marks: Marks) -> list[Activity]:
    @activity.defn(name=f"{name}.plan")
    def made(_call: PlanRequest) -> Planned:
        marks.add()
        return Planned(plan=plan(name))

    @activity.defn(name=f"{name}.apply")
    def apply(_call: ApplyRequest) -> Applied:
        marks.add()
        return Applied(outcome="applied", verified=_SEEN)

    @activity.defn(name=f"{name}.verify")
    def verify(_call: VerifyRequest) -> Verified:
        marks.add()
        return Verified(message=_SEEN)

    return [made, apply, verify]


def _record(marks: Marks) -> list[Activity]:
    @activity.defn(name="people.page")
    def page(_call: PageRequest) -> Paged:
        marks.add()
        return Paged(channel="sms", reference="6f1d2c5e-9b0a-5c1e-8f53-0a3f6f1b7c11")

    @activity.defn(name="people.page_wave")
    def page_wave(call: WaveRequest) -> Wave:
        return Wave(sent=[page(one) for one in call.pages])

    @activity.defn(name="ledger.append")
    def append(call: AppendCall) -> Appended:
        marks.add()
        return Appended(written=call.entries[-1].seq, epoch=call.epoch)

    @activity.defn(name="changes.release")
    def release(_call: ReleaseRequest) -> None:
        marks.add()

    @activity.defn(name="ledger.follow")
    def follow(_call: FollowCall) -> None:
        marks.add()

    @activity.defn(name="ledger.restorable")
    def restorable(call: RestorableCall) -> list[Restorable]:
        """Every review but the first finds its key held by that one, which stays open."""
        marks.add()
        return [Restorable(incident="the-first-review", mode="live", key=call.key)]

    @activity.defn(name="changes.outcome")
    def outcome(_call: ChangeAsked) -> ChangeOutcome:
        marks.add()
        return ChangeOutcome(outcome="nothing")

    @activity.defn(name="report.store")
    def report(call: ReportCall) -> Reported:
        marks.add()
        appended = call.last and Appended(written=call.last.entries[-1].seq, epoch=call.last.epoch)
        return Reported(seq=1, places=(f"reports/{call.incident}",), appended=appended)

    return [page, page_wave, append, follow, release, restorable, outcome, report]

"""An outside world for workflow tests: activities that answer as told and write down what was asked of them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from domain.audit.storage_format import report_place
from domain.config.approval import ApprovalClass
from domain.model.activity_io import (
    AppendCall,
    Appended,
    Applied,
    ApplyRequest,
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
    Stranger,
    Verified,
    VerifyRequest,
    Wave,
    WaveRequest,
)
from domain.model.declaration import Declaration, Nominal
from domain.model.finding import Finding, FindingStatus
from domain.model.plan import Plan
from domain.model.scheduled import ScheduledCall
from domain.model.timeline import Entry
from domain.rules.messages import framed
from domain.values import ids
from tests.builders import organisation
from tests.upkeep import sent, upkeep
from tests.workflows.drilled import Drilled
from tests.workflows.past import Past
from tests.workflows.serving import hands, incidents

ARN = "arn:aws:ecs:ap-southeast-2:123456789012:service/axis/backend"
CLASSES = {
    "test.snapshot": ApprovalClass.A1,
    "test.rollback": ApprovalClass.A2,
    "test.scale": ApprovalClass.A1,
    "test.promote": ApprovalClass.A3,
}


def _resource(action: str) -> str:
    """Which attribute of the world an action changes."""
    return "snapshot" if action == "test.snapshot" else "revision"


class World:
    """The resource has a `revision`; tests turn it, break it, or hold a call back."""

    def __init__(self) -> None:
        self.revision, self.snapshot = "bad", "absent"
        self.applied_in_order: list[str] = []
        self.held, self.unreached = set[str](), set[str]()
        self.acted: list[str] = []
        self.plans: dict[str, Plan] = {}
        self.applied: dict[str, str] = {}
        self.looked: list[VerifyRequest] = []
        self.pages: list[tuple[str, str]] = []
        self.notices: list[tuple[str, int]] = []
        self.strange, self.ledger = list[str](), list[Entry]()
        self.followed, self.released = list[FollowCall](), list[ReleaseRequest]()
        self.reports, self.stored_with = list[int](), list[int]()
        self.past = Past(self)
        self.denied, self.broken = set[str](), set[str]()
        self.suspect: set[str] = {"test.deployments"}
        self.wrong: dict[str, str] = {}
        self.scheduled: list[ScheduledCall] = []
        self.keyed: str | None = None
        self.of_a_run: Callable[[ScheduledCall], dict[str, Any]] = lambda call: {
            "scheduled": Nominal(schedule=call.run.schedule, at=call.at)
        }
        self.drills = Drilled()
        self.before_apply: Callable[[], None] = lambda: None
        self.storing_begun, *gates = (asyncio.Event() for _ in range(7))
        self.gate, self.storing, self.applying, self.acting, self.verifying, self.releasing = gates
        for gate in gates:
            gate.set()

    def observe(self, name: str) -> Finding:
        if name in self.denied:
            raise ApplicationError("denied", type="AccessDenied", non_retryable=True)
        if name in self.broken:
            raise ApplicationError("source is broken", type="NotFound", non_retryable=True)
        status = FindingStatus.SUSPECT if name in self.suspect else FindingStatus.OK
        return Finding(status=status, summary=f"{name} seen", wrong=self.wrong if name in self.suspect else {})

    def plan(self, name: str, call: PlanRequest) -> Planned:
        if name in self.denied:
            raise ApplicationError("denied", type="AccessDenied", non_retryable=True)
        if call.undo is not None:
            undone = self.plans[
                self.applied[ids.change_workflow_id(call.about.incident, call.step, call.undo.generation)]
            ]
            return self.made(Planned(plan=undone.without(call.undo.without).reversed().sealed()))
        resource = _resource(name)
        after = "good" if name == "test.rollback" else f"after-{name}"
        plan = Plan(
            action=name,
            target=ARN,
            summary=f"{getattr(self, resource)} to {after}",
            before={"revision": getattr(self, resource)},
            after={"revision": after},
            impact="the whole backend",
            approval_class=CLASSES[name],
            locks=(ARN,),
        ).sealed()
        return self.made(Planned(plan=plan, ours=bool(self.acted)))

    def made(self, planned: Planned) -> Planned:
        self.plans[planned.plan.digest] = planned.plan
        return planned

    def intended(self, call: ApplyRequest) -> tuple[str, Plan]:
        """Put on record what is to be carried out: for which change, by whose approval."""
        change = ids.change_workflow_id(call.about.incident, call.step, call.generation)
        self.past.intents[change] = ChangeOutcome(outcome="begun", votes=call.votes, plan=self.plans[call.digest])
        self.applied[change] = call.digest
        return change, self.plans[call.digest]

    def apply(self, call: ApplyRequest) -> Applied:
        self.past.check(call.term)
        change, plan = self.intended(call)
        if change in self.acted:
            return Applied(outcome="applied")
        self.before_apply()
        resource = _resource(plan.action)
        if {"revision": getattr(self, resource)} != plan.before:
            return Applied(outcome="stale", observed={"revision": getattr(self, resource)})
        setattr(self, resource, plan.after["revision"])
        self.applied_in_order.append(plan.action)
        self.acted.append(change)
        return Applied(outcome="applied")

    def look(self, call: VerifyRequest) -> None:
        self.looked.append(call)

    def activities(self) -> list[Callable[..., Any]]:
        made = [self._probe(probe) for probe in ("test.health", "test.deployments", "record.review")]
        for change in CLASSES:
            made += self._change(change)

        @activity.defn(name="people.page")
        async def page(call: PageRequest) -> Paged:
            if f"page {call.role}" in self.broken:
                raise ApplicationError("no answer", type="Transient")
            self.pages.append((call.role, framed(call, organisation()).subject))
            return Paged(channel="sms", reference="1")

        @activity.defn(name="people.page_wave")
        async def page_wave(call: WaveRequest) -> Wave:
            return Wave(sent=[None if one.role in self.unreached else await page(one) for one in call.pages])

        @activity.defn(name="strangers.note")
        async def note(told: Stranger) -> None:
            self.strange.append(told.what)

        @activity.defn(name="test.tell.send")
        async def tell(call: NoticeRequest) -> Noticed:
            if "test.tell" in self.broken:
                raise ApplicationError("no key", type="Refused", non_retryable=True)
            self.notices.append((call.step, call.sequence))
            return Noticed(reference="r1", text=call.step, code=sent(call.about.incident))

        @activity.defn(name="ledger.append")
        async def append(call: AppendCall) -> Appended:
            if "ledger" in self.broken:
                raise ApplicationError("no table", type="NotFound", non_retryable=True)
            self.past.note(call)
            self.ledger += [entry for entry in call.entries if entry.seq > len(self.ledger)]
            return Appended(written=call.entries[-1].seq, epoch=call.epoch)

        @activity.defn(name="ledger.follow")
        async def follow(call: FollowCall) -> None:
            self.past.check(call.term)
            self.followed += [call] if call not in self.followed else []  # as the store finds what it has written

        @activity.defn(name="changes.release")
        async def release(call: ReleaseRequest) -> None:
            await self.releasing.wait()
            self.past.check(call.term if call.given_up else self.past.term)
            self.released.append(call)

        @activity.defn(name="report.store")
        async def report(call: ReportCall) -> Reported:
            self.storing_begun.set()
            await self.storing.wait()
            if "report" in self.broken:
                raise ApplicationError("no bucket", type="NotFound", non_retryable=True)
            if "report slow" in self.broken:
                raise ApplicationError("slow down", type="Transient")
            appended = None if call.last is None else await append(call.last)
            self.stored_with += [call.last.entries[-1].seq] if call.last else []
            self.reports.append(len(self.ledger))
            place = report_place(call.incident, len(self.ledger), "md")
            return Reported(seq=len(self.ledger), places=(place,), appended=appended)

        @activity.defn(name="schedules.declare")
        async def declare(call: ScheduledCall) -> Declaration:
            self.scheduled.append(call)
            if "declare" in self.broken:
                raise ApplicationError("no such runbook", type="Refused", non_retryable=True)
            return upkeep(declared_at=call.now, key=self.keyed, **self.of_a_run(call))

        made += [declare, page, page_wave, note, tell, append, follow, release, report]
        return [*made, *self.past.activities(), *self.drills.activities()]

    def _probe(self, name: str) -> Callable[..., Any]:
        @activity.defn(name=f"{name}.observe")
        async def observe(call: ObserveRequest) -> Finding:
            return self.observe(name)

        return observe

    def _change(self, name: str) -> list[Callable[..., Any]]:
        @activity.defn(name=f"{name}.plan")
        async def plan(call: PlanRequest) -> Planned:
            await self.gate.wait()
            while name in self.held:
                await asyncio.sleep(0.02)
            return self.plan(name, call)

        @activity.defn(name=f"{name}.apply")
        async def apply(call: ApplyRequest) -> Applied:
            await self.applying.wait()
            self.past.check(call.term)
            self.intended(call)
            await self.acting.wait()
            return self.apply(call)

        @activity.defn(name=f"{name}.verify")
        async def verify(call: VerifyRequest) -> Verified:
            if "verify" in self.broken:
                raise ApplicationError("targets unhealthy", type="VerificationFailed", non_retryable=True)
            await self.verifying.wait()
            self.look(call)
            return Verified(message="steady")

        return [plan, apply, verify]

    @asynccontextmanager
    async def workers(
        self, client: Client, build_id: str | None = None, environment: str | None = None
    ) -> AsyncIterator[None]:
        """Serve every queue, of that environment if any, until the block ends, as the release of that build id."""
        async with self.incidents(client, build_id, environment), self.hands(client, environment):
            yield

    @asynccontextmanager
    async def incidents(
        self, client: Client, build_id: str | None = None, environment: str | None = None
    ) -> AsyncIterator[None]:
        """Serve the queue of workflows alone."""
        async with incidents(client, build_id, environment):
            yield

    @asynccontextmanager
    async def hands(self, client: Client, environment: str | None = None) -> AsyncIterator[None]:
        """Serve the queues of activities."""
        async with hands(client, self.activities(), environment):
            yield

"""From the catalogue's classes to Temporal activities, by the task queue that serves them.

Each queue's worker may act under an IAM role of its own: reading cannot change, changing cannot tell the world.
"""

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any

from temporalio import activity

from activities.action import ChangeAction, Clients, NoticeAction, Outside, ProbeAction, RuleError, StatusPageApi
from activities.activity_context import acting
from activities.catalogue import CHANGES, NOTICES, PROBES
from activities.changes.runner import ChangeRunner
from activities.ledger.store import LedgerStore
from activities.paging import Pager
from activities.report_store import ReportStore
from domain.model.activity_io import (
    AppendCall,
    Appended,
    Applied,
    ApplyCall,
    FollowCall,
    NoticeCall,
    Noticed,
    ObserveCall,
    PageCall,
    Paged,
    PlanCall,
    Planned,
    ReleaseCall,
    ReportCall,
    Reported,
    Verified,
    VerifyCall,
)
from domain.model.finding import Finding
from domain.values.ids import DIAGNOSE_QUEUE, FORENSICS_QUEUE, NOTIFY_QUEUE, QUEUES, REMEDIATE_QUEUE

Activity = Callable[..., Any]


def activities(
    clients_for: Callable[[str], Clients], status_page: StatusPageApi, queues: Collection[str] = QUEUES
) -> dict[str, list[Activity]]:
    """Give the activities of each of `queues`; a queue that has none is left out.

    `clients_for` is asked once for each queue given, and gives the clients of that queue's role.
    """
    makers: dict[str, Callable[[Clients], list[Activity]]] = {
        DIAGNOSE_QUEUE: lambda clients: [_observe(probe(clients)) for probe in PROBES.values()],
        REMEDIATE_QUEUE: _remediation,
        FORENSICS_QUEUE: _forensics,
        NOTIFY_QUEUE: lambda clients: _notification(Outside(clients, status_page)),
    }
    made = {queue: make(clients_for(queue)) for queue, make in makers.items() if queue in queues}
    return {queue: functions for queue, functions in made.items() if functions}


def _remediation(clients: Clients) -> list[Activity]:
    runner = ChangeRunner(clients)
    steps = (_plan, _apply, _verify)
    made = [step(runner, change(clients)) for change in CHANGES.values() for step in steps if not change.evidence]
    return [*made, _release(runner)]


def _forensics(clients: Clients) -> list[Activity]:
    """What preserves evidence and can change nothing else."""
    runner = ChangeRunner(clients)
    steps = (_plan, _apply, _verify)
    made = [step(runner, change(clients)) for change in CHANGES.values() for step in steps if change.evidence]
    return [*made, _release(runner), _append(clients), _follow(clients), _store(clients)]


def _notification(outside: Outside) -> list[Activity]:
    return [_send(notice(outside)) for notice in NOTICES.values()] + [_page(Pager(outside.clients))]


def _observe(probe: ProbeAction[Any]) -> Activity:
    name = f"{probe.name}.observe"

    @activity.defn(name=name)
    def observe(call: ObserveCall) -> Finding:
        with acting(name, incident=call.scope.incident, step=call.step):
            return probe.observe(call.scope, probe.params.model_validate(call.params), call.at).bounded()

    return observe


def _plan(runner: ChangeRunner, change: ChangeAction[Any]) -> Activity:
    name = f"{change.name}.plan"

    @activity.defn(name=name)
    def plan(call: PlanCall) -> Planned:
        with acting(name, incident=call.scope.incident, step=call.step):
            return runner.plan(change, call)

    return plan


def _apply(runner: ChangeRunner, change: ChangeAction[Any]) -> Activity:
    name = f"{change.name}.apply"

    @activity.defn(name=name)
    def apply(call: ApplyCall) -> Applied:
        with acting(name, incident=call.scope.incident, step=call.step, action_id=call.action_id):
            return runner.apply(change, call, datetime.now(UTC))

    return apply


def _verify(runner: ChangeRunner, change: ChangeAction[Any]) -> Activity:
    name = f"{change.name}.verify"

    @activity.defn(name=name)
    def verify(call: VerifyCall) -> Verified:
        with acting(name, incident=call.scope.incident, step=call.step, action_id=call.action_id):
            return runner.verify(change, call)

    return verify


def _release(runner: ChangeRunner) -> Activity:
    @activity.defn(name="changes.release")
    def release(call: ReleaseCall) -> None:
        with acting("changes.release", incident=call.scope.incident, holder=call.holder):
            runner.release(call)

    return release


def _append(clients: Clients) -> Activity:
    @activity.defn(name="ledger.append")
    def append(call: AppendCall) -> Appended:
        with acting("ledger.append", incident=call.incident):
            return LedgerStore(clients, call.environment).append(call)

    return append


def _follow(clients: Clients) -> Activity:
    @activity.defn(name="ledger.follow")
    def follow(call: FollowCall) -> None:
        with acting("ledger.follow", incident=call.incident):
            LedgerStore(clients, call.environment).follow_once(call)

    return follow


def _store(clients: Clients) -> Activity:
    @activity.defn(name="report.store")
    def store(call: ReportCall) -> Reported:
        with acting("report.store", incident=call.incident):
            return ReportStore(clients, call.environment).store(call, datetime.now(UTC))

    return store


def _send(notice: NoticeAction[Any]) -> Activity:
    name = f"{notice.name}.send"

    @activity.defn(name=name)
    def send(call: NoticeCall) -> Noticed:
        with acting(name, incident=call.scope.incident, step=call.step):
            if call.scope.mode == "dry-run":
                raise RuleError("a dry run tells nobody outside")
            return notice.send(call.scope, notice.params.model_validate(call.params), call.sequence)

    return send


def _page(pager: Pager) -> Activity:
    @activity.defn(name="people.page")
    def page(call: PageCall) -> Paged:
        with acting("people.page", incident=call.incident, role=call.role):
            return pager.page(call)

    return page

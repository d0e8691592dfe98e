"""From the catalogue's classes to Temporal activities, by the task queue that serves them.

Each kind of action may have an IAM role of its own: what reads cannot change, what changes cannot publish.
"""

from collections.abc import Callable, Collection
from functools import cache, wraps
from typing import Any

from temporalio import activity

from activities.action import ChangeAction, Clients, NoticeAction, ProbeAction, RuleError, StatusPageApi
from activities.activity_context import acting
from activities.catalogue import CHANGES, NOTICES, PROBES
from activities.changes.runner import ChangeRunner
from activities.channels.paging import Pager
from activities.channels.sent import Attempt
from activities.drills import Faults
from activities.ledger.restoring import Restorer
from activities.ledger.store import LedgerStore
from activities.permissions.roles import LEDGER, role_of
from activities.report_store import store_report
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
    Wave,
    WaveCall,
)
from domain.model.drill import FaultCall
from domain.model.finding import Finding
from domain.values.ids import DIAGNOSE_QUEUE, FORENSICS_QUEUE, NOTIFY_QUEUE, QUEUES, REMEDIATE_QUEUE

Activity = Callable[..., Any]

_LOGGED = ("incident", "step", "action_id", "holder", "role")
"""Fields of a call that stand in every line that its activity logs."""


def activities(
    clients_for: Callable[[str], Clients],
    status_page: StatusPageApi,
    queues: Collection[str] = QUEUES,
    ledger_table: str | None = None,
) -> dict[str, list[Activity]]:
    """Give the activities of each of `queues`; a queue that has none is left out.

    `clients_for` gives the clients of a role, and is asked once for each role of the queues given. Incidents are
    restored from `ledger_table` alone.
    """
    of = cache(clients_for)
    makers: dict[str, Callable[[], list[Activity]]] = {
        DIAGNOSE_QUEUE: lambda: [_observe(probe(of(role_of(probe)))) for probe in PROBES.values()],
        REMEDIATE_QUEUE: lambda: [
            *_changes(of, REMEDIATE_QUEUE, evidence=False),
            *_faults(Faults(of(REMEDIATE_QUEUE))),
        ],
        FORENSICS_QUEUE: lambda: [*_changes(of, FORENSICS_QUEUE, evidence=True), *_records(of(LEDGER), ledger_table)],
        NOTIFY_QUEUE: lambda: _notification(of(NOTIFY_QUEUE), status_page),
    }
    made = {queue: make() for queue, make in makers.items() if queue in queues}
    return {queue: functions for queue, functions in made.items() if functions}


def _activity(name: str, work: Callable[[Any], Any]) -> Activity:
    """Give `work` its name on the queue, and its surroundings; Temporal reads its types from its annotations."""

    @activity.defn(name=name)
    @wraps(work)
    def run(call: Any) -> Any:
        scope = getattr(call, "scope", None)
        known = {field: getattr(call, field, getattr(scope, field, None)) for field in _LOGGED}
        with acting(name, **{field: value for field, value in known.items() if value is not None}):
            return work(call)

    return run


def _observe(probe: ProbeAction[Any]) -> Activity:
    def observe(call: ObserveCall) -> Finding:
        return probe.observe(call.scope, probe.params.model_validate(call.params), call.at).bounded()

    return _activity(f"{probe.name}.observe", observe)


def _changes(of: Callable[[str], Clients], queue: str, *, evidence: bool) -> list[Activity]:
    """The changes of one queue, each under its own role, which holds its locks and intents as well."""
    chosen = [change for change in CHANGES.values() if change.evidence == evidence]
    steps = [_steps(ChangeRunner(of(role_of(change))), change(of(role_of(change)))) for change in chosen]
    runner = ChangeRunner(of(queue))

    def release(call: ReleaseCall) -> None:
        runner.release(call, activity.info().started_time)

    return [*(one for each in steps for one in each), _activity("changes.release", release)]


def _steps(runner: ChangeRunner, change: ChangeAction[Any]) -> list[Activity]:
    def plan(call: PlanCall) -> Planned:
        return runner.plan(change, call)

    def apply(call: ApplyCall) -> Applied:
        return runner.apply(change, call, activity.info().started_time)

    def verify(call: VerifyCall) -> Verified:
        return runner.verify(change, call, activity.info().started_time)

    return [_activity(f"{change.name}.{step.__name__}", step) for step in (plan, apply, verify)]


def _faults(faults: Faults) -> list[Activity]:
    """What drills inject and withdraw."""

    def inject(call: FaultCall) -> None:
        faults.inject(call)

    def withdraw(call: FaultCall) -> None:
        faults.withdraw(call)

    return [_activity("drills.inject", inject), _activity("drills.withdraw", withdraw)]


def _records(clients: Clients, ledger_table: str | None) -> list[Activity]:
    """What keeps an incident's record: the entries of its ledger, and its report; and what reads it back."""
    restorer = Restorer(clients, ledger_table)

    def append(call: AppendCall) -> Appended:
        return LedgerStore(clients, call.environment).append(call)

    def follow(call: FollowCall) -> None:
        LedgerStore(clients, call.environment).follow_once(call)

    def store(call: ReportCall) -> Reported:
        appended = None if call.last is None else append(call.last)
        stored = store_report(clients, call, activity.info().started_time)
        return stored.model_copy(update={"appended": appended})

    named: dict[str, Callable[[Any], Any]] = {
        "ledger.append": append,
        "ledger.follow": follow,
        "ledger.restore": restorer.restore,
        "ledger.restorable": restorer.open_ones,
        "report.store": store,
    }
    return [_activity(name, work) for name, work in named.items()]


def _notification(clients: Clients, status_page: StatusPageApi) -> list[Activity]:
    pager = Pager(clients)

    def page(call: PageCall) -> Paged:
        return pager.page(call, _attempt())

    def page_wave(call: WaveCall) -> Wave:
        return pager.page_wave(call, _attempt())

    pages = [_activity("people.page", page), _activity("people.page_wave", page_wave)]
    return [*(_send(notice(clients, status_page)) for notice in NOTICES.values()), *pages]


def _attempt() -> Attempt:
    info = activity.info()
    return Attempt(info.attempt, info.started_time, info.scheduled_time)


def _send(notice: NoticeAction[Any]) -> Activity:
    def send(call: NoticeCall) -> Noticed:
        if call.scope.mode == "dry-run":
            raise RuleError("a dry run informs nobody outside")
        params = notice.params.model_validate(call.params)
        if call.scope.mode == "drill":
            return notice.recorded(call.scope, params)
        return notice.send(call.scope, params, call.sequence)

    return _activity(f"{notice.name}.send", send)

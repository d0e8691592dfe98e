"""From the catalogue's classes to Temporal activities, by the task queue that serves them.

Each kind of action may have an IAM role of its own: what reads cannot change, what changes cannot publish.
"""

from collections.abc import Callable, Collection
from functools import cache, wraps
from typing import Any

from temporalio import activity

from activities.action import Clients, NoticeAction, ProbeAction, RuleError, StatusPageApi
from activities.activity_context import acting
from activities.askers import refuse_others
from activities.aws.shared.bearers import in_mode
from activities.catalogue import CHANGES, NOTICES, PROBES
from activities.changes.giving_back import release
from activities.changes.hands import Hands
from activities.changes.outcomes import came_of
from activities.changes.runner import ChangeRunner
from activities.channels.paging import Pager
from activities.channels.sent import Attempt
from activities.channels.words import addressed, waved
from activities.declared import Declared
from activities.drills import Faults
from activities.house import House, environment_of, scope_of
from activities.ledger.appending import Appender
from activities.ledger.restoring import Restorer
from activities.ledger.table import Table
from activities.logical_names import known_params
from activities.permissions.roles import LEDGER, role_of
from activities.report_store import store_report
from activities.strange_requests import Strange, StrangeRequestError
from activities.watching.sheets import Sheets
from activities.witness import Witness
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
    Stranger,
    Verified,
    VerifyRequest,
    Wave,
    WaveRequest,
)
from domain.model.drill import FaultCall
from domain.model.finding import Finding
from domain.model.proofs import ClaimAsked, Verdict
from domain.model.restoring import RestoreCall, RestoredIncident
from domain.model.timeline import Unchained
from domain.rules.tampering import is_forged
from domain.values.ids import (
    DIAGNOSE_QUEUE,
    FORENSICS_QUEUE,
    NOTIFY_QUEUE,
    QUEUES,
    REMEDIATE_QUEUE,
)

Activity = Callable[..., Any]

_LOGGED = ("incident", "step", "action_id", "holder", "role")
"""Fields of a call that stand in every line that its activity logs."""


def activities(
    clients_for: Callable[[str], Clients],
    status_page: StatusPageApi,
    house: House,
    queues: Collection[str] = QUEUES,
) -> dict[str, list[Activity]]:
    """Give the activities of each of `queues`; a queue that has none is left out.

    `clients_for` gives the clients of a role, and is asked once for each role of the queues given. What names stand for
    is taken from `house`.
    """
    of = cache(clients_for)
    sheets = Sheets(house)
    makers: dict[str, Callable[[], list[Activity]]] = {
        DIAGNOSE_QUEUE: lambda: [_observe(probe(of(role_of(probe))), house) for probe in PROBES.values()],
        REMEDIATE_QUEUE: lambda: [
            *_changes(of, house, sheets, REMEDIATE_QUEUE, evidence=False),
            *_faults(Faults(of(REMEDIATE_QUEUE), house)),
        ],
        FORENSICS_QUEUE: lambda: [
            *_changes(of, house, sheets, FORENSICS_QUEUE, evidence=True),
            *_records(of(LEDGER), house, sheets),
            _outcome(of(FORENSICS_QUEUE), house, sheets),
        ],
        NOTIFY_QUEUE: lambda: _notification(of(NOTIFY_QUEUE), status_page, house, sheets),
    }
    made = {queue: make() for queue, make in makers.items() if queue in queues}
    return {queue: functions for queue, functions in made.items() if functions}


Note = Callable[[Exception, str, str | None], None]
"""Takes note of what was refused: the error, the activity's name, and the incident that it was asked for."""


def _noting(sheets: Sheets, clients: Clients) -> Note:
    """Put strange requests on record under a role."""

    def note(error: Exception, name: str, incident: str | None) -> None:
        sheets.note(clients, error, name, incident, activity.info().started_time)

    return note


def _activity(name: str, work: Callable[[Any], Any], note: Note | None = None) -> Activity:
    """Give `work` its name on the queue, and its surroundings; Temporal reads its types from its annotations.

    On behalf of a dry run nothing can be written by it. Of what it refuses `note` is taken.
    """

    @activity.defn(name=name)
    @wraps(work)
    def run(call: Any) -> Any:
        about = getattr(call, "about", None)
        known = {field: getattr(call, field, getattr(about, field, None)) for field in _LOGGED}
        with acting(name, **{field: value for field, value in known.items() if value is not None}):
            try:
                refuse_others(call, activity.info().workflow_id or "")
                with in_mode(about):
                    return work(call)
            except Exception as error:
                if note is not None:
                    note(error, name, known["incident"])
                raise

    return run


def _observe(probe: ProbeAction[Any], house: House) -> Activity:
    def observe(asked: ObserveRequest) -> Finding:
        scope = scope_of(house, asked.about)
        return probe.observe(scope, known_params(probe.params, asked.params, scope.environment), asked.at).bounded()

    return _activity(f"{probe.name}.observe", observe)


def _changes(
    of: Callable[[str], Clients], house: House, sheets: Sheets, queue: str, *, evidence: bool
) -> list[Activity]:
    """The changes of one queue, each under its own role, which holds its locks and intents as well."""
    chosen = [change for change in CHANGES.values() if change.evidence == evidence]
    steps = []
    for change in chosen:
        clients = of(role_of(change))
        hands = Hands(clients, house, change(clients), ChangeRunner(clients))
        steps += _steps(change.name, hands, _noting(sheets, clients))
    around = of(queue)

    def give_back(asked: ReleaseRequest) -> None:
        release(around, house, ChangeRunner(around), asked, activity.info().started_time)

    return [*steps, _activity("changes.release", give_back, _noting(sheets, around))]


def _steps(name: str, hands: Hands, note: Note) -> list[Activity]:
    def plan(asked: PlanRequest) -> Planned:
        return hands.plan(asked, activity.info().started_time)

    def apply(asked: ApplyRequest) -> Applied:
        return hands.apply(asked, activity.info().started_time, activity.info().scheduled_time)

    def verify(asked: VerifyRequest) -> Verified:
        return hands.verify(asked, activity.info().started_time)

    return [_activity(f"{name}.{step.__name__}", step, note) for step in (plan, apply, verify)]


def _faults(faults: Faults) -> list[Activity]:
    """What drills inject and withdraw."""

    def inject(call: FaultCall) -> None:
        faults.inject(call)

    def withdraw(call: FaultCall) -> None:
        faults.withdraw(call)

    return [_activity("drills.inject", inject), _activity("drills.withdraw", withdraw)]


def _records(clients: Clients, house: House, sheets: Sheets) -> list[Activity]:
    """What keeps an incident's record: its entries, its report, what was seen of claims; and what reads it back."""
    restorer, appender, witness = Restorer(clients, house), Appender(clients, house), Witness(clients, house)

    note = _noting(sheets, clients)

    def look(asked: ClaimAsked) -> Verdict:
        return witness.look(asked, activity.info().started_time)

    def append(call: AppendCall) -> Appended:
        appended = appender.append(call)
        for entry in call.entries:
            _note_forged(note, call.incident, entry)
        return appended

    def follow(call: FollowCall) -> None:
        appender.follow(call)
        _note_forged(note, call.incident, call)

    def restore(call: RestoreCall) -> RestoredIncident:
        return restorer.restore(call, activity.info().workflow_id or "")

    def store(call: ReportCall) -> Reported:
        environment = environment_of(house, call.environment)
        appended = None if call.last is None else append(call.last)
        zone = house.organisation().timezone
        stored = store_report(clients, environment, zone, call.incident, activity.info().started_time)
        return stored.model_copy(update={"appended": appended})

    named: dict[str, Callable[[Any], Any]] = {
        "ledger.append": append,
        "ledger.follow": follow,
        "ledger.restore": restore,
        "ledger.restorable": restorer.open_ones,
        "report.store": store,
        "proofs.witness": look,
    }
    return [_activity(name, work, note) for name, work in named.items()]


def _note_forged(note: Note, incident: str, entry: Unchained) -> None:
    """Take note of what came to an incident in the place of ours, which it has refused and put on record."""
    if is_forged(entry.kind, entry.data):
        what = str(entry.data.get("command"))[:100]
        note(StrangeRequestError(f"{incident} did not believe {what}", Strange.ANSWERS), what, incident)


def _outcome(clients: Clients, house: House, sheets: Sheets) -> Activity:
    """What came of a change, where the record is kept."""

    def outcome(asked: ChangeAsked) -> ChangeOutcome:
        return came_of(clients, house, asked, activity.info().started_time)

    return _activity("changes.outcome", outcome, _noting(sheets, clients))


def _notification(clients: Clients, status_page: StatusPageApi, house: House, sheets: Sheets) -> list[Activity]:
    pager, note = Pager(clients), _noting(sheets, clients)

    def page(asked: PageRequest) -> Paged:
        return pager.page(addressed(house, asked), _attempt())

    def page_wave(asked: WaveRequest) -> Wave:
        def refused(error: RuleError, one: PageRequest) -> None:
            note(error, "people.page_wave", one.about.incident)

        return waved(house, asked, lambda call: pager.page_wave(call, _attempt()), refused)

    def strange(told: Stranger) -> None:
        kind = Strange.BEGUN if told.begun else Strange.ANSWERS
        note(StrangeRequestError(f"{told.what}: {kind}", kind), told.what, None)

    notices = (_send(notice(clients, status_page), clients, house, note) for notice in NOTICES.values())
    pages = [_activity("people.page", page, note), _activity("people.page_wave", page_wave, note)]
    return [*notices, *pages, _activity("strangers.note", strange)]


def _attempt() -> Attempt:
    info = activity.info()
    return Attempt(info.attempt, info.started_time, info.scheduled_time)


def _send(notice: NoticeAction[Any], clients: Clients, house: House, note: Note) -> Activity:
    def send(asked: NoticeRequest) -> Noticed:
        if asked.about.mode == "dry-run":
            raise RuleError("a dry run informs nobody outside")
        scope = scope_of(house, asked.about)
        params = known_params(notice.params, asked.params, scope.environment)
        declared = Declared(house, Table(clients, scope.environment.ledger_table))
        declared.refuse_notice(asked, notice.name, activity.info().started_time)
        if not notice.inside:
            declared.refuse_unapproved(asked.about.incident)
        notice.refuse(house.organisation(), params)
        if scope.mode == "drill":
            return notice.recorded(scope, params)
        return notice.send(scope, params, asked.sequence)

    return _activity(f"{notice.name}.send", send, note)

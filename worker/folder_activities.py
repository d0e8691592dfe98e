"""The activities that read the organisation's folder: what schedules and drills declare, drift, reviews, packs.

What was corrected in the files holds from the next run on.
"""

from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import drills
from activities.activity_context import acting
from activities.aws.shared.account import Account
from activities.aws.shared.bearers import in_mode
from activities.aws.shared.clients import AwsClients, assumed_session, own_session
from activities.declared import Declared
from activities.house import called, environment_of, scope_of
from activities.ledger.incidents import Unreadable, incidents
from activities.ledger.packing import packed
from activities.ledger.reader import LedgerReader
from activities.ledger.table import Table
from activities.permissions.roles import LEDGER, PREFLIGHT
from activities.preflight import drift, run
from activities.preflight.check import Room
from activities.preflight.table import CHECKS
from activities.statuspage_client import StatusPageClient
from domain.config.environment import Environment
from domain.config.schedule import TRIALS
from domain.model.activity_io import ObserveRequest
from domain.model.declaration import Declaration
from domain.model.drill import PrepareCall
from domain.model.finding import Finding
from domain.model.scheduled import ScheduledCall
from domain.rules.proving import proven
from starters.files import reviewed
from starters.files.drilled import prepared, refuse_production
from starters.files.made_trials import Record
from starters.files.named_places import named_places
from starters.files.problems import InvalidFile
from starters.files.scheduled import declared
from worker.folder import Folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from activities.action import Clients
    from activities.registry import Activity

_REMEMBERED = timedelta(days=3 * 366)
"""How far back past drills count for which scenario comes next."""
BROKEN = "InvalidFile"
"""The type of the error that a file of the folder has to be mended; tried again until it is."""


@contextmanager
def _reading() -> "Iterator[None]":
    try:
        yield
    except InvalidFile as error:
        raise ApplicationError(str(error), type=BROKEN) from error


def of_diagnose(
    folder: Folder, clients_for: "Callable[[str], Clients]", status_page: StatusPageClient
) -> "list[Activity]":
    """Those of the queue `diagnose`: drift, and what else is open."""
    clients = clients_for(PREFLIGHT)

    @activity.defn(name="environment.drift.observe")
    def observe(asked: ObserveRequest) -> Finding:
        about = asked.about
        with acting("environment.drift.observe", incident=about.incident, step=asked.step), _reading(), in_mode(about):
            environment = scope_of(folder, asked.about).environment
            now = partial(datetime.now, UTC)  # noqa: TID251 - preflight tells how far off it is
            room = Room(clients, environment, folder.organisation(), now, _as_role(environment.region), status_page)
            return drift.finding(run.run(CHECKS, room), named_places(folder.path, environment.name)).bounded()

    @activity.defn(name="drills.live")
    async def live() -> list[str]:
        with acting("drills.live"):
            return await drills.urgent(activity.client())

    @activity.defn(name="drills.watch")
    async def watch() -> str:
        with acting("drills.watch"):
            return await drills.watch(activity.client())

    return [observe, live, watch]


def of_forensics(folder: Folder, clients_for: "Callable[[str], Clients]") -> "list[Activity]":
    """Those of the queue `forensics`, which also look at the record."""
    clients = clients_for(LEDGER)
    account = Account(clients)

    @activity.defn(name="schedules.declare")
    def declare(call: ScheduledCall) -> Declaration:
        with acting("schedules.declare"), _reading():
            environment = environment_of(folder, call.run.environment)
            account.refuse_foreign(environment)  # before its ledger is read
            record = _record(environment) if call.run.declares == TRIALS else None
            made = declared(folder.path, call, record)
            # nobody wrote it into a file: the hands know it by this
            Declared(folder, Table(clients, environment.ledger_table)).know(made.runbook)
            return made

    def _record(environment: Environment) -> Record:
        unread: list[Unreadable] = []
        known = proven(incidents(LedgerReader(clients, environment), unread))
        return Record(known, tuple(one.id for one in unread))

    @activity.defn(name="record.review.observe")
    def review(asked: ObserveRequest) -> Finding:
        about = asked.about
        with acting("record.review.observe", incident=about.incident, step=asked.step), _reading(), in_mode(about):
            unreadable: list[Unreadable] = []
            call = called(folder, asked)
            states = incidents(LedgerReader(clients, call.scope.environment), unreadable)
            return reviewed.finding(folder.path, call, states, unreadable).bounded()

    @activity.defn(name="record.pack.observe")
    def pack(asked: ObserveRequest) -> Finding:
        with acting("record.pack.observe", incident=asked.about.incident, step=asked.step), in_mode(asked.about):
            return packed(clients, called(folder, asked), activity.info().started_time).bounded()

    @activity.defn(name="drills.prepare")
    def prepare(call: PrepareCall) -> Declaration:
        with acting("drills.prepare"), _reading():
            environment = environment_of(folder, call.run.environment)
            refuse_production(environment)
            account.refuse_foreign(environment)  # before its ledger is read: it may be production's, by the same name
            past = incidents(LedgerReader(clients, environment), [], call.now - _REMEMBERED)
            played = [one.declaration.drill.scenario.id for one in past if one.declaration.drill]
            return prepared(folder.path, environment, call, played)

    return [declare, review, pack, prepare]


def _as_role(region: str) -> "Callable[[str], Clients]":
    """Clients under the roles of workers, for what is only seen under them; nothing is assumed before it is used."""
    return lambda role: AwsClients(assumed_session(own_session(region), role, "incident-preflight", region), region)

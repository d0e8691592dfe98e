"""What a worker knows of its organisation by the folder that it is given, and the activities that stand on that.

The files are read anew each time: what was corrected in them holds from the next run on.
"""

from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import drills
from activities.activity_context import acting
from activities.aws.shared.account import Account
from activities.aws.shared.clients import AwsClients, assumed_session, own_session
from activities.ledger.incidents import Unreadable, incidents
from activities.ledger.packing import packed
from activities.ledger.reader import LedgerReader
from activities.permissions.roles import LEDGER, PREFLIGHT
from activities.preflight import drift, run
from activities.preflight.check import Room
from activities.preflight.table import CHECKS
from activities.statuspage_client import StatusPageClient
from domain.model.activity_io import ObserveCall
from domain.model.declaration import Declaration
from domain.model.drill import PrepareCall
from domain.model.finding import Finding
from domain.model.scheduled import ScheduledCall
from domain.rules.proving import proven
from starters.files import reviewed
from starters.files.drilled import environment_of, prepared
from starters.files.made_trials import Record
from starters.files.named_places import named_places
from starters.files.organisation_folder import load_environment, load_organisation
from starters.files.problems import InvalidFile
from starters.files.scheduled import declared

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


def activities(
    folder: Path, clients_for: "Callable[[str], Clients]", status_page: StatusPageClient
) -> "list[Activity]":
    """The activities of the queue `diagnose` that read the organisation's folder."""
    clients = clients_for(PREFLIGHT)

    @activity.defn(name="schedules.declare")
    def declare(call: ScheduledCall) -> Declaration:
        with acting("schedules.declare"), _reading():
            return declared(folder, call)

    @activity.defn(name="environment.drift.observe")
    def observe(call: ObserveCall) -> Finding:
        with acting("environment.drift.observe", incident=call.scope.incident, step=call.step), _reading():
            environment = call.scope.environment
            now = partial(datetime.now, UTC)  # noqa: TID251 - preflight tells how far off it is
            room = Room(clients, environment, load_organisation(folder), now, _as_role(environment.region), status_page)
            return drift.finding(run.run(CHECKS, room), named_places(folder, environment.name)).bounded()

    @activity.defn(name="drills.live")
    async def live() -> list[str]:
        with acting("drills.live"):
            return await drills.urgent(activity.client())

    @activity.defn(name="drills.watch")
    async def watch() -> str:
        with acting("drills.watch"):
            return await drills.watch(activity.client())

    return [declare, observe, live, watch]


def records(folder: Path, clients_for: "Callable[[str], Clients]") -> "list[Activity]":
    """The activities of the queue `forensics` that look at the record, one of them by the organisation's folder."""
    clients = clients_for(LEDGER)
    account = Account(clients)

    @activity.defn(name="schedules.declare")
    def declare(call: ScheduledCall) -> Declaration:
        with acting("schedules.declare"), _reading():
            unread: list[Unreadable] = []
            environment = load_environment(folder, call.run.environment)
            account.refuse_foreign(environment)  # before its ledger is read
            ledger = LedgerReader(clients, environment)
            known = proven(incidents(ledger, unread))
            return declared(folder, call, Record(known, tuple(one.id for one in unread)))

    @activity.defn(name="record.review.observe")
    def review(call: ObserveCall) -> Finding:
        with acting("record.review.observe", incident=call.scope.incident, step=call.step), _reading():
            unreadable: list[Unreadable] = []
            states = incidents(LedgerReader(clients, call.scope.environment), unreadable)
            return reviewed.finding(folder, call, states, unreadable).bounded()

    @activity.defn(name="record.pack.observe")
    def pack(call: ObserveCall) -> Finding:
        with acting("record.pack.observe", incident=call.scope.incident, step=call.step):
            return packed(clients, call, activity.info().started_time).bounded()

    @activity.defn(name="drills.prepare")
    def prepare(call: PrepareCall) -> Declaration:
        with acting("drills.prepare"), _reading():
            environment = environment_of(folder, call.run)
            account.refuse_foreign(environment)  # before its ledger is read: it may be production's, by the same name
            past = incidents(LedgerReader(clients, environment), [], call.now - _REMEMBERED)
            played = [one.declaration.drill.scenario.id for one in past if one.declaration.drill]
            return prepared(folder, environment, call, played)

    return [declare, review, pack, prepare]


def _as_role(region: str) -> "Callable[[str], Clients]":
    """Clients under the roles of workers, for what is only seen under them; nothing is assumed before it is used."""
    return lambda role: AwsClients(assumed_session(own_session(region), role, "incident-preflight", region), region)

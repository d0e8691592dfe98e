"""Every call that is made under a role: actions played to their end, the record kept, people paged."""

import atexit
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

import boto3
from moto import mock_aws
from temporalio.exceptions import ApplicationError

from activities.action import RuleError
from activities.aws.shared.clients import AwsClients
from activities.catalogue import CHANGES, NOTICES, PROBES
from activities.changes.hands import release
from activities.changes.plans import MadePlan, Plans
from activities.changes.runner import ChangeRunner
from activities.channels.paging import Pager
from activities.channels.sent import Attempt
from activities.declared import Declared
from activities.drills import Faults
from activities.ledger.appending import Appender
from activities.ledger.restoring import Restorer
from activities.ledger.store import LedgerStore
from activities.ledger.table import Table
from activities.permissions.roles import LEDGER, OUTSIDE, PREFLIGHT, WORKER, role_of, roles
from activities.permissions.statements import heartbeat_namespace, role_name
from activities.preflight import recovery
from activities.preflight.places import database
from activities.preflight.table import CHECKS
from activities.report_store import store_report
from activities.statuspage_client import StatusPageClient
from activities.strange_requests import Strange, StrangeRequestError
from activities.watching.sheets import Sheets
from activities.watching.watcher import Watcher
from codec.data_keys import DataKeys
from domain.config.environment import Environment
from domain.config.runbook import NoticeStep, ProbeStep, Runbook
from domain.model.activity_io import AppendCall, FollowCall, NoticeRequest, ReleaseRequest
from domain.model.drill import FaultCall
from domain.model.restoring import RestorableCall, RestoreCall
from domain.values.ids import FORENSICS_QUEUE, NOTIFY_QUEUE, REMEDIATE_QUEUE
from sandbox.runtime.aws_world import World as Account
from tests.activities.change_worlds import ChangeWorld
from tests.activities.fake_lambda import FakeLambda
from tests.activities.ledger_worlds import EVIDENCE, ledger_and_vault, place
from tests.activities.scopes import NOW, TEXTS_BY, scope
from tests.activities.statuspage_server import statuspage_server
from tests.activities.telephones import telephones
from tests.activities.test_change_catalogue import planned, verified
from tests.activities.test_paging import EMAIL, SMS, VOICE, page
from tests.activities.test_restoring import outage
from tests.activities.variant_worlds import every_world_of
from tests.activities.world import WIRE, WorldClients, create_ledger
from tests.domain.changing import plan
from tests.house import FixedHouse, about, house_of, on_record
from tests.permissions.resources import CODEC_ALIAS
from tests.permissions.variant_looks import VARIANT_LOOKS, environments_of_clusters, of_databases
from tests.recorded_operations import _account, _Look, recorder
from tests.records import INCIDENT
from tests.runbook_coverage import runbooks
from tests.sandbox.preflight_rooms import room_of
from worker.heartbeat import sign

_LOOKS = 3


@dataclass(frozen=True)
class Call:
    """One request to AWS, under a role, in an environment."""

    role: str
    environment: Environment = field(compare=False, hash=False, repr=False)
    service: str
    operation: str
    asked: dict[str, Any] = field(compare=False, hash=False)


class Calls:
    """What was sent, by the role that it was sent under."""

    def __init__(self) -> None:
        self.made: list[Call] = []

    @contextmanager
    def under(self, role: str, environment: Environment) -> Iterator[None]:
        with WIRE.listening() as sent:
            yield
            self.made += [Call(role, environment, one.service, one.operation, one.asked) for one in sent]


@cache
def recorded() -> tuple[Call, ...]:
    """Play everything once for all tests of a process."""
    calls = Calls()
    folder = mkdtemp()  # moto's patches, and with them the outbox in it, stay for as long as the process
    atexit.register(rmtree, folder, ignore_errors=True)
    with recorder() as made:
        for name in sorted(CHANGES):
            for make in every_world_of(name):
                _change(calls, name, make)
        with _account(Path(folder)) as account, statuspage_server() as server:
            clients = _tapped(account)
            _preflight(calls, account, clients)
            _looks(calls, account, _Look(made, account, server.url, clients))
            _clusters(calls, account, clients)
        _more_looks(calls)
        _release(calls)
        _record(calls)
        _assume(calls)
        _encrypt(calls)
        _pages(calls)
        _watch(calls)
        _faults(calls)
    return tuple(calls.made)


def _tapped(account: Account) -> AwsClients:
    session = boto3.Session("testing", "testing", region_name=account.environment.region)
    WIRE.tap(session.events)
    return AwsClients(session, account.environment.region)


def _change(calls: Calls, name: str, make: Callable[[], ChangeWorld]) -> None:
    """From plan to undo, and asked for again while it stands: whether that is ours is looked up."""
    with mock_aws():
        world = make()
        runner = ChangeRunner(world.clients)
        with calls.under(role_of(CHANGES[name]), world.scope.environment):
            try:
                call = planned(runner, world)
            except RuleError:  # what is refused has been looked at
                return
            runner.apply(world.change, call, NOW)
            with WIRE.deaf():
                world.settle()
            for _ in range(_LOOKS - 1):
                with suppress(ApplicationError):  # a look may find that it takes another
                    verified(runner, world, call)
            verified(runner, world, call)
            with suppress(RuleError):  # of what was done already some ask for nothing, others refuse it
                planned(runner, world, generation=2)
            if call.plan.reversible:
                runner.apply(world.change, planned(runner, world, generation=3, undo=call.plan), NOW)


def _release(calls: Calls) -> None:
    """What the workflow does once a change has failed, whichever it was."""
    with mock_aws():
        clients = WorldClients()
        create_ledger(clients)
        where, planned_once = scope(environment=place()), plan()
        made = MadePlan(plan=planned_once, params={}, requested_by="cto", at=NOW)
        Plans(Table(clients, place().ledger_table)).put(where.incident, "s", 1, made)
        with calls.under(REMEDIATE_QUEUE, place()):
            asked = ReleaseRequest(
                about=about(where), step="s", generation=1, digest=planned_once.digest, unverified="NotYet"
            )
            release(clients, FixedHouse(place()), ChangeRunner(clients), asked, NOW)


def _preflight(calls: Calls, account: Account, clients: AwsClients) -> None:
    """Every look, one after the other; of roles, each of which is asked for the same, one.

    What recovery tests use is looked at where nothing else is, as in an environment for them alone.
    """
    alone: dict[str, Any] = {"databases": {}, "evidence": None, "bucket_keys": {}, "faults": {}}
    keys = [one for one in CHECKS if one.name == "key"]
    for changes, checks in (({"recovery": None}, CHECKS), (alone, (*recovery.CHECKS, *keys))):
        room = room_of(account.environment.model_copy(update=changes), clients=clients)
        with calls.under(PREFLIGHT, room.environment):
            for check in checks:
                targets = list(check.targets(room).values())
                for target in targets[:1] if check.name == "role" else targets:
                    check.look(room, target)


def _looks(calls: Calls, account: Account, look: _Look) -> None:
    """Every probe and every notice of the shipped runbooks, as their steps ask."""
    for runbook in runbooks():
        for step in runbook.steps():
            if isinstance(step, ProbeStep):
                _look(calls, account, look, runbook, step)
            elif isinstance(step, NoticeStep):
                _tell(calls, account, look, runbook, step)


def _look(calls: Calls, account: Account, look: _Look, runbook: Runbook, step: ProbeStep) -> None:
    probe = PROBES[step.probe](look.clients)
    with calls.under(role_of(type(probe)), account.environment):
        probe.observe(look._scope(runbook), probe.params.model_validate(step.params), datetime.now(UTC))


def _clusters(calls: Calls, account: Account, clients: AwsClients) -> None:
    """What looks at databases, where they are of a cluster, whether the environment says so or not."""
    for environment in environments_of_clusters(account):
        where = scope(environment=environment, declared_at=datetime.now(UTC) - timedelta(minutes=1))
        for step in of_databases(runbooks()):
            probe = PROBES[step.probe](clients)
            with calls.under(role_of(type(probe)), environment):
                probe.observe(where, probe.params.model_validate(step.params), datetime.now(UTC))
        with calls.under(PREFLIGHT, environment):
            for one in environment.databases.values():
                database(room_of(environment, clients=clients), one)


def _more_looks(calls: Calls) -> None:
    for name, make in VARIANT_LOOKS.items():
        with mock_aws():
            look = make()
            probe = PROBES[name](look.clients)
            with calls.under(role_of(type(probe)), look.scope.environment):
                probe.observe(look.scope, probe.params.model_validate(look.params), look.at)


def _tell(calls: Calls, account: Account, look: _Look, runbook: Runbook, step: NoticeStep) -> None:
    look.sequence += 1
    notice = NOTICES[step.notice](look.clients, StatusPageClient(look.page, "secret", interval=timedelta(0)))
    here = look._scope(runbook)
    on_record(look.clients, here, runbook)
    asked = NoticeRequest(about=about(here), step=step.id, params=step.params, sequence=look.sequence)
    declared = Declared(FixedHouse(here.environment), Table(look.clients, here.environment.ledger_table))
    with calls.under(NOTIFY_QUEUE, account.environment):
        with suppress(RuleError):  # the runbook is looked for on record, and is in no folder here
            declared.refuse_notice(asked, step.notice, datetime.now(UTC))
        notice.send(look._scope(runbook), notice.params.model_validate(step.params), look.sequence)


def _record(calls: Calls) -> None:
    """An incident's entries are written and signed twice over, its report is stored, and it is restored."""
    with ledger_and_vault() as clients:
        kms = clients.inner.client("kms")
        kms.create_alias(AliasName=EVIDENCE["kms_key"], TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
        played, where = outage(), place()
        declared = played.incident.state.declaration
        with calls.under(LEDGER, where):
            store, appender = LedgerStore(clients, where), Appender(clients, house_of(declared))
            for _ in range(2):
                appender.append(
                    AppendCall(incident=INCIDENT, environment=where.name, epoch=1, entries=list(played.entries))
                )
            store_report(clients, where, "UTC", INCIDENT, NOW)
            restorer = Restorer(clients, FixedHouse(where))
            restorer.open_ones(RestorableCall())
            restorer.restore(RestoreCall(incident=INCIDENT, holder="run-1"))
            store.follow_once(_following(where))


def _following(where: Environment) -> FollowCall:
    said: dict[str, Any] = {"actor": "worker", "kind": "reminded", "text": "due", "data": {}}
    return FollowCall(incident=INCIDENT, environment=where.name, number=1, term=2, at=NOW, **said)


def _faults(calls: Calls) -> None:
    """What a drill injects and withdraws."""
    where = place().model_copy(update={"kind": "staging", "faults": {"bad": "breaker"}})
    faults = Faults(WorldClients(instead={"lambda": FakeLambda()}), FixedHouse(where))
    call = FaultCall(id="drill", environment=where.name, fault="bad")
    with mock_aws(), calls.under(REMEDIATE_QUEUE, where):
        faults.inject(call)
        faults.withdraw(call)


def _assume(calls: Calls) -> None:
    """A worker becomes each of the roles that its queues need, preflight the one that puts locked objects."""
    with mock_aws():
        where = place()
        sts = WorldClients().inner.client("sts")
        with calls.under(WORKER, where):
            for role in roles():
                if role not in OUTSIDE:
                    sts.assume_role(**_session(where, role))
        with calls.under(PREFLIGHT, where):
            sts.assume_role(**_session(where, FORENSICS_QUEUE))


def _encrypt(calls: Calls) -> None:
    """A worker makes data keys, reads by them, and looks up what a key's alias is."""
    with mock_aws():
        where = place()
        kms = WorldClients().inner.client("kms")
        kms.create_alias(AliasName=CODEC_ALIAS, TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
        with calls.under(WORKER, where):
            made = DataKeys(kms, (CODEC_ALIAS,)).current()
            assert DataKeys(kms, (CODEC_ALIAS,)).find(made.key, made.wrapped)


def _session(where: Environment, role: str) -> dict[str, str]:
    arn = where.arn("iam", f"role/{role_name(role, where)}")
    return {"RoleArn": arn, "RoleSessionName": f"incident-{role}"}


def _watch(calls: Calls) -> None:
    """A silent incident is found, paged about and restored; strange requests are noted by all hands, and told."""
    with ledger_and_vault() as clients:
        clients.inner.client("sesv2").create_email_identity(EmailIdentity="incidents@example.com")
        telephones()
        played, where = outage(), place()
        declared = played.incident.state.declaration
        house = house_of(declared)
        Appender(clients, house).append(
            AppendCall(incident=INCIDENT, environment=where.name, epoch=1, entries=list(played.entries))
        )
        strange = StrangeRequestError("elsewhere", Strange.ELSEWHERE)
        for role in (REMEDIATE_QUEUE, LEDGER, FORENSICS_QUEUE, NOTIFY_QUEUE):
            with calls.under(role, where):
                Sheets(house).note(clients, strange, "people.page", INCIDENT, datetime.now(UTC))
        with calls.under(NOTIFY_QUEUE, where):
            watcher = Watcher(clients, house, Pager(clients))
            watcher.is_the_one()
            (found,) = watcher.look()
            watcher.note_restore(found, "restore/x")
            watcher.leave()


def _pages(calls: Calls) -> None:
    with mock_aws():
        clients = WorldClients()
        clients.inner.client("sesv2").create_email_identity(EmailIdentity="incidents@example.com")
        create_ledger(clients, place().ledger_table)
        telephones()
        with calls.under(NOTIFY_QUEUE, place()):
            for channel in (SMS, VOICE, EMAIL):
                call = page(channel, text_configuration_set=TEXTS_BY, ledger_table=place().ledger_table)
                of_its_own = call.model_copy(update={"page_id": f"page-by-{channel.kind}"})
                Pager(clients).page(of_its_own, Attempt(2, NOW, NOW))
            sign(clients, heartbeat_namespace(place()))

"""Every call that is made under a role: actions played to their end, and what workers ask for beside them."""

import atexit
from collections.abc import Callable
from contextlib import suppress
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
from activities.changes.runner import ChangeRunner
from activities.declared import Declared
from activities.ledger.table import Table
from activities.permissions.roles import PREFLIGHT, role_of
from activities.preflight import recovery
from activities.preflight.places import database
from activities.preflight.table import CHECKS
from activities.statuspage_client import StatusPageClient
from domain.config.runbook import NoticeStep, ProbeStep, Runbook
from domain.model.activity_io import NoticeRequest
from domain.values.ids import NOTIFY_QUEUE
from sandbox.runtime.aws_world import World as Account
from tests.activities.change_worlds import ChangeWorld
from tests.activities.scopes import NOW, scope
from tests.activities.statuspage_server import statuspage_server
from tests.activities.test_change_catalogue import planned, verified
from tests.activities.variant_worlds import every_world_of
from tests.activities.world import WIRE
from tests.house import FixedHouse, about, on_record
from tests.permissions import worker_plays
from tests.permissions.calls import Call, Calls
from tests.permissions.variant_looks import VARIANT_LOOKS, environments_of_clusters, of_databases
from tests.recorded_operations import _account, _Look, recorder
from tests.runbook_coverage import runbooks
from tests.sandbox.preflight_rooms import room_of

_LOOKS = 3


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
        worker_plays.release(calls)
        worker_plays.record(calls)
        worker_plays.assume(calls)
        worker_plays.encrypt(calls)
        worker_plays.pages(calls)
        worker_plays.watch(calls)
        worker_plays.faults(calls)
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

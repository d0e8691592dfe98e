"""Which operations actions really make: the calls of every probe, change and notice, on record as they are sent."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.handlers
import botocore.loaders
import botocore.session
import pytest
import requests
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto import mock_aws

from activities.aws.shared.clients import AwsClients
from activities.catalogue import NOTICES, PROBES
from activities.changes.runner import ChangeRunner
from activities.statuspage_client import StatusPageClient
from domain.config.runbook import ChangeStep, NoticeStep, ProbeStep, Runbook
from domain.model.calls import Scope
from domain.values.severity import Severity
from sandbox.aws.install import install
from sandbox.aws.rollout import PACE
from sandbox.runtime.aws_world import World as Account
from sandbox.runtime.outbox import Outbox
from sandbox.seed import account as seed
from tests.activities.catalogue_worlds import world_of
from tests.activities.dial import looking
from tests.activities.scopes import NOW
from tests.activities.statuspage_server import statuspage_server
from tests.activities.test_change_catalogue import planned
from tests.activities.world import forget_clients
from tests.sandbox.worlds import AT_ONCE, NEVER, shipped

_ANSWERS: dict[str, dict[str, Any]] = {"pi:GetResourceMetrics": {"MetricList": []}}


@dataclass
class Played:
    """What came of playing every step, by `type/step`.

    `operations` are `service:Operation` as botocore names them, and `http:METHOD path`; `failed` tells of actions that
    could not be played to their end, and whose calls until then are among the operations.
    """

    operations: dict[str, set[str]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def play(self, step: str, action: Callable[[set[str]], None]) -> None:
        """Let an action note what it calls; a failure is kept for a test of its own to tell."""
        seen = self.operations[step] = set()
        try:
            action(seen)
        except Exception as error:  # noqa: BLE001 - one action that fails must not hide the others
            self.failed[step] = f"{type(error).__name__}: {error}"


@dataclass
class Recorder:
    """Notes what is sent while it listens: operations of AWS by a botocore hook, other HTTP by a wrapper."""

    listening: bool = False
    seen: set[str] = field(default_factory=set)

    def called(self, model: Any, **_: Any) -> Any:
        """Note it, and give the answer of an operation that nothing answers in this process."""
        name = f"{model.service_model.service_name}:{model.name}"
        if self.listening:
            self.seen.add(name)
        return (AWSResponse("", 200, HTTPHeaders(), None), _ANSWERS[name]) if name in _ANSWERS else None

    def requested(self, method: str, url: str) -> None:
        if self.listening:
            self.seen.add(f"http:{method.upper()} {urlsplit(url).path}")

    @contextmanager
    def listen(self, seen: set[str]) -> Iterator[None]:
        """Note into `seen`."""
        self.seen, self.listening = seen, True
        try:
            yield
        finally:
            self.listening = False


@contextmanager
def recorder() -> Iterator[Recorder]:
    """Hook into every botocore session and every request made from here on."""
    made = Recorder()
    hook: Any = ("before-call", made.called)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.handlers, "BUILTIN_HANDLERS", [*botocore.handlers.BUILTIN_HANDLERS, hook])
        sent = requests.Session.request

        def request(session: requests.Session, method: str, url: str, *given: Any, **named: Any) -> Any:
            made.requested(method, url)
            return sent(session, method, url, *given, **named)

        patch.setattr(requests.Session, "request", request)
        models = botocore.loaders.create_loader()  # each world has a session of its own, which would read them again
        patch.setattr(botocore.loaders, "create_loader", lambda *_: models)
        for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
            patch.delenv(name, raising=False)
        patch.setattr(PACE, "rollout", AT_ONCE)
        patch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # a third of all the time, for images that nobody asks for
        forget_clients()
        try:
            yield made
        finally:
            forget_clients()


def of_runbooks(runbooks: list[Runbook], folder: Path) -> Played:
    """Play every step that is no human task: changes in their own worlds, all else in one seeded account."""
    of = {f"{runbook.id}/{step.id}": (runbook, step) for runbook in runbooks for step in runbook.steps()}
    played, worlds = Played(), Played()
    with recorder() as made:
        for name in sorted({step.change for _, step in of.values() if isinstance(step, ChangeStep)}):
            worlds.play(name, partial(_of_change, made, name))
        with _account(folder) as account, statuspage_server() as page:
            look = _Look(made, account, page.url, AwsClients(boto3.Session(), account.environment.region))
            for key, (runbook, step) in of.items():
                if isinstance(step, ProbeStep):
                    played.play(key, partial(look.observe, runbook, step))
                elif isinstance(step, NoticeStep):
                    played.play(key, partial(look.send, runbook, step))
                elif isinstance(step, ChangeStep):
                    played.operations[key] = worlds.operations[step.change]
    played.failed.update(worlds.failed)
    return played


@contextmanager
def _account(folder: Path) -> Iterator[Account]:
    """The shipped environment's account, seeded as a sandbox seeds it."""
    environment = shipped()
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("MOTO_ACCOUNT_ID", environment.account)
        account = Account(environment, lambda service: boto3.client(service, region_name=environment.region))  # type: ignore[call-overload]
        install(Outbox(folder / "outbox.jsonl"), NEVER)
        seed.seed(account)
        for database in environment.databases.values():  # off, nothing would be asked of Performance Insights
            account.client("rds").modify_db_instance(
                DBInstanceIdentifier=database.identifier, EnablePerformanceInsights=True, ApplyImmediately=True
            )
        yield account


@dataclass
class _Look:
    """Carries out probes and notices, in one account and before one status page that remembers what it was told."""

    made: Recorder
    account: Account
    page: str
    clients: AwsClients
    sequence: int = 0

    def observe(self, runbook: Runbook, step: ProbeStep, seen: set[str]) -> None:
        probe = PROBES[step.probe](self.clients)
        with self.made.listen(seen):
            probe.observe(self._scope(runbook), probe.params.model_validate(step.params), datetime.now(UTC))

    def send(self, runbook: Runbook, step: NoticeStep, seen: set[str]) -> None:
        self.sequence += 1
        api = StatusPageClient(self.page, "secret", interval=timedelta(0))
        notice = NOTICES[step.notice](self.clients, api)
        with self.made.listen(seen):
            notice.send(self._scope(runbook), notice.params.model_validate(step.params), self.sequence)

    def _scope(self, runbook: Runbook) -> Scope:
        return Scope(
            incident="inc-20261123-7f3k",
            type=runbook.id,
            title=runbook.title,
            severity=Severity.P0,
            mode="live",
            declared_at=datetime.now(UTC) - timedelta(minutes=1),
            environment=self.account.environment,
        )


def _of_change(made: Recorder, name: str, seen: set[str]) -> None:
    """Plan, apply and verify it in its world of the catalogue's suite; there, fakes stand in for some services."""
    with mock_aws():
        world = world_of(name)
        runner = ChangeRunner(world.clients)
        try:
            with made.listen(seen):
                call = planned(runner, world)
                assert runner.apply(world.change, call, NOW).outcome == "applied"
            world.settle()
            with made.listen(seen):
                assert runner.verify(world.change, looking(call), NOW).message
        finally:
            seen.update(found for one in world.clients.calls for found in _named(one))


def _named(call: str) -> list[str]:
    """`rds.modify_db_instance` as botocore names it; nothing for what is no operation, such as `get_paginator`."""
    service, method = call.split(".", 1)
    service = service.partition("@")[0]
    return [f"{service}:{name}"] if (name := _operations(service).get(method)) else []


@cache
def _operations(service: str) -> dict[str, str]:
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(name): name for name in model.operation_names}

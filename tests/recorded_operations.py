"""Which operations actions really make: the calls of every probe, change and notice, on record as they are sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.handlers
import botocore.session
import pytest
import requests
from botocore import xform_name
from moto import mock_aws

from activities.action import Change
from activities.aws.clients import AwsClients
from activities.catalogue import CHANGES, NOTICES, PROBES
from activities.changes import ChangeRunner
from activities.registry import World as Outside
from activities.statuspage_client import StatusPageClient
from domain.calls import Scope
from domain.runbook import ChangeStep, NoticeStep, ProbeStep, Runbook
from domain.severity import Severity
from sandbox import seed
from sandbox.aws.install import install
from sandbox.aws.rollout import PACE
from sandbox.outbox import Outbox
from sandbox.world import World as Account
from tests.activities.dial import looking
from tests.activities.scopes import NOW
from tests.activities.statuspage_server import statuspage_server
from tests.activities.test_change_catalogue import ALL_WORLDS, planned
from tests.sandbox.worlds import AT_ONCE, NEVER, shipped

Operations = dict[str, frozenset[str]]
"""By step, `type/step`: `service:Operation` as botocore names them, and `http:METHOD path`."""


@dataclass
class Recorder:
    """Notes what is sent while it listens: operations of AWS by a botocore hook, other HTTP by a wrapper."""

    listening: bool = False
    seen: set[str] = field(default_factory=set)

    def called(self, model: Any, **_: Any) -> None:
        if self.listening:
            self.seen.add(f"{model.service_model.service_name}:{model.name}")

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
        for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
            patch.delenv(name, raising=False)
        patch.setattr(PACE, "rollout", AT_ONCE)
        yield made


def of_runbooks(runbooks: list[Runbook], folder: Path) -> Operations:
    """Give the operations of every step that is no human task; a step stays without where its action makes none."""
    with recorder() as made:
        changes = {name: _of_change(made, CHANGES[name]) for name in sorted(CHANGES)}
        with _account(folder) as account:
            found = {
                f"{runbook.id}/{step.id}": changes[step.change]
                if isinstance(step, ChangeStep)
                else _of_look(made, account, runbook, step)
                for runbook in runbooks
                for step in runbook.steps()
                if isinstance(step, ChangeStep | ProbeStep | NoticeStep)
            }
    return {step: frozenset(seen) for step, seen in found.items()}


@contextmanager
def _account(folder: Path) -> Iterator[Account]:
    """The shipped environment's account, seeded as a sandbox seeds it."""
    environment = shipped()
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("MOTO_ACCOUNT_ID", environment.account)
        account = Account(environment, lambda service: boto3.client(service, region_name=environment.region))  # type: ignore[call-overload]
        install(Outbox(folder / "outbox.jsonl"), NEVER)
        seed.seed(account)
        yield account


def _of_look(made: Recorder, account: Account, runbook: Runbook, step: ProbeStep | NoticeStep) -> set[str]:
    seen: set[str] = set()
    clients = AwsClients(boto3.Session(), account.environment.region)
    scope = _scope(account, runbook)
    if isinstance(step, ProbeStep):
        probe = PROBES[step.probe](clients)
        with made.listen(seen):
            probe.observe(scope, probe.params.model_validate(step.params), datetime.now(UTC))
        return seen
    with statuspage_server() as page, made.listen(seen):
        outside = Outside(clients, StatusPageClient(page.url, "secret", interval=timedelta(0)))
        notice = NOTICES[step.notice](outside)
        notice.send(scope, notice.params.model_validate(step.params), 1)
    return seen


def _of_change(made: Recorder, change: type[Change[Any]]) -> set[str]:
    """Plan, apply and verify it in its world of the catalogue's suite; there, fakes stand in for some services."""
    seen: set[str] = set()
    with mock_aws():
        world = ALL_WORLDS[change.name]()
        runner = ChangeRunner(world.clients)
        with made.listen(seen):
            call = planned(runner, world)
            assert runner.apply(world.change, call, NOW).outcome == "applied"
        world.settle()
        with made.listen(seen):
            assert runner.verify(world.change, looking(call)).message
        return seen | {name for call in world.clients.calls for name in _named(call)}


def _named(call: str) -> list[str]:
    """`rds.modify_db_instance` as botocore names it; nothing for what is no operation, such as `get_paginator`."""
    service, method = call.split(".", 1)
    service = service.partition("@")[0]
    return [f"{service}:{name}"] if (name := _operations(service).get(method)) else []


@cache
def _operations(service: str) -> dict[str, str]:
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(name): name for name in model.operation_names}


def _scope(account: Account, runbook: Runbook) -> Scope:
    return Scope(
        incident="inc-20261123-7f3k",
        type=runbook.id,
        title=runbook.title,
        severity=Severity.P0,
        mode="live",
        declared_at=datetime.now(UTC) - timedelta(minutes=1),
        environment=account.environment,
    )

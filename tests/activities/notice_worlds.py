"""A small world for every notice of the catalogue: who is told, and what they have been told."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from moto import mock_aws
from moto.ses.models import ses_backends
from moto.support.models import SupportBackend
from moto.support.responses import SupportResponse

from activities.aws.observability.support_cases import OpenCase, ResolveCase
from activities.catalogue import NOTICES
from activities.channels.contacts_code import ContactCode
from activities.statuspage import Identified, Investigating, Monitoring, Resolved
from activities.statuspage_client import StatusPageClient
from domain.config.organisation import Channel
from domain.config.runbook import NoticeStep
from domain.model.activity_io import Mode, Noticed, NoticeRequest
from domain.model.calls import Scope
from sandbox.aws import support
from tests.activities.scopes import ACCOUNT, REGION, environment, scope
from tests.activities.statuspage_server import StatusPageServer, statuspage_server
from tests.activities.trial import named
from tests.activities.world import WorldClients, create_ledger
from tests.house import FixedHouse, about, asking, on_record, reached_by, runbook_of

_TAUGHT = (
    (SupportBackend, ("create_case", "resolve_case", "advance_case_status", "advance_case_severity_codes")),
    (SupportResponse, ("describe_severity_levels",)),
)


_WHERE = scope(environment=environment(kind="staging"))


def _here(mode: Mode) -> Scope:
    """An incident of its own for each mode."""
    return _WHERE if mode == "live" else _WHERE.model_copy(update={"mode": mode, "incident": f"inc-{mode}"})


@dataclass
class NoticeWorld:
    """`received` is what the outside has been told, entry by entry. A failure of what is `optional` is no failure.

    What is told `anew` by a repeat is so on purpose.
    """

    name: str
    clients: WorldClients
    page: StatusPageServer
    received: Callable[[], list[Any]]
    before: tuple[str, ...] = ()
    params: dict[str, Any] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    anew: bool = False
    channel: Channel | None = None

    def __post_init__(self) -> None:
        api = StatusPageClient(self.page.url, "secret", interval=timedelta(0))
        told = {"title": "Tell", "with": self.params}
        runbook = self.runbook = runbook_of(
            *(
                NoticeStep.model_validate({"id": _step(name), "notice": name, **told})
                for name in (*self.before, self.name)
            )
        )
        create_ledger(self.clients)
        for here in (_here("live"), _here("drill"), _here("dry-run")):
            on_record(self.clients, here, runbook)
        house = self.house = FixedHouse(
            _WHERE.environment, None if self.channel is None else reached_by(cto=(self.channel,)), runbook
        )
        self._activities = named(self.clients, house, api)
        for sequence, name in enumerate(self.before, start=1):
            self._send(name, sequence)

    def send(self, mode: Mode = "live") -> Noticed:
        return self._send(self.name, len(self.before) + 1, mode)

    def _send(self, name: str, sequence: int, mode: Mode = "live") -> Noticed:
        call = NoticeRequest(about=about(_here(mode)), step=_step(name), params=self.params, sequence=sequence)
        noticed: Noticed = asking(call).run(self._activities[f"{name}.send"], call)
        return noticed


def _step(name: str) -> str:
    return name.replace(".", "-").replace("_", "-")


def _public(name: str, *before: str) -> Callable[[StatusPageServer], NoticeWorld]:
    return lambda page: NoticeWorld(
        name,
        WorldClients(),
        page,
        received=lambda: list(page.received),
        before=before,
        params={"components": ["portal"]},
    )


def _cases(name: str, *before: str) -> Callable[[StatusPageServer], NoticeWorld]:
    """A severity that cannot be read does not keep a case from being opened."""

    def make(page: StatusPageServer) -> NoticeWorld:
        clients = WorldClients()

        def received() -> list[Any]:
            cases = clients.inner.client("support").describe_cases(includeResolvedCases=True)["cases"]
            return [(case["subject"], case["status"]) for case in cases]

        return NoticeWorld(name, clients, page, received, before, optional=frozenset({"DescribeSeverityLevels"}))

    return make


def _codes(page: StatusPageServer) -> NoticeWorld:
    """Each attempt sends a code of its own."""
    clients = WorldClients()
    clients.inner.client("sesv2").create_email_identity(EmailIdentity=scope().environment.notifications.mail_sender)
    channel = {"kind": "email", "address": "cto@example.com"}
    params = {"organisation": "Axis", "contact": "cto", "role": "cto", "channel": channel}

    def received() -> list[Any]:
        return [message.body for message in ses_backends[ACCOUNT][REGION].sent_messages]

    own = Channel.model_validate(channel)
    return NoticeWorld(ContactCode.name, clients, page, received, params=params, anew=True, channel=own)


NOTICE_WORLDS: dict[str, Callable[[StatusPageServer], NoticeWorld]] = {
    Investigating.name: _public(Investigating.name),
    Identified.name: _public(Identified.name, Investigating.name),
    Monitoring.name: _public(Monitoring.name, Investigating.name, Identified.name),
    Resolved.name: _public(Resolved.name, Investigating.name),
    OpenCase.name: _cases(OpenCase.name),
    ContactCode.name: _codes,
    ResolveCase.name: _cases(ResolveCase.name, OpenCase.name),
}


@contextmanager
def notice_world(name: str) -> Iterator[NoticeWorld]:
    """The world of a notice, in an account whose AWS Support behaves."""
    assert name in NOTICE_WORLDS, missing_worlds({name: None})
    with mock_aws(), statuspage_server() as page, pytest.MonkeyPatch.context() as patch:
        for target, operations in _TAUGHT:
            for operation in operations:  # taught to moto until the end of this world
                patch.setattr(target, operation, getattr(target, operation, None), raising=False)
        support.install()
        yield NOTICE_WORLDS[name](page)


def missing_worlds(notices: dict[str, Any] | None = None) -> str:
    """Say what has to be added for the notices that no suite could try; empty when all can be."""
    missing = sorted((NOTICES if notices is None else notices).keys() - NOTICE_WORLDS.keys())
    return f"add to NOTICE_WORLDS in tests/activities/notice_worlds.py: {', '.join(missing)}" if missing else ""

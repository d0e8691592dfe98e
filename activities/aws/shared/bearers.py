"""In whose name AWS is asked: what a session of its own says in CloudTrail, and whether it may write."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, NamedTuple

from domain.model.activity_io import Behalf
from domain.model.events import ORCHESTRATOR

_NAME, _SHORTEST, _TAG = 64, 2, 256  # characters: STS API AssumeRole, RoleSessionName and SourceIdentity; API Tag
_NOT_IN_NAMES = re.compile(r"[^\w+=,.@-]", re.ASCII)
_NOT_IN_TAGS = re.compile(r"[^\w .:/=+@-]")


class Bearer(NamedTuple):
    """Who a session acts for (STS API AssumeRole). One that only `reads` writes nothing, whatever its role may do."""

    name: str
    source_identity: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    reads: bool = False

    @property
    def asked(self) -> dict[str, Any]:
        """What STS is asked for beside the name."""
        said: dict[str, Any] = {"SourceIdentity": self.source_identity} if self.source_identity else {}
        return said | ({"Tags": [{"Key": key, "Value": value} for key, value in self.tags]} if self.tags else {})


_bearer: ContextVar[Bearer | None] = ContextVar("bearer", default=None)


def bearer() -> Bearer | None:
    """Who AWS is asked for at this moment; None for the worker itself."""
    return _bearer.get()


@contextmanager
def acting_for(incident: str, step: str, requested_by: str | None, approvers: tuple[str, ...]) -> Iterator[None]:
    """Within it AWS is asked in a session that names a change and its people, where a role is assumed.

    CloudTrail shows the name in `userIdentity.arn` of every call, the source identity in its `sessionContext`, and the
    tags with the `AssumeRole`. The source identity is the first who approved, else who asked for it, else the
    orchestrator itself; it goes along into whatever is assumed from there, and nobody can change it. What is too long
    is cut off, and `-` stands for what AWS does not take, such as the space in somebody's name. Threads that are
    started within keep to the worker's own session.
    """
    who = next(iter(approvers), requested_by) or ORCHESTRATOR
    said = {
        "incident": incident,
        "step": step,
        "requested-by": requested_by or ORCHESTRATOR,
        "approved-by": " ".join(approvers),
    }
    with _as(
        Bearer(
            name=_fit(",".join((incident, *approvers))),
            source_identity=_fit(who).ljust(_SHORTEST, "-"),
            tags=tuple((key, _NOT_IN_TAGS.sub("-", value)[:_TAG]) for key, value in said.items() if value),
        )
    ):
        yield


def in_mode(about: Behalf | None) -> AbstractContextManager[None]:
    """What the mode of an incident leaves to whoever acts on its behalf: of a dry run, what reads."""
    if about is None or about.mode != "dry-run":
        return nullcontext()
    return only_reading(f"{about.incident},dry-run")


@contextmanager
def only_reading(name: str) -> Iterator[None]:
    """Within it nothing can be written: clients refuse to, and a role is assumed for what it reads alone."""
    with _as(Bearer(name=_fit(name), reads=True)):
        yield


@contextmanager
def _as(one: Bearer) -> Iterator[None]:
    now = _bearer.get()
    token = _bearer.set(now if now and now.reads else one)  # whoever may only read stays so
    try:
        yield
    finally:
        _bearer.reset(token)


def _fit(name: str) -> str:
    return _NOT_IN_NAMES.sub("-", name)[:_NAME]

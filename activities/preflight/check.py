"""What a check of preflight is: targets of an environment, one look at each, a verdict.

A look lets errors of AWS through: `activities.preflight.run` says `missing` of what AWS does not find, and `unknown`,
with the reason, of whatever else could not be read. So no look can say `ok` of what it has not seen.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from activities.action import Clients
from activities.permissions.statements import role_name
from activities.statuspage_client import StatusPageClient
from domain.config.environment import Environment
from domain.config.organisation import Organisation

Status = Literal["ok", "missing", "wrong", "unknown"]


class Verdict(NamedTuple):
    """What was seen, and for all but `ok` what a person does about it, behind a semicolon."""

    status: Status
    detail: str


class Row(NamedTuple):
    """One line of preflight's answer."""

    check: str
    target: str
    status: Status
    detail: str


@dataclass(frozen=True)
class Room:
    """What a look may use. `now` is this machine's clock, in UTC; `acting` gives clients under the role of an ARN.

    `status_page` refuses everything where whoever runs preflight has no key.
    """

    clients: Clients
    environment: Environment
    organisation: Organisation
    now: Callable[[], datetime]
    acting: Callable[[str], Clients]
    status_page: StatusPageClient

    def client(self, service: str) -> Any:
        """The client of a service, in the environment's region."""
        return self.clients.client(service)

    def under(self, role: str, service: str) -> Any:
        """The client of a service under a role of workers; nothing is assumed before its first call."""
        arn = self.environment.arn("iam", f"role/{role_name(role, self.environment)}")
        return self.acting(arn).client(service)


T = TypeVar("T")
MAKE_OR_MEND = "make it, or mend the environment's file"


@dataclass(frozen=True)
class Check(Generic[T]):
    """`targets` are by what the environment's file calls them; `permissions` are what its looks need in IAM.

    `lost` is what a person does where AWS does not find a target; a check that names nothing has none.
    """

    name: str
    targets: Callable[[Room], Mapping[str, T]]
    look: Callable[[Room, T], Verdict]
    permissions: tuple[str, ...]
    lost: str | None = None


def named(
    name: str,
    targets: Callable[[Room], Mapping[str, T]],
    look: Callable[[Room, T], Verdict],
    permissions: tuple[str, ...],
) -> Check[T]:
    """A check of what the environment's file names."""
    return Check(name, targets, look, permissions, MAKE_OR_MEND)


def ok(detail: str) -> Verdict:
    return Verdict("ok", detail)


def missing(detail: str = f"AWS knows none of this name; {MAKE_OR_MEND}") -> Verdict:
    return Verdict("missing", detail)


def wrong(detail: str) -> Verdict:
    return Verdict("wrong", detail)


def unknown(detail: str) -> Verdict:
    return Verdict("unknown", detail)


def first_wrong(fine: str, *faults: str | None) -> Verdict:
    """`ok` where there is no fault; else all of them."""
    found = [fault for fault in faults if fault]
    return wrong("; ".join(found)) if found else ok(fine)

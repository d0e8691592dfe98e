"""Whether what is asked over the internet answers: the application's health endpoints, and the public status page."""

from collections.abc import Iterator
from itertools import count
from typing import Any

from temporalio.exceptions import ApplicationError

from activities.action import RuleError
from activities.http_health import attempt
from activities.preflight.check import MAKE_OR_MEND, Check, Room, Verdict, missing, ok, unknown, wrong
from activities.preflight.places import each, under
from domain.config.environment import HealthCheck, StatusPage
from domain.values.errors import ErrorKind

_PAGE_SIZE = 100


def health(room: Room, one: HealthCheck) -> Verdict:  # noqa: ARG001 - every look is given the room
    """An endpoint answers one GET with 2xx; where nothing answers, it may still answer to workers."""
    seen = attempt(one)
    if seen["ok"]:
        return ok(f"HTTP {seen['status']}")
    if "status" in seen:
        return wrong(f"it answers HTTP {seen['status']}, and no probe takes that for well; mend it, or url")
    return unknown(f"nothing answers here ({seen['error']}); run preflight where workers run, or mend url")


def status_page(room: Room, page: StatusPage) -> Verdict:
    """The page is there with every component (Statuspage: GET `/pages/{page}/components`, by the worker's key)."""
    try:
        there = set(_components(room, page.page_id))
    except RuleError:
        return unknown("there is no key to ask with; run preflight with the workers' STATUSPAGE_API_KEY")
    except ApplicationError as error:
        if error.type == ErrorKind.INVALID_REQUEST:
            return missing(f"Statuspage knows no such page; {MAKE_OR_MEND}")
        return unknown(f"{error.message}; run preflight again")
    lost = [name for name, one in page.components.items() if one not in there]
    if lost:
        return missing(f"it has no component for {', '.join(lost)}; {MAKE_OR_MEND}")
    return ok(f"it has {len(there)} components, all of the file's among them")


def _components(room: Room, page: str) -> Iterator[str]:
    for number in count(1):
        found = room.status_page.request("GET", f"pages/{page}/components?per_page={_PAGE_SIZE}&page={number}")
        yield from (str(one["id"]) for one in found)
        if len(found) < _PAGE_SIZE:
            return


CHECKS: tuple[Check[Any], ...] = (
    Check("health", under("health"), health, ()),
    Check("status page", each(lambda e: {"status_page": e.status_page}), status_page, ()),
)

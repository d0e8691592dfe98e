"""What must hold within an organisation's and an environment's file, said key by key and all at once."""

import zoneinfo
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from authority.claims import LONGEST_NAME, Name
from domain.config import organisation
from domain.config.approval import vacant
from domain.config.names import Flaw, Keys, items, mapping, parts, strange
from domain.rules.voting import REQUESTER
from domain.values.placeholders import placeholders
from starters.files.log_checks import of_logs

COMMANDS = frozenset({"end", "list"})
"""What `incident delegate` does beside taking a role."""

NO_RUNBOOKS = frozenset(
    {
        "approvals",
        "delegations",
        "drills",
        "identities",
        "organisation",
        "obligations",
        "preauthorisations",
        "rehearsal",
        "requirements",
        "schedules",
    }
)
"""What stands beside the runbooks in an organisation's folder and is none."""
_FICTION = frozenset({"+61491570006", "+61491570110", *(f"+6149157015{last}" for last in "6789")})
"""Telephone numbers that Australia reserves for fiction and that our examples use: nobody answers them."""

_SIGNED_NAME: TypeAdapter[str] = TypeAdapter(Name)


def unfilled(data: Mapping[str, Any]) -> list[Flaw]:
    """Every value that is still a placeholder."""
    found = placeholders(data)
    return [Flaw(keys, f"{value!r} is a placeholder; replace it by the real value") for keys, value in found]


def of_organisation(data: Mapping[str, Any]) -> Iterator[Flaw]:
    """Ids that nobody can sign by, roles outside the chain that nobody holds, approvers of runbooks that are too few, a
    time zone that is none.
    """
    yield from _unsignable([((), data), *parts(data, "contacts")])
    held = organisation.held(data)
    yield from strange(("on_call",), data.get("on_call"), held, "role")
    for at, contact in parts(data, "contacts"):
        if REQUESTER in items(contact.get("roles")):
            yield Flaw(
                (*at, "roles"), f"{REQUESTER!r} is whoever requests a change, and no role of anybody's; rename it"
            )
    for grade, rule in mapping(data.get("approval")).items():
        roles = mapping(rule).get("roles")
        yield from strange(("approval", grade, "roles"), roles, held | {organisation.COMMANDER}, "role")
        if grade in {"A2", "A3"} and mapping(rule).get("quorum") == 0:
            said = f"a change of class {grade} is not its requester's own to decide; ask for 1 or more"
            yield Flaw(("approval", grade, "quorum"), said)
    for named in ("runbook_approvers", "preauthorisers"):
        yield from _signers(data, named, held)
    for name, roles in mapping(data.get("break_glass")).items():
        if name in {"roles", "tells", "reviewer"}:
            yield from strange(("break_glass", name), roles, held, "role")
    yield from _commands(data)
    zone, zones = data.get("timezone"), _zones()
    if isinstance(zone, str) and zones and zone not in zones:
        yield Flaw(("timezone",), f"{zone!r} is no time zone; write one such as Australia/Sydney")


def _unsignable(named: Iterable[tuple[Keys, Mapping[str, Any]]]) -> Iterator[Flaw]:
    """Ids that no claim holds: whoever is called so could do nothing that is signed."""
    for at, one in named:
        name = one.get("id")
        try:
            _SIGNED_NAME.validate_python(name)
        except ValidationError:
            if isinstance(name, str):
                message = f"{name!r} cannot be signed: write it in ASCII, in {LONGEST_NAME} characters at most"
                yield Flaw((*at, "id"), message)


def _commands(data: Mapping[str, Any]) -> Iterator[Flaw]:
    """Roles for which nobody could stand in: `incident delegate` takes them for its own commands."""
    for at, one in parts(data, "contacts"):
        for number, role in enumerate(items(one.get("roles"))):
            if role in COMMANDS:
                yield Flaw((*at, "roles", number), f"incident delegate {role} is a command; name the role otherwise")


def _signers(data: Mapping[str, Any], key: str, held: frozenset[str]) -> Iterator[Flaw]:
    """Whether there is another person for each role that has to sign."""
    named = data.get(key)
    unheld = [*strange((key,), named, held, "role")]
    yield from unheld
    people = {str(at): items(one.get("roles")) for at, one in parts(data, "contacts")}
    if not unheld and (left := vacant([role for role in items(named) if isinstance(role, str)], people)):
        said = f"nobody is left to sign as {', '.join(left)}: each role needs a person of its own; name fewer"
        yield Flaw((key,), said)


@cache
def _zones() -> set[str]:
    """All that this machine knows: finding them is walking through a tree of files."""
    return zoneinfo.available_timezones()


def of_environment(data: Mapping[str, Any], file: Path) -> Iterator[Flaw]:
    """A name that is not the file's, and samples of logs that their formats do not fit."""
    if data.get("name") not in (None, file.stem):
        yield Flaw(("name",), f"{data['name']!r} stands in {file.name}; make the two the same")
    yield from of_logs(data)


def unreachable(data: Mapping[str, Any], environment: Mapping[str, Any]) -> Iterator[Flaw]:
    """Contacts whom production would page in vain: nobody answers the number, or there is none to call them from."""
    calls = mapping(environment.get("notifications")).get("voice_sender") is not None
    for at, contact in parts(data, "contacts"):
        for keys, channel in parts(contact, "channels"):
            if (number := channel.get("address")) in _FICTION:
                message = f"{number} is reserved for fiction and nobody answers it; write the real number"
                yield Flaw((*at, *keys, "address"), message)
            if channel.get("kind") == "voice" and not calls:
                message = "production has no notifications.voice_sender to call from; name one, or page another way"
                yield Flaw((*at, *keys, "kind"), message)

"""What must hold within an organisation's and an environment's file, said key by key and all at once."""

import zoneinfo
from collections.abc import Iterator

from domain.config.organisation import COMMANDER
from domain.values.placeholders import placeholders
from domain.values.severity import Severity
from starters.files.log_checks import of_logs
from starters.files.names import doubled, items, mapping, parts, strange
from starters.files.problems import Keys, Problem
from starters.files.yaml_lines import Document

NO_RUNBOOKS = frozenset({"organisation", "obligations", "requirements"})
"""What stands beside the runbooks in an organisation's folder and is none."""
_FICTION = frozenset({"+61491570006", "+61491570110", *(f"+6149157015{last}" for last in "6789")})
"""Telephone numbers that Australia reserves for fiction and that our examples use: nobody answers them."""


def unfilled(document: Document) -> dict[Keys, Problem]:
    """Every value that is still a placeholder, by its keys."""
    return {
        keys: document.problem(keys, f"{value!r} is a placeholder; replace it by the real value")
        for keys, value in placeholders(document.data)
    }


def of_organisation(document: Document) -> Iterator[Problem]:
    """Ids that stand twice, roles that nobody holds, severities left out, a time zone that is none."""
    data = document.data
    contacts = parts(data, "contacts")
    yield from doubled(document, [*contacts, *parts(data, "externals")])
    held = {role for _, contact in contacts for role in items(contact.get("roles")) if isinstance(role, str)}
    for key in ("chain", "on_call"):
        yield from strange(document, (key,), data.get(key), held, "role")
    for grade, rule in mapping(data.get("approval")).items():
        roles = mapping(rule).get("roles")
        yield from strange(document, ("approval", grade, "roles"), roles, held | {COMMANDER}, "role")
    policies = data.get("severities")
    if isinstance(policies, dict) and (missing := [s.value for s in Severity if s.value not in policies]):
        yield document.problem(("severities",), f"no policy for {', '.join(missing)}; add one")
    zone, zones = data.get("timezone"), zoneinfo.available_timezones()
    if isinstance(zone, str) and zones and zone not in zones:
        yield document.problem(("timezone",), f"{zone!r} is no time zone; write one such as Australia/Sydney")


def of_environment(document: Document) -> Iterator[Problem]:
    """A name that is not the file's, names that lead nowhere, and samples of logs that their formats do not fit."""
    data = document.data
    if data.get("name") not in (None, document.file.stem):
        yield document.problem(("name",), f"{data['name']!r} stands in {document.file.name}; make the two the same")
    databases, maintenance = mapping(data.get("databases")), mapping(data.get("maintenance"))
    for name, database in databases.items():
        source = mapping(database).get("replica_of")
        yield from strange(document, ("databases", name, "replica_of"), source, databases, "database")
    for key, part in (("load_balancer", "load_balancers"), ("bucket", "buckets")):
        there = mapping(data.get(part))
        yield from strange(document, ("maintenance", key), maintenance.get(key), there, key.replace("_", " "))
    yield from of_logs(document)


def fictional_numbers(document: Document) -> Iterator[Problem]:
    """Telephone numbers of contacts that nobody answers; production must not page them."""
    for index, contact in enumerate(map(mapping, items(document.data.get("contacts")))):
        for place, channel in enumerate(map(mapping, items(contact.get("channels")))):
            if channel.get("address") in _FICTION:
                yield document.problem(
                    ("contacts", index, "channels", place, "address"),
                    f"{channel['address']} is reserved for fiction and nobody answers it; write the real number",
                )

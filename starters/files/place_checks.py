"""What must hold within an organisation's and an environment's file, said key by key and all at once."""

import re
import zoneinfo
from collections.abc import Iterator
from typing import Any

from domain.config.organisation import COMMANDER
from domain.values.placeholders import placeholders
from domain.values.severity import Severity
from starters.files.model_problems import unknown
from starters.files.problems import Keys, Problem
from starters.files.yaml_lines import Document

NO_RUNBOOKS = frozenset({"organisation", "obligations", "requirements"})
"""What stands beside the runbooks in an organisation's folder and is none."""
_ELB_NAME_MAX = 32
_FICTION = frozenset({"+61491570006", "+61491570110", *(f"+6149157015{last}" for last in "6789")})
"""Telephone numbers that Australia reserves for fiction and that our examples use: nobody answers them."""


def mapping(value: Any) -> dict[str, Any]:
    """The value where it is a mapping; an empty one where the model says that it should be."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """The value where it is a list; an empty one where the model says that it should be."""
    return value if isinstance(value, list) else []


def unfilled(document: Document) -> dict[Keys, Problem]:
    """Every value that is still a placeholder, by its keys."""
    return {
        keys: document.problem(keys, f"{value!r} is a placeholder; replace it by the real value")
        for keys, value in placeholders(document.data)
    }


def of_organisation(document: Document) -> Iterator[Problem]:
    """Ids that stand twice, roles that nobody holds, severities left out, a time zone that is none."""
    data = document.data
    seen: set[str] = set()
    held: set[str] = set()
    for part in ("contacts", "externals"):
        for index, entry in enumerate(map(mapping, items(data.get(part)))):
            name = entry.get("id")
            if isinstance(name, str) and name in seen:
                yield document.problem((part, index, "id"), f"id {name!r} stands twice; give each its own")
            seen.add(str(name))
            held.update(role for role in items(entry.get("roles")) if isinstance(role, str))
    for keys, roles, known in _named_roles(data, held):
        for index, role in enumerate(items(roles)):
            if isinstance(role, str) and role not in known:
                yield document.problem((*keys, index), unknown(role, known, "role"))
    policies = data.get("severities")
    if isinstance(policies, dict) and (missing := [s.value for s in Severity if s.value not in policies]):
        yield document.problem(("severities",), f"no policy for {', '.join(missing)}; add one")
    zone, zones = data.get("timezone"), zoneinfo.available_timezones()
    if isinstance(zone, str) and zones and zone not in zones:
        yield document.problem(("timezone",), f"{zone!r} is no time zone; write one such as Australia/Sydney")


def _named_roles(data: dict[str, Any], held: set[str]) -> Iterator[tuple[Keys, Any, set[str]]]:
    """Where roles stand, what stands there, and which there could be; only an approval may be the commander's."""
    yield ("chain",), data.get("chain"), held
    yield ("on_call",), data.get("on_call"), held
    for grade, rule in mapping(data.get("approval")).items():
        yield ("approval", grade, "roles"), mapping(rule).get("roles"), held | {COMMANDER}


def of_environment(document: Document) -> Iterator[Problem]:
    """Names that lead nowhere, an account that is none, load balancers that cannot exist."""
    data = document.data
    if data.get("name") not in (None, document.file.stem):
        yield document.problem(("name",), f"{data['name']!r} stands in {document.file.name}; make the two the same")
    account = data.get("account")
    if isinstance(account, str) and not re.fullmatch(r"\d{12}", account):
        yield document.problem(("account",), f"{account!r} is no AWS account id; write its twelve digits in quotes")
    databases = mapping(data.get("databases"))
    for name, database in databases.items():
        source = mapping(database).get("replica_of")
        if isinstance(source, str) and source not in databases:
            yield document.problem(("databases", name, "replica_of"), unknown(source, databases, "database"))
    for key, part in (("load_balancer", "load_balancers"), ("bucket", "buckets")):
        named, there = mapping(data.get("maintenance")).get(key), mapping(data.get(part))
        if isinstance(named, str) and named not in there:
            yield document.problem(("maintenance", key), unknown(named, there, key.replace("_", " ")))
    for name, balancer in mapping(data.get("load_balancers")).items():
        arn = str(mapping(balancer).get("arn", ""))
        own = re.search(r":loadbalancer/[^/]+/([^/]+)", arn)
        if own and len(own[1]) > _ELB_NAME_MAX:
            message = f"load balancer name {own[1]!r} has {len(own[1])} characters; {_ELB_NAME_MAX} are allowed"
            yield document.problem(("load_balancers", name, "arn"), f"{message}, so none can exist; look its ARN up")


def fictional_numbers(document: Document) -> Iterator[Problem]:
    """Telephone numbers of contacts that nobody answers; production must not page them."""
    for index, contact in enumerate(map(mapping, items(document.data.get("contacts")))):
        for place, channel in enumerate(map(mapping, items(contact.get("channels")))):
            if channel.get("address") in _FICTION:
                yield document.problem(
                    ("contacts", index, "channels", place, "address"),
                    f"{channel['address']} is reserved for fiction and nobody answers it; write the real number",
                )

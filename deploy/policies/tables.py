"""The tables of docs/security.md: what each role may do, by the fields of the environment's file."""

from collections.abc import Iterable
from pathlib import Path

from activities.permissions.roles import (
    CONSOLE,
    LEDGER,
    PREFLIGHT,
    RECOVERY,
    SENSITIVE,
    WORKER,
    actions_of,
    queue_of,
    roles,
)
from activities.permissions.statements import Statement, statements
from deploy.policies.field_names import of_fields

DOCUMENT = Path(__file__).parents[2] / "docs" / "security.md"
BEGIN = "<!-- made by `make iam`: do not edit -->"
END = "<!-- end of what `make iam` makes -->"

_FOR = {
    "diagnose": "looks at what tells nothing of anybody",
    SENSITIVE: "looks at lines of logs, of databases and of traces: probes count, and pass no line on",
    "remediate": "gives the locks of changes back, and calls what injects the faults of drills",
    "forensics": "preserves evidence, and cannot remediate",
    LEDGER: "keeps the record: entries, signed heads, reports",
    "notify": "contacts people",
    RECOVERY: "restores copies of databases where nothing else is, and deletes them: a stack of its own",
    CONSOLE: "has no rights: taken over, it can show lies, and change nothing",
    PREFLIGHT: "looks whether all is ready, each night too, and may become `forensics` for its one object (`--write`)",
    WORKER: "is the process itself: it becomes one of the others, and encrypts what Temporal carries",
}
_SHELVES = "plans, applies and verifies changes of the shelf {shelf}"


def text() -> str:
    """The document, with these tables in their place. Raises `ValueError` where it has none for them."""
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"{DOCUMENT} has no place for the tables of roles")
    made = "\n".join(_role(role) for role in roles())
    return f"{before}{BEGIN}\n\n{made}\n{END}{after}"


def _role(role: str) -> str:
    what = _FOR.get(role) or _SHELVES.format(shelf=role.partition("-")[2])
    given = statements(role, of_fields())
    head = f"**`{role}`** {what}.{_actions(role)}\n"
    if not given:
        return head
    rows = sorted({_row(one) for one in given})
    return "\n".join((head, "| may | on | if |", "|---|---|---|", *rows, ""))


def _actions(role: str) -> str:
    names = ", ".join(f"`{action.name}`" for action in actions_of()[role])
    return f" {names}." if names and role != queue_of(role) else ""


def _row(one: Statement) -> str:
    return f"| {_short(one.actions)} | {', '.join(_resources(one.resources))} | {_conditions(one)} |"


def _short(actions: Iterable[str]) -> str:
    """Each service once: its further actions go without it."""
    said: list[str] = []
    last = ""
    for action in actions:
        service, _, name = action.partition(":")
        said.append(f"`{name if service == last else action}`")
        last = service
    return ", ".join(said)


def _resources(arns: Iterable[str]) -> list[str]:
    """What ends an ARN; partition, region and account are the environment's. A log group's streams go with it."""
    ends = {arn.split(":", 5)[-1] for arn in arns}
    return sorted(f"`{end}`" for end in ends if end.removesuffix(":*") == end or end.removesuffix(":*") not in ends)


def _conditions(one: Statement) -> str:
    told = [
        f"`{key}` {_OPERATORS[operator]} {' or '.join(_resources(values))}"
        for operator, keys in one.conditions.items()
        for key, values in keys.items()
    ]
    return "; ".join(told)


_OPERATORS = {
    "ArnLikeIfExists": "is, where it is given,",
    "ForAllValues:StringEquals": "is",
    "ForAnyValue:StringEquals": "has",
    "ForAnyValue:StringLike": "is like",
    "StringEquals": "is",
    "Bool": "is",
}

"""`incident runbook actions`: every action that a runbook's step may name, with what it takes and what it needs."""

import difflib
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import click
from pydantic.fields import FieldInfo

from activities.logical_names import logical_marks
from domain.values.durations import spoken
from starters.cli import terminal
from starters.cli.output import print_json
from starters.errors import RefusedError
from starters.files.action_checks import ACTIONS, Action

_OPERATIONS = re.compile(r" \((?:`[\w-]+:\w+`[, ]*)+\)")
"""What a docstring says of AWS operations, which the permissions say already."""


def known(name: str | None) -> dict[str, str]:
    """The kind of each action by its name, or of the one that is named. Raises `RefusedError` for one that is none."""
    found = {action: kind for kind, actions in ACTIONS.items() for action in sorted(actions)}
    if name is not None and name not in found:
        [near] = difflib.get_close_matches(name, found, n=1, cutoff=0)
        raise RefusedError(f"there is no action {name!r}: the nearest is {near!r}; incident runbook actions lists all")
    return found if name is None else {name: found[name]}


def show(name: str | None, *, as_json: bool) -> None:
    """Print one action in full, or a table of all."""
    found = {action: _described(kind, ACTIONS[kind][action]) for action, kind in known(name).items()}
    if as_json:
        print_json([*found.values()] if name is None else found[name])
        return
    if name is not None:
        _print(found[name])
        return

    def cells(one: dict[str, Any]) -> list[str]:
        parameters = ", ".join(p["name"] if p["required"] else f"[{p['name']}]" for p in one["parameters"])
        return [one["name"], one["kind"], " ".join(one["classes"]), parameters, one["summary"]]

    columns = ("Name", "Kind", "Class", "Parameters", "What it does")
    terminal.show(terminal.table("Actions", *columns, rows=map(cells, found.values())))


def _described(kind: str, action: Action) -> dict[str, Any]:
    return {
        "name": action.name,
        "kind": kind,
        "summary": _OPERATIONS.sub("", " ".join((inspect.getdoc(action) or "").split("\n\n")[0].split())),
        "parameters": list(_parameters(action)),
        "classes": [one.value for one in getattr(action, "classes", ())],
        "evidence": bool(getattr(action, "evidence", False)),
        "irreversible": getattr(action, "irreversible", "") or None,
        "permissions": list(action.permissions),
    }


def _parameters(action: Action) -> Iterator[dict[str, Any]]:
    schema = action.params.model_json_schema()
    for name, field in action.params.model_fields.items():
        yield {
            "name": name,
            "type": _type(schema["properties"][name], schema.get("$defs", {}), field),
            "required": field.is_required(),
            "default": None if field.is_required() else _plain(field.get_default(call_default_factory=True)),
        }


def _type(schema: Mapping[str, Any], definitions: Mapping[str, Any], field: FieldInfo) -> str:
    """Name a type as a runbook's author thinks of it."""
    if "$ref" in schema:
        return _type(definitions[schema["$ref"].rpartition("/")[2]], definitions, field)
    if "anyOf" in schema:
        return " or ".join(_type(one, definitions, field) for one in schema["anyOf"] if one.get("type") != "null")
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    if schema["type"] == "array":
        return f"list of {_type(schema['items'], definitions, field)}"
    if schema["type"] == "object":
        return "mapping of " + ", ".join(schema["properties"])
    if logical := logical_marks(field):
        return f"name in {logical[0].kind}"
    return "duration" if "15m" in schema.get("examples", ()) else str(schema["type"])


def _plain(value: Any) -> Any:
    """A default as a runbook writes it."""
    if isinstance(value, timedelta):
        return spoken(value).replace(" ", "")
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    return list(value) if isinstance(value, tuple) else value


def _print(one: Mapping[str, Any]) -> None:
    classes = f", class {' or '.join(one['classes'])}" if one["classes"] else ""
    click.echo(f"{one['name']}: {one['kind']}{classes}{', preserves evidence' if one['evidence'] else ''}")
    click.echo(terminal.folded(one["summary"]))
    if one["irreversible"]:
        click.echo(terminal.folded(f"It has no undo: {one['irreversible']}"))
    for parameter in one["parameters"]:
        given = "required" if parameter["required"] else f"default {json.dumps(parameter['default'])}"
        click.echo(terminal.folded(f"  {parameter['name']}: {parameter['type']}, {given}"))
    click.echo(terminal.folded(f"Needs in AWS: {', '.join(one['permissions']) or 'nothing'}"))

"""The schema that editors read agrees with what the loader takes."""

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from starters.files.organisation_folder import list_runbooks
from starters.files.runbook_schema import runbook_schema as schema
from starters.files.shipped import shipped_folder
from starters.files.yaml_lines import parse, read
from tests.organisations.folders import HARBOUR, RUNBOOK


def _faults(data: dict[str, Any]) -> list[str]:
    return [error.json_path for error in Draft202012Validator(schema()).iter_errors(data)]


def _harbour(old: str = "", new: str = "") -> dict[str, Any]:
    text = (HARBOUR / RUNBOOK).read_text()
    assert text.count(old) == 1 or not old
    data: dict[str, Any] = parse(text.replace(old, new) if old else text, Path(RUNBOOK)).data
    return data


def test_the_schema_takes_every_shipped_runbook() -> None:
    """An editor finds no fault with what the loader loads."""
    Draft202012Validator.check_schema(schema())
    folder = shipped_folder()
    assert list_runbooks(folder)
    for name in list_runbooks(folder):
        assert _faults(read(folder / f"{name}.yaml").data) == []
    assert _faults(_harbour()) == []
    assert _faults(_harbour("on_call: [east, west]\n", "")) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("logs.errors", "logs.eror"),
        ("        with: {service: timetable}\n      - id: services", "      - id: services"),
        ("with: {service: timetable}\n      - id: services", "with: {service: timetable, x: 1}\n      - id: services"),
        ("with: {count: 4}", "with: {count: many}"),
        ("with: {count: 4}", "params: {count: 4}"),
        ("title: Errors", "titel: Errors"),
        ("within: 15m", "within: 15"),
        ("on: mitigated", "on: closed"),
        ("task: Write it down", "task: Write it down\n        probe: logs.errors"),
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(old: str, new: str) -> None:
    """Unknown actions, parameters, keys and moments are marked while they are typed."""
    assert _faults(_harbour(old, new))

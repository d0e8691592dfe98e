"""What must hold between a runbook's steps, the actions there are and the environments."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from activities.action import ChangeAction, Logical, NoticeAction, OnRequest, Params, ProbeAction
from activities.catalogue import CHANGES, NOTICES, PROBES
from activities.logical_names import all_marks, logical_marks
from domain.config.names import Flaw, Keys, items, mapping, strange, unknown
from starters.files.model_problems import of_model

Action = type[ProbeAction[Any]] | type[ChangeAction[Any]] | type[NoticeAction[Any]]
ACTIONS: dict[str, Mapping[str, Action]] = {"probe": PROBES, "change": CHANGES, "notice": NOTICES}
"""The actions that a step of each kind may name."""


def action_of(step: Mapping[str, Any]) -> tuple[str, Action | None] | None:
    """The kind of a step and the action it names; None for tasks and for what is no step."""
    kinds = [kind for kind in (*ACTIONS, "task") if kind in step]
    if len(kinds) != 1 or kinds[0] == "task" or not isinstance(step[kinds[0]], str):
        return None
    return kinds[0], ACTIONS[kinds[0]].get(step[kinds[0]])


def _evidence(at: Keys, step: Mapping[str, Any]) -> Iterator[Flaw]:
    """A step starts by itself exactly where its action preserves evidence and can do nothing else."""
    preserves, marked = CHANGES[step["change"]].evidence, step.get("evidence") is True
    if preserves and not marked:
        yield Flaw((*at, "change"), f"{step['change']!r} preserves evidence; write evidence: true")
    if marked and not preserves:
        yield Flaw((*at, "evidence"), f"{step['change']!r} preserves no evidence; leave it out")


def of_action(at: Keys, step: Mapping[str, Any], environments: Mapping[str, Mapping[str, Any]]) -> Iterator[Flaw]:
    """The action is there and takes what `with` and `ask` say; its logical names are known to every environment."""
    found = action_of(step)
    if found is None:
        return
    kind, action = found
    if action is None:
        other = next((k for k, known in ACTIONS.items() if step[kind] in known), None)
        moved = f"{step[kind]!r} is a {other}, not a {kind}; write {other}: {step[kind]}"
        yield Flaw((*at, kind), moved if other else unknown(step[kind], ACTIONS[kind], kind))
        return
    if kind == "change":
        yield from _evidence(at, step)
    given, asked = mapping(step.get("with")), items(step.get("ask"))
    yield from _parameters(at, action.params, given, asked)
    for name in given.keys() & _on_request(action.params):
        message = f"{name!r} is for whoever asks for the change to say, not for a runbook; write ask: [{name}]"
        yield Flaw((*at, "with", name), message)
    yield from strange((*at, "ask"), asked, action.params.model_fields, "parameter")
    for where, environment in environments.items():
        for field in action.needs:
            if not environment.get(field):
                message = f"{action.name!r} needs {field}, which environment {where} lacks; add it there"
                yield Flaw((*at, kind), f"{message}, or leave this step out")
        for keys, value, mark in _logical_names(action.params, given):
            if said := _unfit(where, environment, value, mark):
                yield Flaw((*at, "with", *keys), said)


def _unfit(where: str, environment: Mapping[str, Any], value: str, mark: Logical) -> str | None:
    """What is wrong with a logical name in one environment."""
    there = known_names(environment, mark.kind)
    if not there:
        return f"environment {where} has no {mark.kind}; add {value!r} to them, or leave this step out"
    if value not in there:
        return f"{unknown(value, there, 'name')} among {mark.kind} of environment {where}"
    if mark.needs and not mapping(there[value]).get(mark.needs):
        return f"{value!r} has no {mark.needs} in environment {where}; add it there, or leave this step out"
    return None


def _parameters(at: Keys, params: type[Params], given: Mapping[str, Any], asked: list[Any]) -> Iterator[Flaw]:
    """What the action's own model says of `with`; what is asked for may be missing."""
    try:
        params.model_validate(given)
    except ValidationError as error:
        wrong = [said for said in error.errors() if not (said["type"] == "missing" and said["loc"][0] in asked)]
        yield from of_model(params, wrong, (*at, "with"))


def _logical_names(params: type[Params], given: Mapping[str, Any]) -> Iterator[tuple[Keys, str, Logical]]:
    """Each logical name that a step uses, defaults included: its keys under `with`, itself, what is asked of it."""
    for name, field in params.model_fields.items():
        value = given.get(name, field.default)
        for mark in logical_marks(field):
            if isinstance(value, str):
                yield (name,), value, mark
            elif isinstance(value, list | tuple):
                yield from (((name, index), one, mark) for index, one in enumerate(value) if isinstance(one, str))


def known_names(environment: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    """The logical names under a field of an environment; a dot leads into a part, as in `status_page.components`."""
    for key in field.split("."):
        environment = mapping(environment.get(key))
    return environment


def _on_request(params: type[Params]) -> set[str]:
    """The parameters that stand in no runbook."""
    fields = params.model_fields.items()
    return {name for name, one in fields if any(isinstance(mark, OnRequest) for mark in all_marks(one))}

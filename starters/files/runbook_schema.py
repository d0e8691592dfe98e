"""The JSON Schema of a runbook's file, for editors and for other programs that write runbooks."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from domain.config.runbook import Runbook
from starters.files.action_checks import ACTIONS, Action

_STEPS = {"probe": "ProbeStep", "change": "ChangeStep", "notice": "NoticeStep"}


def runbook_schema() -> dict[str, Any]:
    """JSON Schema 2020-12: the models' shape, the actions' names, and under `with` what each action takes.

    A change's parameters may be missing, since `ask` leaves them to the requester; the loader checks that.
    What depends on an organisation or environment (roles, logical names) is the loader's too.
    """
    params: list[type[BaseModel]] = sorted(
        {action.params for actions in ACTIONS.values() for action in actions.values()}, key=lambda m: m.__qualname__
    )
    models: list[type[BaseModel]] = [Runbook, *params]
    references, shared = models_json_schema([(model, "validation") for model in models])
    definitions = shared["$defs"]
    named = {model: references[model, "validation"]["$ref"].rpartition("/")[2] for model in models}
    for kind, model in _STEPS.items():
        _name_actions(definitions[model], kind, ACTIONS[kind], named, definitions)
    runbook = definitions.pop(named[Runbook])
    runbook["required"].remove("on_call")  # the organisation's stands in for it
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **runbook,
        "title": "Incident runbook",
        "$defs": definitions,
    }


def _name_actions(
    step: dict[str, Any],
    kind: str,
    actions: Mapping[str, Action],
    named: Mapping[type[BaseModel], str],
    definitions: Mapping[str, Any],
) -> None:
    """Enumerate the actions of one kind of step, and tie `with` to the parameters of the one that is named."""
    step["properties"][kind] |= {"enum": sorted(actions)}
    step["allOf"] = []
    for name, action in sorted(actions.items()):
        parameters = dict(definitions[named[action.params]])
        if kind == "change":
            parameters.pop("required", None)
        then: dict[str, Any] = {"properties": {"with": parameters}}
        if parameters.get("required"):
            then["required"] = ["with"]
        step["allOf"].append({"if": {"properties": {kind: {"const": name}}}, "then": then})

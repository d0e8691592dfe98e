"""The JSON Schema of a runbook's file, for editors and for other programs that write runbooks."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from domain.config.runbook import Runbook
from starters.files.action_checks import ACTIONS

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
        step, actions = definitions[model], sorted(ACTIONS[kind].items())
        step["properties"][kind] |= {"enum": [name for name, _ in actions]}
        step["allOf"] = [_condition(kind, name, definitions[named[action.params]]) for name, action in actions]
    runbook = definitions.pop(named[Runbook])
    runbook["required"].remove("on_call")  # the organisation's stands in for it
    runbook |= {"title": "Incident runbook", "$defs": definitions}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **runbook}


def _condition(kind: str, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Tie `with` to the parameters of the action that a step names."""
    if kind == "change":
        parameters = {key: value for key, value in parameters.items() if key != "required"}
    then: dict[str, Any] = {"properties": {"with": parameters}}
    if parameters.get("required"):
        then["required"] = ["with"]
    return {"if": {"properties": {kind: {"const": name}}}, "then": then}

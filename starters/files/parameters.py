"""What `--set name=value` means: typed by the parameters of the action that the step runs."""

import typing
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pydantic import BaseModel

_LISTS = {list, tuple, set, frozenset}


def pairs(settings: tuple[str, ...]) -> dict[str, str]:
    """Take `name=value` apart; a name given twice is wrong usage."""
    given: dict[str, str] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not name or not equals:
            raise click.UsageError(f"--set {setting!r} is not NAME=VALUE")
        if name in given:
            raise click.UsageError(f"--set gives {name!r} twice")
        given[name] = value
    return given


def typed(action: str | None, given: dict[str, str]) -> dict[str, Any]:
    """Split at commas what the action, by which the incident's own runbook offers the change, takes as a list.

    Numbers stay text: the action's own model reads them. Of an action that is not known here, a comma makes a list; the
    incident refuses what does not fit. A value that the action cannot take is refused here, before it is on record:
    somebody's name instead of a sub, for example.
    """
    from activities.catalogue import CHANGES

    if action is None or action not in CHANGES:
        return {name: value.split(",") if "," in value else value for name, value in given.items()}
    model = CHANGES[action].params
    lists = {name for name, field in model.model_fields.items() if typing.get_origin(field.annotation) in _LISTS}
    values = {name: value.split(",") if name in lists else value for name, value in given.items()}
    _refuse_unfit(model, values)
    return values


def _refuse_unfit(model: "type[BaseModel]", values: dict[str, Any]) -> None:
    from pydantic import ValidationError

    try:
        model.model_validate(values)
    except ValidationError as error:
        for said in error.errors(include_url=False, include_input=False):
            name = said["loc"][0] if said["loc"] else None
            if name in values and name in model.model_fields:
                why = said.get("ctx", {}).get("error", said["msg"])
                raise click.UsageError(f"--set {name}: {why}") from None

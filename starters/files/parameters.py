"""What `--set name=value` means: typed by the parameters of the action that the step runs."""

import typing
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pydantic import BaseModel

    from starters.options import Options

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


def typed(options: "Options", type_: str, step: str, given: dict[str, str]) -> dict[str, Any]:
    """Split at commas what the step's action takes as a list.

    Numbers stay text: the action's own model reads them. Where the runbook at hand does not name the
    action, a comma makes a list; the incident carries its own runbook and refuses what does not fit. A value that
    the action cannot take is refused here, before it is on record: somebody's name instead of a sub, for example.
    """
    model = _model(options, type_, step)
    if model is None:
        lists = {name for name, value in given.items() if "," in value}
    else:
        lists = {name for name, field in model.model_fields.items() if typing.get_origin(field.annotation) in _LISTS}
    values = {name: value.split(",") if name in lists else value for name, value in given.items()}
    if model is not None:
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


def _model(options: "Options", type_: str, step: str) -> "type[BaseModel] | None":
    from activities.catalogue import CHANGES
    from domain.config.runbook import ChangeStep
    from starters.files.loading import load_runbook
    from starters.files.problems import InvalidFile

    try:
        environment, organisation = options.load_environment(), options.load_organisation()
        found = load_runbook(options.folder(), type_, organisation, environment).step(step)
    except (InvalidFile, click.UsageError) as error:
        click.echo(f"Warning: the runbook at hand cannot be read ({str(error).splitlines()[0]})", err=True)
        return None
    if not isinstance(found, ChangeStep) or found.change not in CHANGES:
        return None
    return CHANGES[found.change].params

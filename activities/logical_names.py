"""Parameters of actions: typed by an action's own model, each logical name of them known to the environment."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from activities.action import Logical, Params, RuleError
from domain.config.environment import Environment

P = TypeVar("P", bound=Params)


def known_params(model: type[P], given: Mapping[str, Any], environment: Environment) -> P:
    """What an action is called with.

    Raises pydantic's `ValidationError` for what its model does not take, and `RuleError` for a name that the
    environment's file does not have, or not any more.
    """
    params = model.model_validate(given)
    for field in type(params).model_fields:
        value = getattr(params, field)
        for mark in logical_marks(type(params).model_fields[field]):
            for name in (value,) if isinstance(value, str) else value or ():
                _refuse_unknown(environment, str(name), mark)
    return params


def _refuse_unknown(environment: Environment, name: str, mark: Logical) -> None:
    there = _named(environment, mark.kind)
    if name not in there:
        raise RuleError(f"environment {environment.name} has no {name!r} among its {mark.kind}")
    if mark.needs and not getattr(there[name], mark.needs):
        field = f"{mark.kind}.{name}.{mark.needs}"
        raise RuleError(f"environment {environment.name} has no {field}: add it to its file")


def _named(environment: Environment, kind: str) -> Mapping[str, Any]:
    found: Any = environment
    for key in kind.split("."):
        found = getattr(found, key) if isinstance(found, BaseModel) else None
    return found or {}


def logical_marks(field: FieldInfo) -> list[Logical]:
    """What a parameter says of the logical names that it takes: in which part of an environment they stand."""
    return [mark for mark in all_marks(field) if isinstance(mark, Logical)]


def all_marks(field: FieldInfo) -> list[Any]:
    """Everything that a parameter's annotation is marked with, at any depth."""
    return [*field.metadata, *_marks(field.annotation)]


def _marks(annotation: Any) -> Iterator[Any]:
    yield from getattr(annotation, "__metadata__", ())
    for inner in getattr(annotation, "__args__", ()):
        yield from _marks(inner)

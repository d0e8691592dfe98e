"""What a pydantic model says against a file, as flaws with keys and remedies."""

import difflib
from collections.abc import Iterable, Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from domain.config.names import Flaw, Keys, unknown
from domain.config.runbook import STEP_KINDS, AnyStep

_STEP_KEYS = {field.alias or name for kind in get_args(AnyStep) for name, field in kind.model_fields.items()}


def of_model(model: type[BaseModel], errors: Iterable[ErrorDetails], under: Keys = ()) -> Iterator[Flaw]:
    """Say each error of `model` at the keys it concerns; `under` leads to where the model's values stand.

    What a rule over the whole model says comes at `under` itself.
    """
    for said in errors:
        keys = _as_written(said["loc"])
        if said["type"] == "step_kind" and (mistyped := _mistyped_kind(said["input"])):
            wrong, meant = mistyped
            yield Flaw((*under, *keys, wrong), f"is no kind of step; did you mean {meant}?")
        else:
            yield Flaw((*under, *keys), _message(model, said))


def _mistyped_kind(step: Any) -> tuple[str, str] | None:
    """The key of a step without a kind that is nearly one, and the kind that it was meant to be."""
    if not isinstance(step, dict) or not step.keys().isdisjoint(STEP_KINDS):
        return None
    for key in step.keys() - _STEP_KEYS:
        if near := difflib.get_close_matches(str(key), STEP_KINDS, n=1):
            return str(key), near[0]
    return None


def _as_written(loc: Keys) -> Keys:
    """Leave out what pydantic adds to the keys of a file: a step's kind, and the mark of a mapping's key."""
    return tuple(key for index, key in enumerate(loc) if key != "[key]" and not _is_kind(loc, index))


def _is_kind(loc: Keys, index: int) -> bool:
    """Whether this part of a location names a step's kind, not a key of the step."""
    return index >= 2 and loc[index] in STEP_KINDS and loc[index - 2] == "steps" and isinstance(loc[index - 1], int)


def _message(model: type[BaseModel], said: ErrorDetails) -> str:
    kind = said["type"]
    if kind == "extra_forbidden":
        return unknown(str(said["loc"][-1]), _known_keys(model, said["loc"][:-1]), "key")
    if kind == "missing":
        return "is missing; add it"
    if kind == "string_type" and isinstance(said["input"], int | float):
        return f"{said['input']!r} is read as {type(said['input']).__name__}; put it in quotes"
    if kind == "value_error":
        return str(said["ctx"]["error"])
    short = not isinstance(said["input"], BaseModel | dict | list) and len(repr(said["input"])) <= 80
    return f"{said['msg']}, not {said['input']!r}" if short else str(said["msg"])


def _known_keys(model: type[BaseModel], loc: Keys) -> list[str]:
    """The keys that a file may have where a location leads from `model`."""
    candidates: list[Any] = [model]
    for index, key in enumerate(loc):
        if _is_kind(loc, index):
            candidates = [candidate for candidate in candidates if key in candidate.model_fields]
        else:
            candidates = [inner for candidate in candidates for inner in _inside(candidate, key)]
    models = [candidate for candidate in candidates if isinstance(candidate, type) and issubclass(candidate, BaseModel)]
    return [field.alias or name for each in models for name, field in each.model_fields.items()]


def _inside(annotation: Any, key: str | int) -> list[Any]:
    """The types that a value under `key` of this type may have, with unions and annotations taken apart."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields.items()
        return [t for name, field in fields if key == (field.alias or name) for t in _alternatives(field.annotation)]
    arguments = [argument for argument in get_args(annotation) if argument is not Ellipsis]
    return _alternatives(arguments[-1]) if arguments else []


def _alternatives(annotation: Any) -> list[Any]:
    """Take unions and `Annotated` apart; tuples and dicts stay whole."""
    if hasattr(annotation, "__metadata__"):
        return _alternatives(annotation.__origin__)
    if hasattr(annotation, "__args__") and getattr(annotation, "__origin__", None) not in {tuple, dict, list}:
        return [inner for argument in annotation.__args__ for inner in _alternatives(argument)]
    return [annotation]

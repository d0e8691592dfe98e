"""What came in, read: bytes that anybody may have sent become a model, or a reason that repeats nothing of them.

Everything is bounded here, before anything has happened: how many inputs there are, how many bytes, how deep and how
great. Nothing but `UnreadableError` is raised, whatever the bytes are.
"""

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from domain.model.timeline import bounded
from domain.values import limits

_DEPTH = 32
"""Far below the 200 levels at which JSON of ours, an incident's state that holds this, could not be read again."""

_BITS = 256
"""Of an integer: Python writes none of more than 4,300 digits."""

M = TypeVar("M", bound=BaseModel)


class Input(NamedTuple):
    """One input of a message as Temporal brings it: the name of its encoding and its bytes."""

    encoding: bytes
    data: bytes


class UnreadableError(ValueError):
    """A message that cannot be read; the text says why. `by` is who it says it is from, else `unknown`."""

    def __init__(self, reason: str, by: str = "unknown") -> None:
        super().__init__(reason)
        self.by = by


def read(model: type[M], inputs: Sequence[Input], most: int = limits.MESSAGE) -> M:
    """Read a message as its model. No input at all is the same as `null`. Raises `UnreadableError`."""
    value = _value(inputs, most)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise UnreadableError(_problem(error), bounded(value.get("by") if isinstance(value, dict) else None)) from None


def _value(inputs: Sequence[Input], most: int) -> Any:
    if not inputs:
        return None
    if len(inputs) > 1:
        raise UnreadableError(f"it has {len(inputs)} inputs, and one is read")
    encoding, data = inputs[0]
    if encoding == b"binary/null":
        return None
    if encoding != b"json/plain":
        raise UnreadableError("it is not encoded as JSON")
    if len(data) > most:
        raise UnreadableError(f"it has {len(data)} bytes, and {most} at most can be read: say it in parts")
    try:
        value = from_json(data, allow_inf_nan=False)
    except ValueError:
        raise UnreadableError("it is no JSON that can be read") from None
    if any(depth > _DEPTH for depth, _ in _walk(value)):
        raise UnreadableError(f"it is more than {_DEPTH} levels deep")
    if not all(_is_fit(inner) for _, inner in _walk(value)):
        raise UnreadableError("it holds a number that is too great")
    return value


def _walk(value: Any) -> Iterator[tuple[int, Any]]:
    """Each value with its depth."""
    left = [(1, value)]
    while left:
        depth, inner = left.pop()
        yield depth, inner
        if isinstance(inner, dict | list):
            left += ((depth + 1, each) for each in (inner.values() if isinstance(inner, dict) else inner))


def _is_fit(value: Any) -> bool:
    if isinstance(value, float):
        return isfinite(value)
    return not isinstance(value, int) or value.bit_length() <= _BITS


def _problem(error: ValidationError) -> str:
    """The first thing that is wrong, by the name of its field; what stands there is not repeated."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "the payload"
    return f"{field}: {first['msg']}"

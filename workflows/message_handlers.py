"""Every human command exists twice over one handler: as a signal and as an update with a validator."""

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from pydantic import ValidationError
from temporalio import workflow

from domain.model.commands import Command
from workflows import failures


class Hears(Protocol):
    """What a workflow that is spoken to provides."""

    async def ready(self) -> None:
        """Wait until it can be spoken to: an incident that is being restored is read from its record first."""
        return

    def refuse_early(self, name: str, command: Command) -> str | None:  # noqa: ARG002 - it accepts everything
        """Why an update is turned away before it is on record; None to accept it."""
        return None

    def hear(self, name: str, command: Command) -> str | None:
        """Do the command, or record its refusal and return the reason."""

    def unreadable(self, name: str, payload: Any, problem: str) -> None:
        """Record a signal that cannot be read as its command."""

    async def answer(self) -> dict[str, Any]:
        """The new state, as updates answer it, once every workflow that it names is there to be spoken to."""


T = TypeVar("T", bound=type)


def _problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "the payload"
    return f"{field}: {first['msg']}"


def _read(model: type[Command], payload: Any) -> Command:
    """Read an update's payload; raises an `ApplicationError` of type Refused that names the field."""
    try:
        return model.model_validate(payload)
    except ValidationError as error:
        raise failures.refused(_problem(error)) from error


def _add(cls: Any, name: str, model: type[Command]) -> None:
    async def by_signal(self: Hears, payload: Any = None) -> None:
        await self.ready()
        try:
            command = model.model_validate(payload)
        except ValidationError as error:
            self.unreadable(name, payload, _problem(error))
        else:
            self.hear(name, command)

    async def by_update(self: Hears, payload: Any) -> dict[str, Any]:
        await self.ready()
        reason = self.hear(name, _read(model, payload))
        if reason is not None:
            raise failures.refused(reason)
        return await self.answer()

    def validate(self: Hears, payload: Any) -> None:
        reason = self.refuse_early(name, _read(model, payload))
        if reason is not None:
            raise failures.refused(reason)

    by_signal.__qualname__ = f"{cls.__name__}.{name}_signal"
    by_update.__qualname__ = f"{cls.__name__}.{name}_update"
    setattr(cls, f"{name}_signal", workflow.signal(name=name, description=model.__name__)(by_signal))
    update = workflow.update(name=name, description=model.__name__)(by_update)
    update.validator(validate)
    setattr(cls, f"{name}_update", update)


def hears(commands: Mapping[str, type[Command]]) -> Any:
    """Give a workflow class the signal and the update of each command. Stands under `workflow.defn`."""

    def decorate(cls: T) -> T:
        for name, model in commands.items():
            _add(cls, name, model)
        return cls

    return decorate

"""What a scenario is: a fault, what people do about it, and what must be true in AWS at the end."""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple, Protocol

from domain.config.environment import Environment
from sandbox.scenarios.actors import Actors


class Check(NamedTuple):
    """One fact checked outside the incident, and whether it holds."""

    what: str
    holds: bool


class Aws(Protocol):
    """boto3 clients of the sandbox by service name."""

    def __call__(self, service: str, /) -> Any: ...


class Scenario(Protocol):
    """One incident from fault to report. `fault` may be empty; `seen_before` is what `look` returned before it.

    `databases` are fields of the environment's databases that are others here than in its file.
    """

    type: str
    severity: str
    title: str
    fault: str
    opening: str
    databases: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    def look(self, aws: Aws, environment: Environment) -> dict[str, Any]:
        """Record what the end is compared with."""

    async def play(self, actors: Actors) -> None:
        """Act for everybody involved until the incident is closed."""

    def checks(self, aws: Aws, environment: Environment, seen_before: dict[str, Any]) -> list[Check]:
        """Check in AWS itself that everything is as expected."""

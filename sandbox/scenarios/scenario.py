"""What a story is: a fault, what people do about it, and what must be true of AWS at the end."""

from typing import Any, NamedTuple, Protocol

from domain.config.environment import Environment
from sandbox.scenarios.actors import Stage


class Check(NamedTuple):
    """One thing that was looked up outside, and whether it is as it should be."""

    what: str
    holds: bool


class Aws(Protocol):
    """boto3 clients of the sandbox by service name."""

    def __call__(self, service: str) -> Any: ...


class Story(Protocol):
    """One incident from fault to report. `seen_before` is what `look` gave before the fault, which may be none."""

    type: str
    severity: str
    title: str
    fault: str
    opening: str

    def look(self, aws: Aws, environment: Environment) -> dict[str, Any]:
        """See what the end is compared with."""

    async def play(self, stage: Stage) -> None:
        """Act as the people until the incident is closed."""

    def checks(self, aws: Aws, environment: Environment, seen_before: dict[str, Any]) -> list[Check]:
        """Ask AWS itself whether all is as it should be."""

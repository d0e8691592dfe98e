"""Requests to AWS as they were sent, each under the role that it was sent under."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from domain.config.environment import Environment
from tests.activities.world import WIRE


@dataclass(frozen=True)
class Call:
    """One request to AWS, under a role, in an environment."""

    role: str
    environment: Environment = field(compare=False, hash=False, repr=False)
    service: str
    operation: str
    asked: dict[str, Any] = field(compare=False, hash=False)


class Calls:
    """What was sent, by the role that it was sent under."""

    def __init__(self) -> None:
        self.made: list[Call] = []

    @contextmanager
    def under(self, role: str, environment: Environment) -> Iterator[None]:
        with WIRE.listening() as sent:
            yield
            self.made += [Call(role, environment, one.service, one.operation, one.asked) for one in sent]

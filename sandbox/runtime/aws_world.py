"""The account that a sandbox stands for: its environment, and clients to reach it as anybody would."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.ecs.models import EC2ContainerServiceBackend, ecs_backends

from domain.config.environment import Environment, Service
from sandbox.aws.rollout import LOCK, Rollouts, moment, rollouts

DESIRED_TASKS = 3


class FaultError(Exception):
    """The fault cannot be injected here; the text says why."""


@dataclass(frozen=True)
class World:
    """One environment inside moto, in this process. `client` makes a boto3 client of the environment's region."""

    environment: Environment
    client: Callable[[str], Any]

    @property
    def ecs(self) -> EC2ContainerServiceBackend:
        """Moto's own store, for what no operation of AWS can do: to write history, and to make an image ail."""
        found: EC2ContainerServiceBackend = ecs_backends[self.environment.account][self.environment.region]
        return found

    def rollouts(self, service: Service) -> Rollouts:
        """The record of a service, as it stands now."""
        with LOCK:
            record = rollouts(self.ecs._get_service(service.cluster, service.service))
            record.settle(moment())
            return record

    def ailing(self) -> list[Service]:
        """The services whose application does not answer."""
        services = self.environment.services.values()
        return [service for service in services if not self.rollouts(service).healthy()]

    def healthy(self) -> bool:
        """Tell whether the application answers, all its services together."""
        return not self.ailing()

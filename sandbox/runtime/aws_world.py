"""The AWS account that a sandbox simulates: its environment, and boto3 clients for it."""

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
        """Moto's own backend, for what no AWS operation can do: write history, or break an image."""
        found: EC2ContainerServiceBackend = ecs_backends[self.environment.account][self.environment.region]
        return found

    def rollouts(self, service: Service) -> Rollouts:
        """The deployments of a service, up to date."""
        with LOCK:
            record = rollouts(self.ecs._get_service(service.cluster, service.service))
            record.settle(moment())
            return record

    def unhealthy(self) -> list[Service]:
        """The services whose application does not answer."""
        services = self.environment.services.values()
        return [service for service in services if not self.rollouts(service).healthy()]

    def healthy(self) -> bool:
        """Whether every service's application answers."""
        return not self.unhealthy()

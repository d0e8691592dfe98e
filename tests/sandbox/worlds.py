"""Environments for tests, and a way to finish rollouts at once."""

from datetime import timedelta
from typing import Any, cast

from activities.action import Clients
from activities.aws.ecs.described_service import located
from activities.aws.ecs.ecs_history import history
from activities.aws.ecs.ecs_past import Past
from domain.config.environment import Environment, Service
from sandbox.aws.rollout import PACE
from sandbox.runtime.aws_world import World
from starters.files.organisation_folder import load_environment
from starters.files.shipped import shipped_folder
from tests.organisations.folders import HARBOUR

NEVER = timedelta(days=1)
AT_ONCE = timedelta.resolution


def shipped() -> Environment:
    return load_environment(shipped_folder(), "sandbox")


def other(**changes: Any) -> Environment:
    """Another organisation's environment: every name, the account and the region differ from the shipped ones."""
    return load_environment(HARBOUR, "docks").model_copy(update=changes)


def past(world: World, service: Service) -> Past:
    """What a service was deployed as, as our actions read it, without a ledger."""
    known = history(cast("Clients", world), located(service))
    return Past(known, [], known[0].task_definition or "", None)


def rollouts_finish() -> None:
    """Let every rollout in progress be finished by the next read."""
    PACE.rollout = AT_ONCE

"""Environments for tests, and a way to finish rollouts at once."""

from datetime import timedelta
from typing import Any

from domain.config.environment import Environment
from sandbox.aws.rollout import PACE
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


def rollouts_finish() -> None:
    """Let every rollout in progress be finished by the next read."""
    PACE.rollout = AT_ONCE

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from domain.config.environment import Environment
from sandbox.aws.install import install
from sandbox.aws.rollout import PACE
from sandbox.runtime.aws_world import World
from sandbox.runtime.outbox import Outbox
from sandbox.seed import account
from tests.aws import aws_clients
from tests.sandbox.worlds import NEVER, shipped


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox.jsonl")


@pytest.fixture
def seeded(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Environment], World]]:
    """Seed an environment in this process; rollouts stand still until a test lets them finish."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)

    def make(environment: Environment) -> World:
        monkeypatch.setenv("MOTO_ACCOUNT_ID", environment.account)

        world = World(environment, aws_clients(environment.region).client)
        install(outbox, NEVER)
        account.seed(world)
        return world

    before = PACE.rollout
    with mock_aws():
        yield make
    PACE.rollout = before


@pytest.fixture
def world(seeded: Callable[[Environment], World]) -> World:
    return seeded(shipped())

"""Staging by itself, encrypted and with everybody's keys in an agent, as fixtures of a module."""

from collections.abc import Iterator

import pytest

from tests.e2e.house import House
from tests.e2e.staging import alone
from tests.e2e.workers import Worker, running


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with alone(tmp_path_factory.mktemp("staging")) as made:
        yield made


@pytest.fixture(scope="module")
def worker(house: House) -> Iterator[Worker]:
    with running(Worker(house)) as worker:
        yield worker
        worker.stop()

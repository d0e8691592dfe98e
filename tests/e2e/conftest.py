import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox import processes
from sandbox.state import Files
from tests.e2e.house import House
from tests.e2e.wire import Wire, wire
from tests.e2e.workers import Worker, running


@contextmanager
def opened(house: House, *arguments: str) -> Iterator[House]:
    """A sandbox for the time of a test, without a worker; nothing of it is left behind."""
    try:
        house.open("--no-worker", *arguments)
        yield house
        house.close()
    finally:
        processes.end(Files(house.data_dir))


@pytest.fixture(scope="package")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The sandbox that tests share, each with incidents of its own."""
    with opened(House(tmp_path_factory.mktemp("house") / "sandbox")) as one:
        yield one


@pytest.fixture(scope="package")
def spare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A second sandbox without a worker, for tests that need one to themselves, in the order of their modules.

    In `test_cannot` no worker has run in it yet; after `test_dry_run`, `test_patients` leaves it in disorder.
    """
    with opened(House(tmp_path_factory.mktemp("spare") / "sandbox")) as one:
        yield one


@pytest.fixture(scope="package")
def aws(house: House) -> Iterator[Wire]:
    """What goes between the usual worker and AWS."""
    with wire(house.variables["AWS_ENDPOINT_URL"]) as one:
        yield one


@pytest.fixture(scope="package")
def public(house: House) -> Iterator[Wire]:
    """What goes between the usual worker and the status page."""
    with wire(house.variables["STATUSPAGE_URL"]) as one:
        yield one


@pytest.fixture(scope="package")
def usual(house: House, aws: Wire, public: Wire) -> Iterator[Worker]:
    with running(Worker(house, AWS_ENDPOINT_URL=aws.url, STATUSPAGE_URL=public.url)) as one:
        yield one
        one.stop()


@pytest.fixture
def worker(usual: Worker) -> Worker:
    """The worker that tests share; it runs, whatever became of it in the test before."""
    usual.start()
    return usual


@pytest.fixture
def folder(house: House, tmp_path: Path) -> Path:
    """A copy of the sandbox's own organisation, to be written in."""
    return Path(shutil.copytree(house.variables["INCIDENT_RUNBOOKS"], tmp_path / "axis-imaging"))

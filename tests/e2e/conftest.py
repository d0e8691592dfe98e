import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.runtime import processes
from sandbox.runtime.state import Files
from tests.e2e.house import House
from tests.e2e.wire import Wire, wire
from tests.e2e.workers import Worker, running

_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
_ROOM = 2 * 1024**3


@contextmanager
def folder_for(name: str) -> Iterator[Path]:
    """A folder for a sandbox whose times are looked at: in memory where there is room, for a busy disk holds up for
    half a second whoever waits for its writes."""
    roomy = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM
    with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=_MEMORY if roomy else None) as folder:
        yield Path(folder) / "sandbox"


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
def house() -> Iterator[House]:
    """The sandbox that tests share, each with incidents of its own."""
    with folder_for("house") as data_dir, opened(House(data_dir)) as one:
        yield one


@pytest.fixture(scope="package")
def spare() -> Iterator[House]:
    """A second sandbox without a worker, for tests that need one to themselves, in the order of their modules.

    In `test_before` and `test_cannot` no worker has run in it yet; after `test_dry_run`, `test_patients` leaves it in
    disorder.
    """
    with folder_for("spare") as data_dir, opened(House(data_dir)) as one:
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
def folder(house: House, tmp_path: Path) -> Iterator[Path]:
    """The sandbox's own organisation, to be written in: workers take up what changes. Afterwards it is as it was."""
    own, before = Path(house.variables["INCIDENT_RUNBOOKS"]), tmp_path / "before"
    shutil.copytree(own, before)
    try:
        yield own
    finally:
        shutil.rmtree(own)
        shutil.copytree(before, own)

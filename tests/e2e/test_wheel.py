"""The wheel in an environment of its own, far from the checkout: everything that a user gets, and nothing else."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from sandbox.runtime import processes
from sandbox.runtime.state import Files
from tests.e2e.account import Portal
from tests.e2e.house import House, clean
from tests.forked import ROOT
from tests.rooms import ROOMS
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.wheel, pytest.mark.xdist_group("e2e-apart")]

LEFT_BEHIND = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "tests", "benchmarks")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """An environment with the wheel in it; what the wheel depends on is lent by this one, so nothing is fetched."""
    source = shutil.copytree(ROOT, tmp_path / "source", ignore=LEFT_BEHIND)
    ran(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path / "dist"), str(source))
    shutil.rmtree(source)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    environment = tmp_path / "environment"
    venv.create(environment, symlinks=True)
    python = environment / "bin" / "python"
    ran(sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", str(wheel))
    own = Path(ran(str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    # a plain path: the `.pth` files over there, that of an editable install among them, are not read
    (own / "lent.pth").write_text(sysconfig.get_path("purelib"))
    (environment / "bin" / "temporal").symlink_to(Path(sys.executable).parent / "temporal")
    return environment


def ran(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=clean(), capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr or done.stdout
    return done.stdout


def test_wheel_works_from_anywhere(installed: Path, tmp_path: Path) -> None:
    """From another folder the installed command starts a sandbox with its worker, and an outage is rolled back."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    house = House(tmp_path / "sandbox", command=(str(installed / "bin" / "incident"),), cwd=elsewhere)
    where = f"import {', '.join(ROOMS)}; print(*(one.__file__ for one in ({', '.join(ROOMS)})))"
    for file in ran(str(installed / "bin" / "python"), "-c", where, cwd=elsewhere).split():
        assert file.startswith(f"{installed}{os.sep}"), file
    house.run("runbook", "lint")
    try:
        house.open()
        portal = Portal(house)
        fault = portal.break_()
        incident = house.start("Portal down")
        digest = house.json("change", incident, "rollback")["plan"]["digest"]
        house.run("approve", incident, "rollback", "--digest", digest, "--as", "technical-manager")
        house.change(incident, "applied")
        assert portal.service()["taskDefinition"] == fault.good
        until(house.healthy, "the portal answers")
        assert incident in house.run("report", incident)
        assert_processes_are_of(installed, house.data_dir)
        house.close()
    finally:
        processes.end(Files(house.data_dir))


def assert_processes_are_of(environment: Path, data_dir: Path) -> None:
    """Fail unless every process of the sandbox was started out of this environment."""
    running = processes.running(Files(data_dir))
    assert len(running) == 4  # Temporal, the sandbox, its keeper, the worker
    for pid in running:
        command = (Path("/proc") / str(pid) / "cmdline").read_bytes().split(b"\0")[0].decode()
        assert command.startswith(f"{environment}{os.sep}bin{os.sep}"), command

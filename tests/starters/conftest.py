"""The command as a test calls it: its exit status, and what it wrote."""

import json
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from starters.cli.main import invoke
from tests.starters.backstage import Backstage
from tests.starters.docked import Docks, docked
from tests.starters.vaulted import Vaulted, vaulted

if TYPE_CHECKING:
    from tests.starters.audited import Checks


class Said(NamedTuple):
    """What one call of the command came to."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Incident = Callable[..., Said]
_DOCKS = count(1)


@pytest.fixture
def incident(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Incident:
    """Call the command as devops-lead in the shipped organisation's sandbox; nothing listens for it yet."""
    monkeypatch.setenv("INCIDENT_AS", "devops-lead")
    monkeypatch.setenv("INCIDENT_ENVIRONMENT", "sandbox")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    for name in ("INCIDENT_RUNBOOKS", "TEMPORAL_UI", "TEMPORAL_NAMESPACE", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)

    def call(*arguments: str) -> Said:
        capsys.readouterr()
        status = invoke(list(arguments))
        out, err = capsys.readouterr()
        return Said(status, out, err)

    return call


@pytest.fixture(scope="module")
def backstage() -> Iterator[Backstage]:
    made = Backstage()
    yield made
    made.stop()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vaulted]:
    """The ledger and the evidence bucket, where the command looks for them."""
    with vaulted(monkeypatch) as world:
        yield world


@pytest.fixture
def check(incident: Incident, tmp_path: Path) -> "Checks":
    """Has archives of signed records checked by both programs."""
    from tests.starters.audited import Checks

    return Checks(incident, tmp_path)


@pytest.fixture
def docks(incident: Incident, backstage: Backstage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docks:
    """The second organisation, with schedules of its own."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", backstage.address)
    return docked(tmp_path, f"docks-{next(_DOCKS)}", incident, backstage)

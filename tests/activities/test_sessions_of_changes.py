"""Each change of the catalogue is carried out in the name of who is on record for it, whichever worker goes on."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from activities.action import ChangeAction
from activities.aws.shared.bearers import Bearer, bearer
from activities.catalogue import CHANGES
from activities.changes.hands import Hands
from activities.changes.runner import ChangeRunner
from domain.model.activity_io import ApplyRequest
from tests.activities.catalogue_worlds import world_of
from tests.activities.scopes import NOW
from tests.activities.test_gates_at_apply import STEP, Asked
from tests.activities.world import LostError


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every change; only now, when the files that have the worlds are all imported."""
    if "asked" in metafunc.fixturenames:
        metafunc.parametrize("asked", sorted(CHANGES), indirect=True)


@pytest.fixture
def asked(request: pytest.FixtureRequest) -> Iterator[Asked]:
    with mock_aws():
        yield Asked(world_of(request.param))


@pytest.fixture
def seen(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> list[Bearer | None]:
    """For whom each attempt acts; none comes to an end."""
    found: list[Bearer | None] = []

    def act(*_: Any) -> None:
        found.append(bearer())
        raise LostError

    kind: type[ChangeAction[Any]] = type(asked.world.change)
    monkeypatch.setattr(kind, "act", act)
    monkeypatch.setattr(kind, "resume", act)
    return found


def test_it_is_the_same_whoever_goes_on(asked: Asked, seen: list[Bearer | None]) -> None:
    """A worker that takes it over is told other votes and another who asked: the record says who did."""
    with pytest.raises(LostError):
        asked.apply()
    another = Hands(asked.world.clients, asked.house, asked.world.change, ChangeRunner(asked.world.clients))
    request = {**asked.request, "requested_by": "security-lead", "requested": None}
    with pytest.raises(LostError):
        another.apply(ApplyRequest(**request, digest=asked.plan.digest), NOW)
    first, again = seen
    assert again == first
    assert first is not None
    incident = asked.world.scope.incident
    assert (first.name, first.source_identity, first.reads) == (f"{incident},cto", "cto", False)
    assert dict(first.tags) == {
        "incident": incident,
        "step": STEP,
        "requested-by": "devops-lead",
        "approved-by": "cto",
    }


def test_nobody_is_named_beside_it(asked: Asked, seen: list[Bearer | None], monkeypatch: pytest.MonkeyPatch) -> None:
    """To plan, to read, to take locks and to put on record is the orchestrator's own."""
    kind, looked = type(asked.world.change), list[Bearer | None]()
    read = kind.read

    def reading(*given: Any) -> Any:
        looked.append(bearer())
        return read(*given)

    monkeypatch.setattr(kind, "read", reading)
    with pytest.raises(LostError):
        asked.apply()
    assert looked
    assert set(looked) == {None}
    assert seen != [None]

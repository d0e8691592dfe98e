"""When each action was last proven: by what it did in a sandbox, in staging or in a drill, never by a real response."""

from datetime import timedelta
from typing import Any

import pytest

from domain.model.activity_io import Mode
from domain.model.finding import FindingStatus
from domain.rules.proving import Proven, proven
from tests.activities.report_worlds import Played
from tests.activities.scopes import environment
from tests.builders import T0, declaration, with_notices


def rolled_back(kind: str = "staging", mode: Mode = "live", *, failed: bool = False, **changes: Any) -> Played:
    """A rollback that was applied and looked at, in an environment of this kind."""
    where = environment().model_copy(update={"kind": kind})
    played = Played(declaration(mode=mode, environment=where, **changes))
    played.say("acknowledge", "devops-lead")
    played.say("request_change", "devops-lead", step="rollback")
    digest = played.plan("rollback")
    played.vote("rollback", "technical-manager", digest=digest)
    played.end("rollback", "steady", failed=failed)
    return played


@pytest.mark.parametrize(
    ("kind", "mode", "counts"),
    [
        ("staging", "live", True),
        ("sandbox", "live", True),
        ("production", "live", False),
        ("production", "drill", True),
    ],
)
def test_it_counts_where_nobody_is_harmed(kind: str, mode: Mode, counts: int) -> None:
    found = proven([rolled_back(kind, mode).incident.state])
    assert ("test.rollback" in found) == counts


def test_what_was_not_verified_is_not_proven() -> None:
    assert "test.rollback" not in proven([rolled_back(failed=True).incident.state])


def test_the_latest_counts_and_an_undo_beside_it() -> None:
    """A change that was taken back did it all the same."""
    first, second = rolled_back(), rolled_back(declared_at=T0 + timedelta(days=9))
    at = second.now
    second.say("undo", "devops-lead", step="rollback")
    digest = second.plan("rollback", before={"revision": 7}, after={"revision": 8})
    second.vote("rollback", "technical-manager", digest=digest)
    second.end("rollback", "steady")
    found = proven([second.incident.state, first.incident.state])["test.rollback"]
    assert found.did is not None
    assert found.undid is not None
    assert (found.did.at, found.undid.at) == (at, second.now)
    assert not found.expired(at + timedelta(days=90))
    assert found.expired(at + timedelta(days=90, seconds=1))
    assert Proven().expired(at)


def test_probes_are_proven_by_seeing_and_notices_by_being_sent() -> None:
    """What a probe could not see proves nothing; well or suspect is the same."""
    played = Played(
        declaration(runbook=with_notices(), environment=environment().model_copy(update={"kind": "staging"}))
    )
    played.find("health", FindingStatus.UNKNOWN, "denied")
    played.find("deployments", FindingStatus.SUSPECT, "new")
    played.wait(timedelta(minutes=30))
    found = proven([played.incident.state])
    assert "test.health" not in found
    assert found["test.deployments"].did is not None
    sent = {notice.action for notice in played.incident.state.notices if notice.status == "sent"}
    assert sent
    assert sent <= set(found)

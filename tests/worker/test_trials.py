"""What is to be tried as a worker finds it: the ledger says what is proven, the folder how the rest is tried."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from domain.config.runbook import ChangeStep
from domain.model.declaration import Declaration
from domain.model.scheduled import ScheduledCall, ScheduledRun
from starters.files.shipped import shipped_folder
from tests.activities.report_worlds import Played
from tests.builders import T0, declaration, runbook
from tests.starters.ledgered import alter, keep
from tests.starters.vaulted import Vaulted, vaulted
from worker import folder_activities
from worker.folder import Folder

CHANGE = "ecs.rollback_service"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vaulted]:
    with vaulted(monkeypatch) as made:
        yield made


def rolled_back(world: Vaulted) -> str:
    """A rollback that went well in the sandbox."""
    steps = [{"id": "rollback", "change": CHANGE, "title": "Roll back"}]
    book = runbook(phases=[{"id": "now", "title": "Now", "steps": steps}])
    played = Played(declaration(environment=world.environment, runbook=book))
    played.say("acknowledge", "devops-lead")
    played.say("request_change", "devops-lead", step="rollback")
    digest = played.plan("rollback", action=CHANGE)
    played.vote("rollback", "technical-manager", digest=digest)
    played.end("rollback", "steady")
    return keep(world, played.incident)[0]


def declare(world: Vaulted, after: timedelta) -> Declaration:
    """What the activity declares so long after that."""
    (asked,) = (
        one
        for one in folder_activities.of_forensics(Folder(shipped_folder(), "sandbox"), lambda _: world.clients)
        if one.__name__ == "declare"
    )
    run = ScheduledRun(schedule="trials", environment="sandbox", declares="trials")
    made = ActivityEnvironment().run(asked, ScheduledCall(run=run, at=T0 + after, now=T0 + after))
    assert isinstance(made, Declaration)
    return made


def tried(made: Declaration) -> set[str]:
    return {step.change for step in made.runbook.steps() if isinstance(step, ChangeStep)}


def test_what_the_ledger_proves_is_not_tried(world: Vaulted) -> None:
    """For ninety days; then it is tried again."""
    rolled_back(world)
    early, late = (tried(declare(world, timedelta(days=days))) for days in (80, 100))
    assert late - early == {CHANGE}
    assert early


def test_what_cannot_be_read_proves_nothing(world: Vaulted) -> None:
    """It is tried again, and the description says why."""
    broken = rolled_back(world)
    alter(world, broken, "garbled")
    made = declare(world, timedelta(days=1))
    assert CHANGE in tried(made)
    assert made.description.endswith(f"Could not be read, and proves nothing: {broken}.")


def test_another_accounts_ledger_is_not_asked(world: Vaulted, monkeypatch: pytest.MonkeyPatch) -> None:
    """With credentials of another account what it proves would be that account's; nothing is read."""
    monkeypatch.setenv("MOTO_ACCOUNT_ID", "210987654321")
    with pytest.raises(ApplicationError, match="credentials are of account 210987654321"):
        declare(world, timedelta(days=1))

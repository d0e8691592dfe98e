"""A dry run has no way to write, whatever its actions try: every change of the catalogue, by its activities."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from moto import mock_aws
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.action import ChangeAction
from activities.catalogue import CHANGES
from activities.registry import Activity
from domain.config.runbook import ChangeStep
from domain.model.activity_io import ApplyRequest, GivenUp, Planned, PlanRequest, ReleaseRequest, VerifyRequest
from domain.values.ids import change_workflow_id
from tests.activities.catalogue_worlds import world_of
from tests.activities.change_worlds import ChangeWorld
from tests.activities.scopes import NOW
from tests.activities.trial import STEP, named
from tests.activities.world import LEDGER, WIRE
from tests.house import FixedHouse, about, on_record, runbook_of

_ONLY = "{} writes, and a dry run only reads: nothing was sent"


class DryRun:
    """A change's activities, asked on behalf of a dry run that is on record as one."""

    def __init__(self, world: ChangeWorld) -> None:
        self.world = world
        self.scope = world.scope.model_copy(update={"mode": "dry-run"})
        given = {"id": STEP, "change": world.change.name, "title": "Try it", "with": world.params}
        runbook = runbook_of(ChangeStep.model_validate(given))
        on_record(world.clients, self.scope, runbook)
        self._activities = named(world.clients, FixedHouse(self.scope.environment, None, runbook))
        self.which = {"about": about(self.scope), "step": STEP, "generation": 1}
        self.asked = {**self.which, "params": world.params, "requested_by": "devops-lead"}

    def run(self, name: str, call: Any) -> Any:
        within = ActivityEnvironment()
        asking = change_workflow_id(self.scope.incident, STEP, 1)
        within.info = replace(within.info, started_time=NOW, scheduled_time=NOW, workflow_id=asking)
        one: Activity = self._activities[name]
        return within.run(one, call)

    def plan(self) -> Planned:
        planned: Planned = self.run(f"{self.world.change.name}.plan", PlanRequest(**self.asked))
        return planned

    def rows(self) -> list[Any]:
        return list(self.world.clients.inner.client("dynamodb").scan(TableName=LEDGER)["Items"])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every change; only now, when the files that have the worlds are all imported."""
    if "dry" in metafunc.fixturenames:
        metafunc.parametrize("dry", sorted(CHANGES), indirect=True)


@pytest.fixture
def dry(request: pytest.FixtureRequest) -> Iterator[DryRun]:
    with mock_aws():
        yield DryRun(world_of(request.param))


def test_it_plans_by_reading(dry: DryRun) -> None:
    """A plan of every change comes to be without a single request that a client that only reads would not send."""
    before, rows = dry.world.snapshot(), dry.rows()
    with WIRE.listening() as sent:
        planned = dry.plan()
    assert planned.plan.is_sealed()
    assert [str(one) for one in sent if one.writes] == []
    assert (dry.world.snapshot(), dry.rows()) == (before, rows)


def test_a_plan_that_writes_is_refused(dry: DryRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """An action whose plan is not what it should be changes nothing: its client does not send it."""

    def writing(self: ChangeAction[Any], *_: Any) -> Any:
        self.clients.once("s3").delete_bucket(Bucket="anything")

    monkeypatch.setattr(CHANGES[dry.world.change.name], "plan", writing)
    with WIRE.listening() as sent, pytest.raises(ApplicationError, match=_ONLY.format("s3:DeleteBucket")):
        dry.plan()
    assert sent == []


@pytest.mark.parametrize("verb", ["apply", "verify"])
def test_nothing_is_begun(dry: DryRun, verb: str) -> None:
    """Whoever asks for more than a plan: no lock, no plan and no intent comes to stand, and no world moves."""
    plan = dry.plan().plan
    before, rows = dry.world.snapshot(), dry.rows()
    asked: Any = VerifyRequest(**dry.which, digest=plan.digest)
    if verb == "apply":
        asked = ApplyRequest(**dry.asked, digest=plan.digest, plan=plan)
    why = _ONLY.format("dynamodb:PutItem") if verb == "apply" else "no plan of digest"
    with pytest.raises(ApplicationError, match=why):
        dry.run(f"{dry.world.change.name}.{verb}", asked)
    assert (dry.world.snapshot(), dry.rows()) == (before, rows)


def test_what_is_given_up_leaves_nothing(dry: DryRun) -> None:
    """There is nothing to give back, and no record is kept of it."""
    rows = dry.rows()
    given_up = GivenUp(status="cancelled", reason="enough seen", by="cto")
    dry.run("changes.release", ReleaseRequest(**dry.which, given_up=given_up))
    assert dry.rows() == rows

"""Parts that an environment's file may leave out: what needs one says which, and nothing unseen is called well."""

import pytest
from temporalio.exceptions import ApplicationError

from activities.action import RuleError
from activities.aws.ecs.described_service import settled
from activities.statuspage import PostParams, Resolved
from domain.model.activity_io import ObserveRequest
from tests.activities.scopes import NOW, environment, scope
from tests.activities.trial import named
from tests.house import FixedHouse, about, asking

BACKEND = environment().services["backend"].model_dump()
BARE = environment(services={"backend": {**BACKEND, "target_group_arn": None}}, status_page=None)


@pytest.mark.parametrize("probe", ["elbv2.target_health", "cloudwatch.response_time", "cloudwatch.errors_5xx"])
def test_what_no_load_balancer_is_before_is_not_called_well(probe: str) -> None:
    """A probe of the load balancer fails for good and names the field: its finding is unknown with that reason."""
    params = {"service": "backend"} | ({} if probe == "elbv2.target_health" else {"load_balancer": "portal"})
    call = ObserveRequest(about=about(scope(environment=BARE)), step="step", params=params, at=NOW)
    with pytest.raises(ApplicationError, match=r"has no services\.backend\.target_group_arn: add it") as refused:
        asking(call).run(named(None, FixedHouse(BARE))[f"{probe}.observe"], call)  # type: ignore[arg-type]
    assert refused.value.non_retryable


@pytest.mark.parametrize(
    ("state", "running", "done"), [("COMPLETED", 3, True), ("COMPLETED", 2, False), ("IN_PROGRESS", 3, False)]
)
def test_without_load_balancer_a_rollout_is_judged_by_its_tasks(state: str, running: int, done: bool) -> None:
    """A rollout has settled once ECS has completed it and every task runs; nobody else is asked."""
    rollout = {"status": "PRIMARY", "taskDefinition": "task-definition/tides:3", "rolloutState": state}
    service = {"deployments": [rollout], "runningCount": running, "desiredCount": 3}
    seen = settled(None, {"target_group": None}, service)  # type: ignore[arg-type]
    assert seen.done is done
    assert seen.message == f"tides:3: rollout {state}, {running} of 3 tasks running"


def test_without_status_page_nothing_is_told_in_public() -> None:
    """A notice to the public names what the environment lacks."""
    with pytest.raises(RuleError, match="environment production has no status_page: add it to its file"):
        Resolved(None, None).send(scope(environment=BARE), PostParams(), 1)  # type: ignore[arg-type]

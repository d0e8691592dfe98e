from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from moto import mock_aws

from activities.action import RuleError, ServiceParams
from activities.aws.ecs.ecs_rollback_service import RollbackService
from domain.config.environment import Service
from domain.model.calls import Scope
from domain.model.plan import Plan, Verification
from tests.activities.fake_ecs import CLUSTER, SERVICE, SERVICE_ARN, FakeEcs, FakeTargets, revision
from tests.activities.scopes import BACKEND_TARGETS, environment, scope
from tests.activities.world import WIRE, WorldClients, create_ledger


@dataclass
class Backend:
    ecs: FakeEcs
    targets: FakeTargets
    clients: WorldClients
    change: RollbackService
    scope: Scope

    def plan(self) -> Plan:
        return self.change.plan(self.scope, ServiceParams(service="backend"))


@pytest.fixture
def backend() -> Iterator[Backend]:
    with mock_aws():
        ecs, targets = FakeEcs(), FakeTargets("healthy", "healthy", "healthy")
        clients = WorldClients({"ecs": ecs, "elbv2": targets})
        create_ledger(clients)
        yield Backend(ecs, targets, clients, RollbackService(clients), scope())


def test_the_target_is_what_last_ran_well(backend: Backend) -> None:
    """Revision 4, the second-newest registered, was never deployed: the plan goes back to 3."""
    plan = backend.plan()
    assert plan.target == SERVICE_ARN
    assert plan.before == {"task_definition": revision(5)}
    assert plan.after == {"task_definition": revision(3)}
    assert plan.context | {"cluster": CLUSTER, "service": SERVICE, "target_group": BACKEND_TARGETS} == plan.context


def test_a_deployment_that_never_succeeded_is_passed_over(backend: Backend) -> None:
    """A stopped rollout is no place to go back to."""
    backend.ecs.deployments[2]["status"] = "STOPPED"
    assert backend.plan().after == {"task_definition": revision(2)}


def test_the_impact_says_what_an_approver_must_know(backend: Backend) -> None:
    """From what to what, since when it was well, how many tasks, and the two dangers."""
    impact = backend.plan().impact
    for said in ("All 3 tasks", f"{SERVICE}:5", f"{SERVICE}:3", "2026-11-03 at 09:06 UTC", "pipeline", "migration"):
        assert said in impact


@pytest.mark.parametrize(("controller", "says"), [("CODE_DEPLOY", "CodeDeploy"), ("EXTERNAL", "external controller")])
def test_other_controllers_are_handed_off(backend: Backend, controller: str, says: str) -> None:
    """What ECS does not roll out, it cannot roll back: refused before any approval, saying who can."""
    backend.ecs.controller = controller
    with pytest.raises(RuleError, match=says):
        backend.plan()


def test_no_healthy_deployment_is_refused(backend: Backend) -> None:
    """There is no guess: without a successful deployment of another revision nothing is planned."""
    backend.ecs.deployments = backend.ecs.deployments[-1:]
    with pytest.raises(RuleError, match="no successful deployment"):
        backend.plan()


def test_a_deregistered_revision_is_refused(backend: Backend) -> None:
    """ECS would refuse it after the approval: say so before."""
    backend.ecs.inactive.add(3)
    with pytest.raises(RuleError, match=f"{SERVICE}:3.*INACTIVE"):
        backend.plan()


def test_a_missing_service_is_refused(backend: Backend) -> None:
    """ECS lists a missing service beside the answer; it is no empty plan."""
    known = backend.scope.environment.services["backend"].model_dump()
    services = {"backend": Service(**(known | {"service": "gone"}))}
    elsewhere = scope(environment=environment(services=services))
    with pytest.raises(RuleError, match="no active service gone"):
        backend.change.plan(elsewhere, ServiceParams(service="backend"))


def rolling_out(backend: Backend, to: int) -> Plan:
    """Somebody's rollout of revision `to` is under way, and we have planned the way back."""
    backend.ecs.update_service(cluster=CLUSTER, service=SERVICE, taskDefinition=revision(to))
    return backend.plan()


def test_a_rollout_under_way_is_stopped_when_that_lands_on_the_target(backend: Backend) -> None:
    """ECS takes its own rollout back once; a second act leaves the rollback to itself."""
    plan = rolling_out(backend, 6)
    assert plan.after == {"task_definition": revision(5)}
    backend.change.act(backend.scope, plan)
    backend.change.act(backend.scope, plan)
    assert backend.clients.writes == ["ecs.stop_service_deployment"]
    assert not backend.change.verify(backend.scope, plan).failed
    backend.ecs.settle()
    assert backend.change.verify(backend.scope, plan).done


def test_a_rollout_under_way_from_elsewhere_is_replaced(backend: Backend) -> None:
    """Where ECS would land on another revision than the approved one, that one is deployed instead."""
    backend.ecs.deployments[-1]["status"] = "STOPPED"
    plan = rolling_out(backend, 6)
    assert plan.after == {"task_definition": revision(3)}
    backend.change.act(backend.scope, plan)
    assert backend.clients.writes == ["ecs.update_service"]
    assert backend.ecs.primary == revision(3)


def test_steady_and_healthy_is_done_and_nothing_less(backend: Backend) -> None:
    """Asked for is not enough: rollout complete, every task running, every target that stays healthy."""
    plan = backend.plan()

    def seen() -> Verification:
        return backend.change.verify(backend.scope, plan)

    assert not seen().done
    backend.change.act(backend.scope, plan)
    assert not seen().done
    backend.ecs.settle()
    assert seen().done
    backend.targets.states = ["healthy", "unhealthy", "healthy"]
    assert not seen().done
    backend.targets.states = ["healthy", "healthy", "initial"]
    assert not seen().done
    backend.targets.states = []
    assert not seen().done
    backend.targets.states = ["healthy", "healthy", "healthy", "draining"]
    assert seen().done
    backend.ecs.running = 2
    assert not seen().done
    assert "2 of 3 tasks" in seen().message


def test_a_failed_rollout_is_failed(backend: Backend) -> None:
    """Waiting does not help a rollout that ECS gave up."""
    plan = backend.plan()
    backend.change.act(backend.scope, plan)
    backend.ecs.rollout = "FAILED"
    assert backend.change.verify(backend.scope, plan).failed


def test_somebody_elses_deployment_ends_the_wait(backend: Backend) -> None:
    """A third revision in place says that the target will not come."""
    plan = backend.plan()
    backend.change.act(backend.scope, plan)
    backend.ecs.primary = revision(8)
    seen = backend.change.verify(backend.scope, plan)
    assert seen.failed
    assert f"{SERVICE}:8" in seen.message


def test_no_plan_waits_for_the_ledger(backend: Backend) -> None:
    """Where it does not answer, ECS's history alone decides, and who approves reads that."""
    with WIRE.listening(lambda sent: "InternalServerError" if sent.service == "dynamodb" else None) as sent:
        plan = backend.plan()
    assert plan.after == {"task_definition": revision(3)}
    assert "What our own incidents rolled back could not be read" in plan.impact
    assert len([one for one in sent if one.service == "dynamodb"]) == 1

"""A service's deployments over time: what Amazon ECS records of each, and its progress at a given moment.

moto has one deployment a service and never finishes it. Here deployments progress with time: each read settles
whatever has finished since the last one. Nothing runs in between.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any, Literal

from moto.ecs.models import Service, TaskDefinition
from moto.moto_api._internal import mock_random

IN_PROGRESS = "IN_PROGRESS"
SUCCESSFUL = "SUCCESSFUL"
STOPPED = "STOPPED"
ROLLING_BACK = "ROLLBACK_IN_PROGRESS"
ROLLED_BACK = "ROLLBACK_SUCCESSFUL"
LOCK = RLock()
"""Held by every operation that reads or changes deployments: the server is multi-threaded."""
_EVENTS_KEPT = 100


Defect = Literal["on-start", "after-start"]
"""What can be wrong with a revision: its tasks never start, or start and then answer 503."""


@dataclass
class Pace:
    """How long a rollout takes, in this process."""

    rollout: timedelta = timedelta(seconds=1)


PACE = Pace()


def moment() -> datetime:
    return datetime.now(UTC)


@dataclass
class Revision:
    """A service revision: what one deployment rolls out. Immutable."""

    arn: str
    task_definition: str
    created_at: datetime


@dataclass
class Deployment:
    """A service deployment; `back_to` is the earlier deployment whose revision a rollback returns to.

    One that is `serving` has traffic before it is complete, as when its tasks are watched for a while (bake time).
    """

    arn: str
    id: str
    revision: Revision
    source: Revision | None
    created_at: datetime
    status: str = IN_PROGRESS
    reason: str | None = None
    stopped_at: datetime | None = None
    finished_at: datetime | None = None
    back_to: "Deployment | None" = None
    serving: bool = False

    @property
    def aims_at(self) -> Revision:
        """The revision being rolled out: during and after a rollback, the earlier one."""
        return self.back_to.aims_at if self.back_to else self.revision

    @property
    def serves(self) -> Revision:
        """The revision whose tasks answer: while it is taken back, still its own."""
        return self.aims_at if self.finished_at else self.revision

    @property
    def shown_as(self) -> "Deployment":
        """What DescribeServices shows: ECS goes "back to deploymentId", so the earlier one is primary again."""
        return self.back_to.shown_as if self.back_to else self

    @property
    def began_at(self) -> datetime:
        """When the rollout of `aims_at` began."""
        return self.stopped_at if self.back_to and self.stopped_at else self.created_at


@dataclass
class Rollouts:
    """Every deployment of one service, oldest first, and how many tasks run.

    `needs` are the application's dependencies: each says whether tasks started at a given time have it. `scalers` are
    what else changes the count. `load` is the work to do, in tasks' worth of CPU.
    """

    service: Service
    deployments: list[Deployment] = field(default_factory=list)
    running: int = 0
    scaled_at: datetime | None = None
    needs: list[Callable[[datetime], bool]] = field(default_factory=list)
    scalers: list[Callable[["Rollouts", datetime], None]] = field(default_factory=list)
    load: float = 0.9

    def begin(self, task_definition: str, at: datetime) -> Deployment:
        """Start a deployment; one still in progress is superseded and stops as it is."""
        if self.deployments and self.newest.status in {IN_PROGRESS, ROLLING_BACK}:
            self._end(self.newest, STOPPED, at, "Superseded by a newer service deployment.")
        deployment = Deployment(
            arn=self._arn("service-deployment", mock_random.get_random_hex(21)),
            id=f"ecs-svc/{_digits()}",
            revision=Revision(self._arn("service-revision", str(_digits())), task_definition, at),
            source=self.completed.aims_at if self.completed else None,
            created_at=at,
        )
        self.deployments.append(deployment)
        return deployment

    def deployed(self, task_definition: str, created_at: datetime, finished_at: datetime) -> None:
        """Record a deployment that succeeded in the past and whose tasks run now."""
        deployment = self.begin(task_definition, created_at)
        self._end(deployment, SUCCESSFUL, finished_at, None)
        self.running, self.scaled_at = self.service.desired_count, None
        self.add_event(f"(deployment {deployment.id}) deployment completed.", finished_at)
        self.add_event("has reached a steady state.", finished_at)
        self._show(moment())

    def scale(self, at: datetime) -> None:
        """Let the running count reach the desired one after a rollout's time."""
        self.scaled_at = at

    def stop(self, deployment: Deployment, at: datetime, *, rollback: bool) -> None:
        """Stop a deployment in progress: roll back to what was last complete, or leave it as it is."""
        if rollback:
            self._take_back(deployment, at, "because of a StopServiceDeployment request")
        else:
            deployment.stopped_at = at
            self._end(deployment, STOPPED, at, "Service deployment stopped by a StopServiceDeployment request.")

    def trip(self, at: datetime) -> None:
        """Let ECS's own watch over the newest deployment fail it: it is rolled back, with nobody's doing.

        The texts are those of the developer guide ("How the deployment circuit breaker detects failures").
        """
        self.add_event(f"(deployment {self.newest.id}) deployment failed: tasks failed to start.", at)
        self._take_back(self.newest, at, "because the circuit breaker threshold was exceeded")
        self.add_event(f"rolling back to deployment {self.newest.shown_as.id}.", at)

    def _take_back(self, deployment: Deployment, at: datetime, why: str) -> None:
        deployment.stopped_at, deployment.back_to = at, self.completed
        deployment.status, deployment.reason = ROLLING_BACK, f"Service deployment rolled back {why}."

    def settle(self, at: datetime) -> None:
        """Advance everything to `at`, and update what `describe_services` returns."""
        if self.deployments:
            newest = self.newest
            if newest.status in {IN_PROGRESS, ROLLING_BACK} and self._due(newest.began_at, at) and self._starts(newest):
                status = SUCCESSFUL if newest.status == IN_PROGRESS else ROLLED_BACK
                # it finished when its time was up, not when somebody looked
                self._end(newest, status, newest.began_at + PACE.rollout, newest.reason)
                self.add_event(f"(deployment {newest.shown_as.id}) deployment completed.")
        theirs = self.service.deployment_controller["type"] != "ECS"  # others' deployments are not seen here
        if self.scaled_at and self._due(self.scaled_at, at) and (self.live or theirs):
            self.running, self.scaled_at = self.service.desired_count, None
            self.add_event("has reached a steady state.")
        for scaler in self.scalers:
            scaler(self, at)
        self._show(at)

    def add_event(self, message: str, at: datetime | None = None) -> None:
        """Add a service event, newest first, in ECS's wording."""
        event = {
            "id": str(mock_random.uuid4()),
            "createdAt": at or moment(),
            "message": f"(service {self.service.name}) {message}",
        }
        self.service.events = [event, *self.service.events][:_EVENTS_KEPT]

    @property
    def newest(self) -> Deployment:
        return self.deployments[-1]

    @property
    def live(self) -> Revision | None:
        """The revision whose tasks run: that of the newest deployment that succeeded, or that serves already."""
        return self._live_deployment.serves if self._live_deployment else None

    @property
    def completed(self) -> Deployment | None:
        """The newest deployment that succeeded: what a rollback returns to."""
        return next((one for one in reversed(self.deployments) if one.status in {SUCCESSFUL, ROLLED_BACK}), None)

    @property
    def _live_deployment(self) -> Deployment | None:
        serving = self.deployments and self.newest.serving and self.newest.finished_at is None
        return self.newest if serving else self.completed

    def healthy(self) -> bool:
        """Whether the application answers: tasks run, their revision has no defect, and every dependency is met."""
        live = self._live_deployment
        if self.running == 0 or live is None or self.defect(live.serves) is not None:
            return False
        return all(need(live.began_at) for need in self.needs)

    def defect(self, revision: Revision) -> Defect | None:
        """What is wrong with a revision, if anything."""
        return vars(self.service._backend.describe_task_definition(revision.task_definition)).get("defect")

    def _starts(self, deployment: Deployment) -> bool:
        """Whether a rollout will be complete in time: not while its tasks do not start, or are watched and broken."""
        defect = self.defect(deployment.aims_at)
        return defect is None or (defect == "after-start" and not deployment.serving)

    def _due(self, since: datetime, at: datetime) -> bool:
        return at >= since + PACE.rollout

    def _end(self, deployment: Deployment, status: str, at: datetime, reason: str | None) -> None:
        deployment.status, deployment.finished_at, deployment.reason = status, at, reason

    def _arn(self, kind: str, name: str) -> str:
        prefix = self.service.cluster_arn.split(":cluster/")[0]
        return f"{prefix}:{kind}/{self.service.cluster_name}/{self.service.name}/{name}"

    def _show(self, at: datetime) -> None:
        service = self.service
        pending = max(service.desired_count - self.running, 0)
        service.running_count, service.pending_count = self.running, pending
        if not self.deployments:
            return
        newest, live = self.newest, self.live
        service.task_definition = newest.aims_at.task_definition
        if newest.status not in {IN_PROGRESS, ROLLING_BACK}:
            state = "FAILED" if newest.status == STOPPED else "COMPLETED"
            service.deployments = [self._shown(newest, "PRIMARY", self.running, pending, state, at)]
            return
        own = 0 if live and live is not newest.aims_at else self.running
        service.deployments = [self._shown(newest, "PRIMARY", own, service.desired_count - own, "IN_PROGRESS", at)]
        if live and live is not newest.aims_at:
            before = self._live_deployment or newest
            state = "FAILED" if before is newest else "COMPLETED"
            service.deployments.append(self._shown(before, "ACTIVE", self.running, 0, state, at))

    def _shown(
        self, deployment: Deployment, status: str, running: int, pending: int, state: str, at: datetime
    ) -> dict[str, Any]:
        waited = max(at - deployment.began_at - PACE.rollout, timedelta())
        shown = deployment.shown_as if status == "PRIMARY" else deployment
        return {
            "id": shown.id,
            "status": status,
            "taskDefinition": (shown.aims_at if status == "PRIMARY" else deployment.serves).task_definition,
            "desiredCount": self.service.desired_count if status == "PRIMARY" else 0,
            "pendingCount": pending,
            "runningCount": running,
            "failedTasks": int(waited / PACE.rollout) if state == "IN_PROGRESS" else 0,
            "createdAt": shown.created_at,
            "updatedAt": deployment.finished_at or deployment.began_at,
            "launchType": self.service.launch_type,
            "platformVersion": self.service.platform_version,
            "platformFamily": "Linux",
            "networkConfiguration": self.service.network_configuration or None,
            "rolloutState": state,
            "rolloutStateReason": f"ECS deployment {shown.id} {state.lower().replace('_', ' ')}.",
        }


def _digits() -> int:
    return int(mock_random.randint(10**18, 10**19 - 1))


def rollouts(service: Service) -> Rollouts:
    """The deployments of a moto service, stored on it."""
    kept: Rollouts = vars(service)["rollouts"]
    return kept


def keep_rollouts(service: Service) -> Rollouts:
    """Start the record of a newly created service; it is stored on the service, so a moto reset clears it."""
    vars(service)["rollouts"] = Rollouts(service)
    return rollouts(service)


def set_defect(definition: TaskDefinition, defect: Defect | None) -> None:
    """Give a task definition a defect, as a bad image would, or remove it."""
    vars(definition)["defect"] = defect

"""Run more tasks where that can help: the tasks are busy and the database has connections to spare."""

from datetime import timedelta

from pydantic import Field

from activities.action import DatabaseName, RuleError, iam
from activities.aws.ecs.cloudwatch_service_load import load_queries
from activities.aws.ecs.ecs_scale_service import ScaleParams, ScaleService
from activities.aws.shared.cloudwatch_metrics import newest, of_instance
from domain.model.calls import Scope
from domain.model.plan import Plan

_LOOK_BACK = timedelta(hours=1)


class ScaleOutParams(ScaleParams):
    """Refused below `busy_percent` of CPU, and from `full_percent` of the database's connections on."""

    database: DatabaseName
    busy_percent: float = Field(default=70, gt=0, le=100)
    full_percent: float = Field(default=70, gt=0, le=100)


class ScaleOut(ScaleService):
    """Scales a service out, behind two gates that read CloudWatch; otherwise as `ecs.scale_service`.

    More tasks do not help a service that waits for its database, and each opens further connections.
    """

    name = "ecs.scale_out"
    permissions = (*ScaleService.permissions, *iam("cloudwatch:GetMetricData"))
    params = ScaleOutParams

    def plan(self, scope: Scope, params: ScaleParams) -> Plan:
        """Check the gates, then plan; raises `RuleError` that says which gate is shut and what to do instead."""
        if not isinstance(params, ScaleOutParams):
            raise TypeError("ecs.scale_out takes ScaleOutParams")
        database = scope.environment.databases[params.database]
        queries = load_queries(scope.environment.services[params.service])
        queries |= of_instance(database.identifier, {"connections": ("DatabaseConnections", "Maximum")})
        points = newest(self.clients.client("cloudwatch"), queries, scope.declared_at - _LOOK_BACK)
        found = {name: value for name, (_, value) in points.items()}
        if "cpu" not in found or "connections" not in found:
            raise RuleError("CloudWatch has no figures of CPU or connections: whether more tasks help is not known")
        if found["cpu"] < params.busy_percent:
            raise RuleError(
                f"CPU of {params.service} is at {found['cpu']:.0f} %, below {params.busy_percent:g} %: "
                "more tasks would not help; look at the database"
            )
        full = 100 * found["connections"] / database.max_connections
        if full >= params.full_percent:
            raise RuleError(
                f"{params.database} has {full:.0f} % of its connections in use: more tasks would exhaust them; "
                "open a database incident"
            )
        return super().plan(scope, params)

"""Tell what a database is busy with, by Performance Insights; and switch that on."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

from pydantic import Field

from activities.action import Change, DatabaseName, Params, Probe
from activities.aws.database.rds_status import described
from domain.config.approval import ApprovalClass
from domain.model.activity_io import Scope
from domain.model.finding import Finding, FindingStatus
from domain.model.plan import Plan, State, Verification

_WINDOW = timedelta(minutes=30)
_RETENTION_DAYS = 7


class DatabaseLoadParams(Params):
    """Suspect when more than `sessions` were active on average in one of the newest minutes."""

    database: DatabaseName
    sessions: float = Field(default=8, gt=0)


class DatabaseLoad(Probe[DatabaseLoadParams]):
    """Reads `db.load.avg` of half an hour (`pi:GetResourceMetrics`), never SQL text. Unknown where it is off."""

    name = "pi.load"
    params = DatabaseLoadParams

    def observe(self, scope: Scope, params: DatabaseLoadParams, at: datetime) -> Finding:
        identifier = scope.environment.databases[params.database].identifier
        instance = described(self.clients.client("rds"), identifier)
        if not instance.get("PerformanceInsightsEnabled"):
            return Finding(
                status=FindingStatus.UNKNOWN,
                summary=f"{params.database}: Performance Insights is off; enable-insights switches it on",
                facts={"database": params.database, "enabled": False},
            )
        answer = self.clients.client("pi").get_resource_metrics(
            ServiceType="RDS",
            Identifier=instance["DbiResourceId"],
            MetricQueries=[{"Metric": "db.load.avg"}],
            StartTime=at - _WINDOW,
            EndTime=at,
            PeriodInSeconds=60,
        )
        values = [
            point["Value"]
            for metric in answer["MetricList"]
            for point in metric["DataPoints"]
            if point.get("Value") is not None
        ]
        facts: dict[str, Any] = {"database": params.database, "enabled": True, "datapoints": len(values)}
        if not values:
            return Finding(status=FindingStatus.UNKNOWN, summary=f"{params.database}: no load figures yet", facts=facts)
        facts["maximum"] = max(values)
        return Finding(
            status=FindingStatus.SUSPECT if max(values) > params.sessions else FindingStatus.OK,
            summary=f"{params.database}: at most {max(values):.1f} active sessions on average in half an hour",
            facts=facts,
        )


class EnableInsightsParams(Params):
    database: DatabaseName


class EnableInsights(Change[EnableInsightsParams]):
    """Switches Performance Insights on (`rds:ModifyDBInstance`); needs no restart.

    Applied at once, which applies every other pending change with it: where there are some, approval is asked for,
    and what came to be pending since the plan makes it stale.
    """

    name: ClassVar[str] = "rds.enable_insights"
    params: ClassVar[type[Params]] = EnableInsightsParams
    approval_class: ClassVar[ApprovalClass] = ApprovalClass.A1
    graver_classes: ClassVar[tuple[ApprovalClass, ...]] = (ApprovalClass.A2,)

    def plan(self, scope: Scope, params: EnableInsightsParams) -> Plan:
        identifier = scope.environment.databases[params.database].identifier
        instance = described(self.clients.client("rds"), identifier)
        pending = sorted(instance.get("PendingModifiedValues") or {})
        on = bool(instance.get("PerformanceInsightsEnabled"))
        also = ""
        if pending:
            also = f" It also applies at once what is pending, which cannot be undone: {', '.join(pending)}."
        return Plan(
            action=self.name,
            target=instance["DBInstanceArn"],
            summary=f"Switch Performance Insights of {params.database} on",
            before=_state(instance),
            after={"insights": True, "pending": []} if not on else _state(instance),
            impact=f"{params.database} keeps running; figures are kept for {_RETENTION_DAYS} days.{also}",
            approval_class=ApprovalClass.A2 if pending else ApprovalClass.A1,
            locks=(instance["DBInstanceArn"],),
            reversible=not pending,
            context={"identifier": identifier},
        )

    def read(self, scope: Scope, plan: Plan) -> State:  # noqa: ARG002
        return _state(described(self.clients.client("rds"), str(plan.context["identifier"])))

    def act(self, scope: Scope, plan: Plan) -> None:  # noqa: ARG002
        on = bool(plan.after["insights"])
        more = {"PerformanceInsightsRetentionPeriod": _RETENTION_DAYS, "DatabaseInsightsMode": "standard"} if on else {}
        self.clients.once("rds").modify_db_instance(
            DBInstanceIdentifier=plan.context["identifier"],
            EnablePerformanceInsights=on,
            ApplyImmediately=True,
            **more,
        )

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        done = self.read(scope, plan) == plan.after
        state = "on" if plan.after["insights"] else "off"
        return Verification(
            done=done, message=f"Performance Insights is {state if done else 'being switched ' + state}"
        )


def _state(instance: dict[str, Any]) -> State:
    return {
        "insights": bool(instance.get("PerformanceInsightsEnabled")),
        "pending": sorted(instance.get("PendingModifiedValues") or {}),
    }

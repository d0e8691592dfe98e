"""Switch Performance Insights on."""

from typing import Any

from activities.action import ChangeAction, DatabaseParams, RuleError, iam
from activities.aws.database.described_database import (
    described,
    found,
    offered,
    pending,
    refuse_busy,
    refuse_custom,
    refuse_member,
)
from domain.config.approval import ApprovalClass
from domain.model.calls import Scope
from domain.model.plan import Plan, State, Verification

_RETENTION_DAYS = 7  # the longest that costs nothing


class EnableInsights(ChangeAction[DatabaseParams]):
    """Switches Performance Insights on; needs no restart.

    Applied at once, which applies every other pending change with it: where there are some, approval is asked for, and
    what came to be pending since the plan makes it stale.
    """

    name = "rds.enable_insights"
    permissions = iam("rds:DescribeDBClusters DescribeDBInstances DescribeOrderableDBInstanceOptions ModifyDBInstance")
    classes = (ApprovalClass.A1, ApprovalClass.A2)

    def plan(self, scope: Scope, params: DatabaseParams) -> Plan:
        """Raises `RuleError` for a member of a cluster, a class that has no insights, and an instance that is busy."""
        instance = found(self.clients, scope.environment.databases[params.database]).instance
        if not instance.get("PerformanceInsightsEnabled"):
            self._refuse(params.database, instance)
        before, waiting = _state(instance), ", ".join(pending(instance))
        also = f" It also applies at once what is pending, which cannot be undone: {waiting}." if waiting else ""
        return self.proposed(
            target=instance["DBInstanceArn"],
            summary=f"Switch Performance Insights of {params.database} on",
            before=before,
            after=before if before["insights"] else {"insights": True, "pending": []},
            impact=f"{params.database} keeps running; figures are kept for {_RETENTION_DAYS} days.{also}",
            approval_class=ApprovalClass.A2 if waiting else ApprovalClass.A1,
            reversible=not waiting,
            context={"identifier": instance["DBInstanceIdentifier"]},
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        return _state(described(self.clients, plan.context["identifier"]))

    def act(self, scope: Scope, plan: Plan) -> None:
        on = bool(plan.after["insights"])
        more = {"PerformanceInsightsRetentionPeriod": _RETENTION_DAYS, "DatabaseInsightsMode": "standard"} if on else {}
        self.clients.once("rds").modify_db_instance(
            DBInstanceIdentifier=plan.context["identifier"], EnablePerformanceInsights=on, ApplyImmediately=True, **more
        )

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        done = self.read(scope, plan) == plan.after
        state = "on" if plan.after["insights"] else "off"
        return Verification(done=done, message=f"Performance Insights is {'' if done else 'being switched '}{state}")

    def _refuse(self, name: str, instance: dict[str, Any]) -> None:
        refuse_member(instance, name, "switch Performance Insights on for the whole cluster")
        refuse_custom(instance, name, "watch")
        refuse_busy(name, "modifies", instance["DBInstanceStatus"])
        options = offered(self.clients, instance, instance["DBInstanceClass"])
        if options and not any(one.get("SupportsPerformanceInsights") for one in options):
            raise RuleError(f"{name} is of class {instance['DBInstanceClass']}, which has no Performance Insights")


def _state(instance: dict[str, Any]) -> State:
    return {"insights": bool(instance.get("PerformanceInsightsEnabled")), "pending": pending(instance)}

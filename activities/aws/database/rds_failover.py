"""Fail a database over to its standby, or a cluster to one of its readers."""

from datetime import datetime, timedelta
from typing import Any

from temporalio.exceptions import ApplicationError

from activities.action import ChangeAction, DatabaseParams, RuleError, iam
from activities.aws.database.described_database import (
    AVAILABLE,
    Described,
    described,
    described_cluster,
    found,
    parameters,
    pending,
    refuse_busy,
    refuse_custom,
    refuse_unnamed,
    writer,
)
from activities.aws.shared.pages import Pages
from domain.config.approval import ApprovalClass
from domain.model.calls import Scope
from domain.model.plan import Plan, State, Verification
from domain.values.errors import ErrorKind
from domain.values.timestamps import short_time

_ZONE, _WRITER = "zone", "writer"
_LATELY_MINUTES = 10
"""How long after a failover RDS may still show the zone before it, and would decline another one."""
_NEWS = timedelta(minutes=3)
"""Within which a failover that was asked for shows: one takes up to two minutes, and its events come with it."""
_AGAIN = timedelta(seconds=20)
_SKEW = timedelta(minutes=1)
_DECLINED = "Abandoning user requested failover"
"""How the one event of this category begins that is no failover (RDS user guide, RDS-EVENT-0034)."""


class Failover(ChangeAction[DatabaseParams]):
    """Reboots a Multi-AZ instance with failover; a cluster is failed over to the reader that the plan names.

    The state is the zone that the primary is in, or the cluster's writer. RDS may show the zone from before for
    minutes, so an attempt after one whose answer was lost looks for the event of a failover first, and sends a second
    request only once none can come any more.
    """

    name = "rds.failover"
    permissions = iam("rds:DescribeDBClusters DescribeDBInstances DescribeEvents FailoverDBCluster RebootDBInstance")
    classes = (ApprovalClass.A2,)

    def plan(self, scope: Scope, params: DatabaseParams) -> Plan:
        """Name where it goes; raises `RuleError` without a standby, or when RDS would refuse or decline."""
        place = found(self.clients, scope.environment.databases[params.database])
        refuse_unnamed(scope.environment, params.database, place)
        refuse_busy(params.database, "fails over", *place.statuses)
        where, there, target, context = self._way(params.database, place)
        self._refuse_lately(params.database, context)
        field = _WRITER if place.cluster else _ZONE
        waiting = ", ".join([*pending(place.instance), *parameters(place.instance)])
        also = f" A reboot may also bring in what is pending: {waiting}." if waiting else ""
        away = "less than a minute" if place.cluster else "one to two minutes"
        return self.proposed(
            target=target,
            summary=f"Fail {params.database} over from {where} to {there}",
            before={field: where},
            after={field: there},
            impact=(
                f"{params.database} is away for {away} and every connection to it is cut; nothing that was committed "
                f"is lost, and its address stays. It does not help a full connection pool.{also} Undoing it is "
                "another failover."
            ),
            context=context,
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        """Read the primary's zone (`rds:DescribeDBInstances`), or the cluster's writer (`rds:DescribeDBClusters`)."""
        if cluster := plan.context.get("cluster"):
            # while it fails over RDS may name no writer: then it has not failed over yet
            return {_WRITER: writer(described_cluster(self.clients, cluster)) or plan.before[_WRITER]}
        return {_ZONE: described(self.clients, plan.context["identifier"]).get("AvailabilityZone")}

    def act(self, scope: Scope, plan: Plan) -> None:
        """Ask for the failover; raises `InvalidDBInstanceState`, which is waited for, while one is under way.

        Raises `RuleError` when RDS failed it over by itself since the plan, and shows the zone from before.
        """
        self._refuse_lately(str(plan.context["source"]), plan.context)
        # not idempotent: a second call is a second failover, so it is sent once, and looked for before a retry
        rds, cluster = self.clients.once("rds"), plan.context.get("cluster")
        if cluster:
            rds.failover_db_cluster(DBClusterIdentifier=cluster, TargetDBInstanceIdentifier=plan.after[_WRITER])
        else:
            rds.reboot_db_instance(DBInstanceIdentifier=plan.context["identifier"], ForceFailover=True)

    def resume(self, scope: Scope, plan: Plan, since: datetime, at: datetime) -> None:
        """Act again only if the first attempt came to nothing: neither an event since, nor time for one to come.

        Raises `NotYet`, retried after 20 s, until then. Events are best effort (RDS user guide, "Monitoring Amazon
        RDS events"): without one, what RDS shows after that time counts.
        """
        if self._failovers(plan.context, StartTime=since - _SKEW):
            return
        if at - since < _NEWS:
            message = f"whether the failover of {short_time(since)} was begun is not known yet"
            raise ApplicationError(message, type=ErrorKind.NOT_YET.value, next_retry_delay=_AGAIN)
        self.act(scope, plan)

    def refuse_undo(self, scope: Scope, plan: Plan) -> None:
        """RDS declines a failover that follows another too soon."""
        self._refuse_lately(str(plan.context["source"]), plan.context)

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether the primary is where it shall be, and available; failed when RDS declined the failover."""
        cluster, now = plan.context.get("cluster"), self.read(scope, plan)
        instance = described(self.clients, now[_WRITER] if cluster else plan.context["identifier"])
        status = instance["DBInstanceStatus"]
        if cluster and status == AVAILABLE:
            status = described_cluster(self.clients, cluster)["Status"]
        seen = f"{cluster or plan.context['identifier']} is {status} in {next(iter(now.values()))}"
        if now == plan.after:
            return Verification(done=status == AVAILABLE, message=seen)
        news = self._failovers(plan.context, Duration=_LATELY_MINUTES)
        declined = bool(news) and str(news[-1]["Message"]).startswith(_DECLINED)
        why = ": RDS declined the failover, as one took place shortly before" if declined else ""
        return Verification(done=False, failed=declined, message=f"{seen}{why}")

    def _way(self, name: str, place: Described) -> tuple[str, str, str, State]:
        """From where to where, the ARN of what moves, and what names it afterwards."""
        instance, cluster = place
        if cluster is not None:
            source = cluster["DBClusterIdentifier"]
            context = {"cluster": source, "kind": "db-cluster", "source": source}
            reader = self._reader(name, instance, cluster)
            return instance["DBInstanceIdentifier"], reader, cluster["DBClusterArn"], context
        refuse_custom(instance, name, "fail over")
        if not instance.get("MultiAZ"):
            raise RuleError(f"{name} has no standby to fail over to: it is not Multi-AZ")
        standby = instance.get("SecondaryAvailabilityZone")
        if not standby:
            raise RuleError(f"RDS does not tell which zone the standby of {name} is in: look again later")
        source = instance["DBInstanceIdentifier"]
        context = {"identifier": source, "kind": "db-instance", "source": source}
        return instance["AvailabilityZone"], standby, instance["DBInstanceArn"], context

    def _reader(self, name: str, instance: dict[str, Any], cluster: dict[str, Any]) -> str:
        """The reader to fail over to: available, in another zone where there is one, of the first promotion tier."""
        engine = str(cluster.get("Engine", ""))
        if engine == "mysql":
            raise RuleError(
                f"{name} is a Multi-AZ DB cluster of MySQL, whose failover takes no target: fail it over by hand"
            )
        own, zone = instance["DBInstanceIdentifier"], instance.get("AvailabilityZone")
        names = [str(one["DBInstanceIdentifier"]) for one in cluster.get("DBClusterMembers", [])]
        members = [described(self.clients, name) for name in names if name != own]
        ready = [one for one in members if one["DBInstanceStatus"] == AVAILABLE]
        if not ready:
            raise RuleError(f"{name} has no reader that is available: there is nothing to fail over to")
        first = min(
            ready,
            key=lambda one: (
                one.get("AvailabilityZone") == zone,
                one.get("PromotionTier", 1),
                one["DBInstanceIdentifier"],
            ),
        )
        return str(first["DBInstanceIdentifier"])

    def _failovers(self, context: State, **window: Any) -> list[dict[str, Any]]:
        """What RDS recorded of failovers in a window, oldest first (`rds:DescribeEvents`)."""
        asked = {"SourceIdentifier": context["source"], "SourceType": context["kind"], "EventCategories": ["failover"]}
        pages = Pages(self.clients.client("rds").describe_events, cursor="Marker", **asked, **window)
        return sorted(pages.items("Events"), key=lambda one: one["Date"])

    def _refuse_lately(self, name: str, context: State) -> None:
        if events := self._failovers(context, Duration=_LATELY_MINUTES):
            raise RuleError(
                f"RDS failed {name} over at {short_time(events[-1]['Date'])}: it may still show the zone from before, "
                f"and declines another failover so soon; look again {_LATELY_MINUTES} minutes later"
            )

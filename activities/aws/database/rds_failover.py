"""Fail a Multi-AZ database over to its standby."""

from activities.action import ChangeAction, DatabaseParams, RuleError, iam
from activities.aws.database.rds_status import AVAILABLE, described, pending
from domain.config.approval import ApprovalClass
from domain.model.activity_io import Scope
from domain.model.plan import Plan, State, Verification


class Failover(ChangeAction[DatabaseParams]):
    """Reboots a Multi-AZ instance with failover.

    The state is the zone that the primary is in: it tells a failover that happened from one that did not. While the
    instance reboots RDS refuses a second one, which is waited for, and the zone then tells.
    """

    name = "rds.failover"
    permissions = iam("rds:DescribeDBInstances RebootDBInstance")
    classes = (ApprovalClass.A2,)

    def plan(self, scope: Scope, params: DatabaseParams) -> Plan:
        """Name both zones; raises `RuleError` without a standby, or when RDS would refuse."""
        identifier = scope.environment.databases[params.database].identifier
        instance = described(self.clients, identifier)
        status, zone = instance["DBInstanceStatus"], instance.get("AvailabilityZone")
        standby = instance.get("SecondaryAvailabilityZone")
        if not instance.get("MultiAZ"):
            raise RuleError(f"{params.database} has no standby to fail over to: it is not Multi-AZ")
        if status != AVAILABLE:
            raise RuleError(
                f"{params.database} is {status}, and RDS fails over by a reboot, which takes an available instance: "
                "wait for it, or promote a replica if it has failed"
            )
        if not standby:
            raise RuleError(f"RDS does not tell which zone the standby of {params.database} is in: look again later")
        waiting = ", ".join(pending(instance))
        also = f" A reboot may also bring in what is pending: {waiting}." if waiting else ""
        return self.proposed(
            target=instance["DBInstanceArn"],
            summary=f"Fail {params.database} over from {zone} to {standby}",
            before={"zone": zone},
            after={"zone": standby},
            impact=(
                f"{params.database} is away for one to two minutes and every connection to it is cut; nothing that "
                f"was committed is lost, and its address stays. It does not help a full connection pool.{also} "
                "Undoing it is another failover."
            ),
            context={"identifier": identifier},
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        """Read the zone that the primary is in (`rds:DescribeDBInstances`)."""
        return {"zone": described(self.clients, plan.context["identifier"]).get("AvailabilityZone")}

    def act(self, scope: Scope, plan: Plan) -> None:
        """Ask for the failover; raises `InvalidDBInstanceState`, which is waited for, while one is under way."""
        # not idempotent: a second call is a second failover, so it is sent once, and the zone is read before a retry
        self.clients.once("rds").reboot_db_instance(DBInstanceIdentifier=plan.context["identifier"], ForceFailover=True)

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether the primary is in the other zone and available."""
        instance = described(self.clients, plan.context["identifier"])
        zone, status = instance.get("AvailabilityZone"), instance["DBInstanceStatus"]
        done = zone == plan.after["zone"] and status == AVAILABLE
        return Verification(done=done, message=f"{plan.context['identifier']} is {status} in {zone}")

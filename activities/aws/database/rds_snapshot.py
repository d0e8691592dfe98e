"""Keep a database as it stands: a manual snapshot under a name that is fixed before it is asked for."""

import re
from typing import Any

from activities.action import ChangeAction, DatabaseParams, iam
from activities.aws.database.rds_status import described
from activities.aws.shared.pages import Pages
from domain.config.approval import ApprovalClass
from domain.model.activity_io import Scope
from domain.model.plan import Plan, State, Verification

_READY = frozenset({"available", "storage-optimization"})
_COMING = frozenset({"creating", "pending"})
_TAG = "incident"


class Snapshot(ChangeAction[DatabaseParams]):
    """Takes a snapshot `ir-<incident>-<database>-<n>`, tagged with the incident.

    The state is `snapshot`: absent, its identifier when it is of this database and this incident, or whose else it is.
    It says what stood in the database when it was begun, and never runs out, but an administrator can delete it: copy
    it to an account of its own.
    """

    name = "rds.snapshot"
    permissions = iam("rds:AddTagsToResource CreateDBSnapshot DescribeDBInstances DescribeDBSnapshots")
    classes = (ApprovalClass.A1,)
    evidence = True

    def plan(self, scope: Scope, params: DatabaseParams) -> Plan:
        """Fix the name: the first number that the incident has not used for this database.

        `rds:DescribeDBInstances`, `rds:DescribeDBSnapshots`; raises `DBInstanceNotFound`, which is final.
        """
        database = scope.environment.databases[params.database].identifier
        instance = described(self.clients, database)
        prefix = _prefix(scope.incident, database)
        identifier = f"{prefix}{self._last(database, prefix) + 1}"
        return self.proposed(
            target=scope.environment.arn("rds", f"snapshot:{identifier}"),
            summary=f"Take snapshot {identifier} of {params.database}",
            before={"snapshot": "absent"},
            after={"snapshot": identifier},
            impact=_impact(params.database, instance),
            # its only lock is the target, not the instance: a failover must not wait for a snapshot
            reversible=False,
            takes_long=True,
            context={"identifier": identifier, "database": database, "incident": scope.incident},
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        """Look whether the snapshot is there, and ours (`rds:DescribeDBSnapshots`)."""
        found = self._described(plan)
        return {"snapshot": "absent" if found is None else _whose(found, plan.context)}

    def act(self, scope: Scope, plan: Plan) -> None:
        """Ask for the snapshot, once; RDS refuses a second of the same name, which the next attempt looks at.

        Raises `InvalidDBInstanceState`, retried, while the instance is busy with something else.
        """
        self.clients.once("rds").create_db_snapshot(
            DBInstanceIdentifier=plan.context["database"],
            DBSnapshotIdentifier=plan.context["identifier"],
            Tags=[{"Key": _TAG, "Value": plan.context["incident"]}, {"Key": "purpose", "Value": "evidence"}],
        )

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether the snapshot is available; the first of a large database can take hours."""
        identifier, found = plan.context["identifier"], self._described(plan)
        if found is None:
            return Verification(done=False, failed=True, message=f"snapshot {identifier} is gone: somebody deleted it")
        status = str(found["Status"])
        encrypted = "encrypted" if found.get("Encrypted") else "not encrypted"
        if status == "available":
            return Verification(done=True, message=f"snapshot {identifier} is available, {encrypted}")
        done = f"{found.get('PercentProgress', 0)} % done"
        return Verification(
            done=False, failed=status not in _COMING, message=f"snapshot {identifier} is {status}, {done}"
        )

    def _described(self, plan: Plan) -> dict[str, Any] | None:
        rds = self.clients.client("rds")
        try:
            answer = rds.describe_db_snapshots(DBSnapshotIdentifier=plan.context["identifier"])
        except rds.exceptions.DBSnapshotNotFoundFault:
            return None
        return dict(answer["DBSnapshots"][0])

    def _last(self, database: str, prefix: str) -> int:
        """The highest number in use; 0 when there is none."""
        describe = self.clients.client("rds").describe_db_snapshots
        pages = Pages(describe, cursor="Marker", DBInstanceIdentifier=database, SnapshotType="manual")
        parted = [str(found["DBSnapshotIdentifier"]).rpartition("-") for found in pages.items("DBSnapshots")]
        numbers = [int(number) for start, dash, number in parted if start + dash == prefix and number.isdecimal()]
        return max(numbers, default=0)


def _prefix(incident: str, database: str) -> str:
    """Begin the name as RDS takes it: letters, digits and single hyphens, a letter first, at most 255 in all."""
    plain = re.sub(r"[^a-z0-9]+", "-", f"ir-{incident}-{database}".lower()).strip("-")
    return f"{plain[:240].rstrip('-')}-"


def _whose(found: dict[str, Any], context: State) -> str:
    """The identifier when the snapshot is of our database and carries our incident; else what it is."""
    tags = {tag["Key"]: tag["Value"] for tag in found.get("TagList", [])}
    of, incident = str(found["DBInstanceIdentifier"]), tags.get(_TAG)
    if (of, incident) == (context["database"], context["incident"]):
        return str(found["DBSnapshotIdentifier"])
    return f"of {of}, tagged with {incident or 'no incident'}"


def _impact(name: str, instance: dict[str, Any]) -> str:
    pause = (
        "It is taken from the standby, so nothing pauses."
        if instance.get("MultiAZ")
        else f"{name} is in one zone: its input and output pause, for seconds to some minutes."
    )
    status = instance["DBInstanceStatus"]
    busy = "" if status in _READY else f" RDS takes no snapshot while it is {status}: that is waited for."
    return (
        f"{name} itself is not changed. {pause}{busy} The snapshot holds all of its data and costs storage. It cannot "
        "be undone: evidence stays until somebody deletes it by hand."
    )

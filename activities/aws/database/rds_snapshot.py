"""Keep a database as it stands: a manual snapshot under a name that is fixed before it is asked for, and its copy."""

import re
from datetime import timedelta
from typing import Any

from temporalio.exceptions import ApplicationError

from activities.action import ChangeAction, DatabaseParams, RuleError, iam
from activities.aws.database.database_state import Standing, remedy, standing
from activities.aws.database.described_database import AVAILABLE, Described, found, refuse_unnamed
from activities.aws.database.rds_snapshots import Snapshots
from activities.aws.shared.error_codes import answered, kind_of_refusal
from activities.aws.shared.keys import usable_key
from domain.config.approval import ApprovalClass
from domain.config.environment import Forensics
from domain.model.calls import Scope
from domain.model.plan import Plan, State, Verification
from domain.values.errors import FINAL, ErrorKind

_READY = frozenset({AVAILABLE, "storage-optimization"})
_COMING = frozenset({"copying", "creating", "pending"})
_COPY = "-copy"
_SOON = timedelta(seconds=2)
"""When to look again at a copy just begun: that of a small database takes seconds."""
_TAG = "incident"


class Snapshot(ChangeAction[DatabaseParams]):
    """Takes a snapshot `ir-<incident>-<database>-<n>`, of a cluster as a whole, tagged with the incident.

    The state is `snapshot`: absent, its identifier when it is of this database and this incident, or whose else it is.
    It says what stood in the database when it was begun, and never runs out, but an administrator can delete it. Where
    the environment names a forensic account, verifying copies it under the key named there and shares the copy with
    that account and no other, which can take hours and goes on where it was cut. Of a cluster that is not encrypted the
    snapshot itself is shared: RDS encrypts no copy of that.
    """

    name = "rds.snapshot"
    permissions = iam(
        "kms:DescribeKey",
        "rds:AddTagsToResource CopyDBClusterSnapshot CopyDBSnapshot CreateDBClusterSnapshot CreateDBSnapshot",
        "rds:DescribeAccountAttributes DescribeDBClusterSnapshotAttributes DescribeDBClusterSnapshots",
        "rds:DescribeDBClusters DescribeDBInstances DescribeDBSnapshotAttributes DescribeDBSnapshots",
        "rds:ModifyDBClusterSnapshotAttribute ModifyDBSnapshotAttribute",
    )
    classes = (ApprovalClass.A1,)
    evidence = True
    irreversible = "the snapshot stays, as evidence"

    def plan(self, scope: Scope, params: DatabaseParams) -> Plan:
        """Fix the name: the first number that the incident has not used for this database.

        Raises `RuleError` for a database that does not come back to where RDS takes snapshots, and for want of room;
        `DBInstanceNotFound`, which is final. What stands against the copy alone is told: the snapshot comes first.
        """
        place = found(self.clients, scope.environment.databases[params.database])
        refuse_unnamed(scope.environment, params.database, place)
        _refuse_stuck(params.database, place)
        snapshots = Snapshots(self.clients, cluster=place.cluster is not None)
        database = str(
            place.cluster["DBClusterIdentifier"] if place.cluster else place.instance["DBInstanceIdentifier"]
        )
        forensics = scope.environment.evidence.snapshots if scope.environment.evidence else None
        snapshots.refuse_full(wanted=1)
        # "If you copy an unencrypted DB cluster snapshot and specify a value for the KmsKeyId parameter, an error is
        # returned" (RDS API CopyDBClusterSnapshot); an unencrypted snapshot is shared as it stands
        plain = place.cluster is not None and not place.cluster.get("StorageEncrypted")
        key, uncopied = self._key(snapshots, forensics, plain=plain)
        prefix = _prefix(scope.incident, database, snapshots.longest)
        identifier = f"{prefix}{_last(snapshots.names(database), prefix) + 1}"
        return self.proposed(
            target=scope.environment.arn("rds", f"{snapshots.kind}:{identifier}"),
            summary=f"Take snapshot {identifier} of {params.database}",
            before={"snapshot": "absent"},
            after={"snapshot": identifier},
            impact=_impact(params.database, place, forensics, uncopied, plain=plain),
            # its only lock is the target, not the instance: a failover must not wait for a snapshot
            takes_long=True,
            context={
                "identifier": identifier,
                "database": database,
                "cluster": place.cluster is not None,
                "incident": scope.incident,
                "shared": identifier if plain else f"{identifier}{_COPY}",
                "key": key,
                "account": forensics and forensics.account,
                "uncopied": uncopied,
            },
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        """Look whether the snapshot is there, and ours."""
        one = self._snapshots(plan).found(plan.context["identifier"])
        return {"snapshot": "absent" if one is None else _whose(one, plan.context)}

    def act(self, scope: Scope, plan: Plan) -> None:
        """Ask for the snapshot, once; RDS refuses a second of the same name, which the next attempt looks at.

        Raises `InvalidDBInstanceState`, retried, while the database is busy with something else.
        """
        context = plan.context
        self._snapshots(plan).take(context["database"], context["identifier"], _tags(context))

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether the snapshot is available, the first of a large database can take hours; then copy and share it.

        A repeat copies nothing that is there, and shares again with nobody. Failed when somebody else may restore the
        copy, or another one stands in its place, or AWS refuses it: that the snapshot is there is said all the same.
        """
        snapshots, name = self._snapshots(plan), plan.context["identifier"]
        taken = _seen(snapshots.found(name), name)
        if not taken.done:
            return taken
        if why := plan.context["uncopied"]:
            return taken.model_copy(update={"message": f"{taken.message}; not copied: {why}"})
        try:
            shared = self._shared(snapshots, plan)
        except Exception as error:
            kind = kind_of_refusal(error)
            if kind not in FINAL - {ErrorKind.EXPIRED_CREDENTIALS}:
                raise
            told = f"{taken.message}; it is NOT shared as it should be: {answered(error)}"
            raise ApplicationError(told, type=kind, non_retryable=True) from None
        if plan.context["shared"] == name:
            return shared
        return shared.model_copy(update={"message": f"{taken.message}; {shared.message}"})

    def _shared(self, snapshots: Snapshots, plan: Plan) -> Verification:
        context, name = plan.context, plan.context["shared"]
        copy, soon = snapshots.found(name), None
        if copy is None:
            snapshots.copy(context["identifier"], name, context["key"], _tags(context))
            copy = snapshots.found(name)
            soon = _SOON
        seen = _seen(copy, name).model_copy(update={"again": soon})
        if copy is None or not seen.done:
            return seen
        if _whose(copy, context) != name or copy.get("KmsKeyId") != context["key"]:
            return Verification(done=False, failed=True, message=f"{name} is another one than was asked for")
        account = context["account"]
        if account not in snapshots.shared_with(name):
            snapshots.share(name, account)
        if others := snapshots.shared_with(name) - {account}:
            message = f"{name} is shared with {', '.join(sorted(others))} too, which is not our doing: take that back"
            return Verification(done=False, failed=True, message=message)
        return Verification(done=True, message=f"{seen.message} and shared with account {account} alone")

    def _key(self, snapshots: Snapshots, forensics: Forensics | None, *, plain: bool) -> tuple[str | None, str]:
        """The ARN of the key to copy under, or None and why nothing is shared; what is `plain` takes no copy."""
        if forensics is None:
            return None, "the environment names no forensic account"
        if plain:
            return None, ""
        try:
            snapshots.refuse_full(wanted=2)
            return usable_key(self.clients, forensics.kms_key, "evidence.snapshots"), ""
        except RuleError as against:
            return None, str(against)

    def _snapshots(self, plan: Plan) -> Snapshots:
        return Snapshots(self.clients, cluster=plan.context["cluster"])


def _seen(one: dict[str, Any] | None, name: str) -> Verification:
    if one is None:
        return Verification(done=False, failed=True, message=f"snapshot {name} is gone: somebody deleted it")
    status = str(one["Status"])
    if status == AVAILABLE:
        encrypted = "encrypted" if one["Encrypted"] else "not encrypted"
        return Verification(done=True, message=f"snapshot {name} is available, {encrypted}")
    done = f"{one.get('PercentProgress', 0)} % done"
    return Verification(done=False, failed=status not in _COMING, message=f"snapshot {name} is {status}, {done}")


def _tags(context: State) -> State:
    return {_TAG: context["incident"], "purpose": "evidence"}


def _last(names: list[str], prefix: str) -> int:
    """The highest number in use, by a snapshot or by the copy of one that was deleted; 0 when there is none."""
    parted = [name.removesuffix(_COPY).rpartition("-") for name in names]
    return max(
        (int(number) for start, dash, number in parted if start + dash == prefix and number.isdecimal()), default=0
    )


def _prefix(incident: str, database: str, longest: int) -> str:
    """Begin the name as RDS takes it: letters, digits and single hyphens, a letter first; number and `-copy` follow."""
    plain = re.sub(r"[^a-z0-9]+", "-", f"ir-{incident}-{database}".lower()).strip("-")
    return f"{plain[: longest - 12].rstrip('-')}-"


def _whose(one: dict[str, Any], context: State) -> str:
    """The identifier when the snapshot is of our database and carries our incident; else what it is."""
    tags = {tag["Key"]: tag["Value"] for tag in one.get("TagList", [])}
    of, incident = one["Of"], tags.get(_TAG)
    if (of, incident) == (context["database"], context["incident"]):
        return str(one["Name"])
    return f"of {of}, tagged with {incident or 'no incident'}"


def _refuse_stuck(name: str, place: Described) -> None:
    """Refuse where RDS takes no snapshot before somebody does something (RDS API CreateDBSnapshot)."""
    for status in place.statuses:
        if standing(status) in (Standing.STOPPED, Standing.REPAIR, Standing.LOST):
            raise RuleError(
                f"{name} is {status}, and RDS takes no snapshot of it: {remedy(status)}. Its automated backups are kept"
            )


def _impact(name: str, place: Described, forensics: Forensics | None, uncopied: str, *, plain: bool) -> str:
    pause = (
        "It is taken from the standby, so nothing pauses."
        if place.has_standby
        else f"{name} is in one zone: its input and output pause, for seconds to some minutes."
    )
    status = place.worst_status
    busy = "" if status in _READY else f" RDS takes no snapshot while it is {status}: that is waited for."
    kept = f" It is NOT copied, and stays in this account, under the database's own key if any: {uncopied}."
    if forensics and plain:
        kept = (
            f" {name} is NOT encrypted, and RDS encrypts no copy of such a cluster's snapshot: it is shared as it "
            f"stands with account {forensics.account}, which may then restore it."
        )
    elif forensics and not uncopied:
        kept = (
            f" A copy under {forensics.kms_key} is shared with account {forensics.account}, which may then restore it."
        )
    return (
        f"{name} itself is not changed. {pause}{busy}{kept} The snapshot holds all of its data and costs storage. It "
        "cannot be undone: evidence stays until somebody deletes it by hand."
    )

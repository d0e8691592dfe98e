"""See that a database can be restored: its newest snapshot, in a place that nothing else is in, until it is undone."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field

from activities.action import ChangeAction, Logical, Params, RuleError, iam, needed
from activities.aws.database.database_state import Standing, standing
from activities.aws.database.rds_snapshots import Snapshots
from activities.aws.recovery.restored_copy import (
    ABSENT,
    RestoredCopy,
    misplaced,
    named,
    newest_snapshot,
    refuse_no_place,
    taken,
)
from activities.aws.recovery.row_counts import Counted, Unread, counted, may_count
from activities.aws.shared.error_codes import unless_denied
from activities.aws.shared.keys import usable_key
from activities.aws.shared.protection import refuse_protected
from activities.changes.intents import Intents
from activities.ledger.table import Table
from domain.config.approval import ApprovalClass
from domain.config.recovery import Recovery
from domain.model.calls import Scope
from domain.model.plan import Plan, State, Verification
from domain.values.durations import Duration, spoken
from domain.values.timestamps import short_time, stamp

_AVAILABLE = "available"
_NEVER = (Standing.STOPPED, Standing.REPAIR, Standing.LOST)


class RestoreTestParams(Params):
    """`database` is one of `recovery.sources`; at most `point` may be lost, and `time` pass until it can be read."""

    database: Annotated[str, Logical("recovery.sources")]
    point: Duration = Field(default=timedelta(hours=1), gt=timedelta(0))
    time: Duration = Field(default=timedelta(hours=4), gt=timedelta(0))


class RestoreTest(ChangeAction[RestoreTestParams]):
    """Restores the newest snapshot as `restore-test-<incident>-<database>`, has its rows counted, measures both.

    The state is `restored`: absent, the name while instance or copied snapshot of it are there and ours, or whose else
    they are. A snapshot that is shared, or not under the environment's key, is copied under that first; verifying goes
    on from there, which can take hours. Undone, instance and copy are deleted; nothing without our name and tags is.
    """

    name = "rds.restore_test"
    needs = ("recovery",)
    permissions = iam(
        "dynamodb:Query",
        "ec2:DescribeSecurityGroups",
        "kms:DescribeKey",
        "lambda:InvokeFunction",
        "rds:AddTagsToResource CopyDBSnapshot DeleteDBInstance DeleteDBSnapshot DescribeAccountAttributes",
        "rds:DescribeDBInstances DescribeDBSnapshots DescribeDBSubnetGroups DescribeOrderableDBInstanceOptions",
        "rds:RestoreDBInstanceFromDBSnapshot",
    )
    classes = (ApprovalClass.A2,)

    def plan(self, scope: Scope, params: RestoreTestParams) -> Plan:
        """Choose the snapshot. Raises `RuleError` where it cannot be restored, or a copy of before is still there.

        One that is older than the recovery point allows is told: it is restored all the same, and measured.
        """
        recovery = _place(scope)
        copy = self._copy(scope.incident, named(scope.incident, params.database))
        target = scope.environment.arn("rds", f"db:{copy.name}")
        refuse_protected(scope.environment, (copy.name, target))
        if (stands := copy.state()) != ABSENT:
            raise RuleError(f"{copy.name} is there already ({stands}): remove it first, by undoing the change it is of")
        key = usable_key(self.clients, recovery.kms_key, "recovery")
        source = recovery.source(params.database)
        snapshot = newest_snapshot(self.clients, source, scope.environment.account)
        own = source.account == scope.environment.account
        direct = own and snapshot.get("KmsKeyId") == key
        if not direct:
            Snapshots(self.clients, cluster=False).refuse_full(wanted=1)
            self._refuse_locked(snapshot, key)
        refuse_no_place(self.clients, recovery, snapshot)
        if scope.mode != "dry-run":  # a session that only reads may invoke nothing, and would tell nothing
            may_count(self.clients, recovery)
        return self.proposed(
            target=target,
            summary=f"Restore {snapshot['DBSnapshotIdentifier']} of {params.database} as {copy.name}",
            before={"restored": ABSENT},
            after={"restored": copy.name},
            impact=_impact(params, recovery, snapshot, late=taken(snapshot) < scope.declared_at - params.point),
            takes_long=True,
            context={
                "name": copy.name,
                "incident": scope.incident,
                "database": params.database,
                "snapshot": snapshot["DBSnapshotIdentifier" if own else "DBSnapshotArn"],
                "taken": stamp(taken(snapshot)),
                "copied": not direct,
                "key": key,
                "point": int(params.point.total_seconds()),
                "time": int(params.time.total_seconds()),
            },
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        return {"restored": self._of(plan).state()}

    def act(self, scope: Scope, plan: Plan) -> None:
        """Begin to copy or to restore, or delete the copy; each is asked for once, and found by its name afterwards."""
        copy = self._of(plan)
        refuse_protected(scope.environment, (copy.name, plan.target))
        if plan.after["restored"] == ABSENT:
            copy.delete()
        elif plan.context["copied"]:
            copy.copy(plan.context["snapshot"], plan.context["key"])
        else:
            copy.restore(plan.context["snapshot"], _place(scope))

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether it is restored and can be read, or is gone; restores what had to be copied once that is done.

        Failed where RDS cannot restore the snapshot, where its place is another, where its rows were not read or are
        none, and where a target is missed: the copy is there then, and is to be undone all the same.
        """
        copy = self._of(plan)
        instance, snapshot = copy.instance(), copy.snapshot()
        if plan.after["restored"] == ABSENT:
            left = [kind for kind, one in (("instance", instance), ("snapshot", snapshot)) if one is not None]
            told = f"{copy.name} is gone" if not left else f"{' and '.join(left)} {copy.name} still being deleted"
            return Verification(done=not left, message=told)
        recovery = _place(scope)
        if instance is None and plan.context["copied"]:
            if (waiting := _restored(copy, snapshot, recovery)) is not None:
                return waiting
            instance = copy.instance()
        if instance is None:
            return _gone(copy.name)
        status = str(instance["DBInstanceStatus"])
        if status != _AVAILABLE:
            lost = standing(status) in _NEVER
            told = f": {plan.context['snapshot']} cannot be restored so" if lost else ""
            return Verification(done=False, failed=lost, message=f"{copy.name} is {status}{told}")
        if wrong := misplaced(instance, recovery, plan.context["key"]):
            return Verification(done=False, failed=True, message=f"{copy.name} is {', '.join(wrong)}: remove it")
        return self._measured(scope, plan, instance)

    def _measured(self, scope: Scope, plan: Plan, instance: dict[str, Any]) -> Verification:
        context, endpoint = plan.context, instance["Endpoint"]
        asked = {"database": context["database"], "host": endpoint["Address"], "port": endpoint["Port"]}
        intents = Intents(Table(self.clients, scope.environment.ledger_table)).on(plan.target)
        begun = next(one.at for one in reversed(intents) if one.digest == plan.digest)
        try:
            found = counted(self.clients, _place(scope), asked)
        except Unread as unread:
            return Verification(done=False, failed=True, message=f"{context['name']} is restored, but {unread}")
        lost = found.lost(begun, datetime.fromisoformat(context["taken"]))
        took = max(found.counted_at - begun, timedelta(0))
        point, time = timedelta(seconds=context["point"]), timedelta(seconds=context["time"])
        wrong = lost > point or took > time or bool(found.empty)
        measured = (
            f"recovery point {spoken(lost)} (target {spoken(point)}{_missed(lost > point)}), "
            f"recovery time {spoken(took)} (target {spoken(time)}{_missed(took > time)})"
        )
        message = f"{context['snapshot']} is restored and read: {_rows(found)}; {measured}"
        return Verification(done=not wrong, failed=wrong, message=message)

    def _refuse_locked(self, snapshot: dict[str, Any], key: str) -> None:
        """Refuse a snapshot whose own key is not enabled: nothing can be copied from it (`kms:DescribeKey`).

        Where the role may not look at that key, what comes of the copy tells.
        """
        own = snapshot.get("KmsKeyId")
        if not own or own == key:
            return
        known = unless_denied(lambda: self.clients.client("kms").describe_key(KeyId=own)["KeyMetadata"])
        state = known.get("KeyState", "Enabled") if known else "Enabled"
        if state != "Enabled":
            name = snapshot["DBSnapshotIdentifier"]
            raise RuleError(f"{name} cannot be restored: its key {own} is {state}; enable it, or keep it from deletion")

    def _copy(self, incident: str, name: str) -> RestoredCopy:
        return RestoredCopy(self.clients, name, incident)

    def _of(self, plan: Plan) -> RestoredCopy:
        return self._copy(plan.context["incident"], plan.context["name"])


def _place(scope: Scope) -> Recovery:
    """Where it is restored. Raises `RuleError` for an environment without such a place, production above all."""
    if scope.environment.kind == "production":
        raise RuleError(f"{scope.environment.name} is production, and nothing is restored there to look at it")
    return needed(scope.environment.recovery, scope.environment, "recovery")


def _restored(copy: RestoredCopy, snapshot: dict[str, Any] | None, recovery: Recovery) -> Verification | None:
    """Restore from our own copy once it is there; what is waited for until then."""
    if snapshot is None:
        return _gone(copy.name)
    status = snapshot["Status"]
    if status == _AVAILABLE:
        copy.restore(copy.name, recovery)
        return None
    failed = status not in {"copying", "creating", "pending"}
    progress = f"snapshot {copy.name} is {status}, {snapshot.get('PercentProgress', 0)} % done"
    return Verification(done=False, failed=failed, message=progress)


def _gone(name: str) -> Verification:
    return Verification(done=False, failed=True, message=f"{name} is gone: somebody deleted it")


def _missed(missed: bool) -> str:
    return ", MISSED" if missed else ""


def _rows(found: Counted) -> str:
    newest = f", the newest of {short_time(found.newest)}" if found.newest else ", no table tells its newest"
    empty = f"; EMPTY: {', '.join(found.empty)}" if found.empty else ""
    return f"{found.rows} rows in {len(found.tables)} tables{newest}{empty}"


def _impact(params: RestoreTestParams, recovery: Recovery, snapshot: dict[str, Any], *, late: bool) -> str:
    old = (
        f" It is older than the recovery point of {spoken(params.point)} allows, which will be MISSED." if late else ""
    )
    return (
        f"{params.database} itself is not touched. A copy of its data as of {short_time(taken(snapshot))} stands in "
        f"subnet group {recovery.subnet_group} behind {recovery.security_group}, under {recovery.kms_key}, not "
        f"accessible from outside, and costs what a {recovery.instance_class} does, until this change is undone.{old}"
    )

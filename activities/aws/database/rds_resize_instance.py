"""Give a database another instance class."""

from typing import Any

from pydantic import Field

from activities.action import ChangeAction, Clients, DatabaseParams, RuleError, iam
from activities.aws.database.described_database import (
    AVAILABLE,
    described,
    found,
    misfits,
    offered,
    pending,
    refuse_busy,
    refuse_member,
)
from domain.config.approval import ApprovalClass
from domain.model.calls import Scope
from domain.model.plan import Plan, State, Verification

_CLASS = "DBInstanceClass"
_MEMBER = "resize a Multi-AZ DB cluster as one, and Aurora by a reader of the class that it then fails over to"
_MODIFYING = "modifying"


class ResizeParams(DatabaseParams):
    """`instance_class` is the class that it shall have, as `db.r6g.2xlarge`."""

    instance_class: str = Field(pattern=r"^db\.[a-z0-9-]+\.[a-z0-9-]+$")


class ResizeInstance(ChangeAction[ResizeParams]):
    """Sets the instance class at once, not in the next maintenance window.

    A class that was asked for since the plan and is still on its way reads as the instance's class; one that was
    pending before does not, unless the instance is being modified. Undoing it is a second outage.
    """

    name = "rds.resize_instance"
    permissions = iam("rds:DescribeDBClusters DescribeDBInstances DescribeOrderableDBInstanceOptions ModifyDBInstance")
    classes = (ApprovalClass.A3,)

    def plan(self, scope: Scope, params: ResizeParams) -> Plan:
        """Compare classes; raises `RuleError` for one that AWS does not offer here, or an instance that is busy."""
        instance = found(self.clients, scope.environment.databases[params.database]).instance
        refuse_member(instance, params.database, _MEMBER)
        refuse_busy(params.database, "modifies", instance["DBInstanceStatus"])
        current, wanted = instance[_CLASS], params.instance_class
        checked = current == wanted or _refuse_unorderable(self.clients, instance, wanted)
        return self.proposed(
            target=instance["DBInstanceArn"],
            summary=f"Resize {params.database} from {current} to {wanted}",
            before={"class": current},
            after={"class": wanted},
            impact=_impact(params.database, instance, checked=checked),
            context={
                "identifier": instance["DBInstanceIdentifier"],
                "pending": pending(instance),
                "pending_class": _pending_class(instance),
            },
        )

    def refuse_late(self, scope: Scope, plan: Plan) -> None:
        """What else came to be pending meanwhile would be applied with it at once, such as an upgrade of the engine."""
        instance = described(self.clients, plan.context["identifier"])
        if more := sorted(set(pending(instance)) - {*plan.context["pending"], _CLASS}):
            raise RuleError(
                f"{', '.join(more)} came to be pending since the plan, and would be applied with it at once: plan again"
            )

    def read(self, scope: Scope, plan: Plan) -> State:
        """Read the class, or the one that it is on its way to (`rds:DescribeDBInstances`)."""
        instance = described(self.clients, plan.context["identifier"])
        waiting = _pending_class(instance)
        on_its_way = waiting and (
            waiting != plan.context["pending_class"] or instance["DBInstanceStatus"] == _MODIFYING
        )
        return {"class": waiting if on_its_way else instance[_CLASS]}

    def act(self, scope: Scope, plan: Plan) -> None:
        """Set the class; it is absolute, so a second time changes nothing."""
        # else RDS would wait for the maintenance window, up to a week; whatever else is pending comes with it
        self.clients.once("rds").modify_db_instance(
            DBInstanceIdentifier=plan.context["identifier"], DBInstanceClass=plan.after["class"], ApplyImmediately=True
        )

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether the instance has the class and is available."""
        instance = described(self.clients, plan.context["identifier"])
        current, status = instance[_CLASS], instance["DBInstanceStatus"]
        done = current == plan.after["class"] and status == AVAILABLE and not _pending_class(instance)
        return Verification(done=done, message=f"{plan.context['identifier']} is {status} as {current}")


def _pending_class(instance: dict[str, Any]) -> str | None:
    waiting: str | None = instance.get("PendingModifiedValues", {}).get(_CLASS)
    return waiting


def _refuse_unorderable(clients: Clients, instance: dict[str, Any], wanted: str) -> bool:
    """Refuse a class that AWS does not offer for this engine and zone; False when it lists none at all."""
    options = offered(clients, instance, wanted)
    if options is None:
        return False
    if not options:
        raise RuleError(f"AWS does not offer {wanted} for {instance['Engine']} {instance['EngineVersion']} here")
    zones = {zone for name in ("AvailabilityZone", "SecondaryAvailabilityZone") if (zone := instance.get(name))}
    there = [one for one in options if zones <= ({zone["Name"] for zone in one.get("AvailabilityZones", [])} or zones)]
    if not there:
        raise RuleError(f"AWS does not offer {wanted} in {' and '.join(sorted(zones))}, where the instance is")
    if lacking := misfits(instance, there):
        raise RuleError(f"{wanted} does not go with what the instance has ({', '.join(lacking)}): choose another class")
    return True


def _impact(name: str, instance: dict[str, Any], *, checked: bool) -> str:
    away = (
        "away for one to two minutes while it fails over to its resized standby"
        if instance.get("MultiAZ")
        else "away for several minutes while it is resized: it has no standby"
    )
    sentences = [
        f"{name} is {away}, and every connection to it is cut.",
        "It helps where the processor or memory is the limit, not against a full connection pool or locks.",
        "Check that the class is not a smaller one. Undoing it is a second outage.",
    ]
    if waiting := ", ".join(pending(instance)):
        sentences.append(f"What else is pending is applied with it at once: {waiting}.")
    if not checked:
        sentences.append("AWS lists no classes for this engine, so whether it offers this one could not be checked.")
    return " ".join(sentences)

"""Whether drills and recovery tests have what they use: functions, and a place that lets nothing out."""

from typing import Any

from activities.action import RuleError, iam
from activities.aws.network.isolation_barriers import permissions
from activities.aws.recovery.restored_copy import newest_snapshot, refuse_no_place
from activities.preflight.check import Check, Room, Verdict, first_wrong, named, ok, unknown, wrong
from activities.preflight.places import each
from domain.config.environment import Environment
from domain.config.recovery import Recovery


def function(room: Room, name: str) -> Verdict:
    """A function is there and would run; whether its role may call it, IAM's simulator says (`roles`).

    `lambda:GetFunctionConfiguration`; one that is idle for long refuses the first call (Lambda guide, "Function
    states").
    """
    found = room.client("lambda").get_function_configuration(FunctionName=name)
    match found["State"]:
        case "Active":
            return ok("active")
        case "Failed":
            return wrong(f"it could not be set up ({found.get('StateReasonCode', 'no reason is given')}); mend that")
    return unknown(f"it is {found['State']}, and a call may be refused; call it once, and run preflight again")


def functions(environment: Environment) -> dict[str, str | None]:
    """The functions that the file names, by its keys."""
    recovery = environment.recovery
    faults = {f"faults.{fault}": name for fault, name in environment.faults.items()}
    return {**faults, "recovery.count_function": recovery.count_function if recovery else None}


def group(room: Room, one: str) -> Verdict:
    """What is behind the security group of copies reaches nothing but them (`ec2:DescribeSecurityGroups`)."""
    found = room.client("ec2").describe_security_groups(GroupIds=[one])["SecurityGroups"][0]
    out = [rule for rule in permissions(found["IpPermissionsEgress"]) if _leads(rule) != one]
    return first_wrong(
        "it lets nothing out",
        f"it lets copies reach {', '.join(map(_leads, out))}; take these egress rules away" if out else None,
    )


def _leads(rule: dict[str, Any]) -> str:
    """Where a permission of a single destination leads to."""
    names = {"IpRanges": "CidrIp", "Ipv6Ranges": "CidrIpv6", "PrefixListIds": "PrefixListId"}
    kind = next((kind for kind in names if kind in rule), "UserIdGroupPairs")
    return str(rule[kind][0].get(names.get(kind, "GroupId")))


def source(room: Room, one: tuple[Recovery, str]) -> Verdict:
    """A database's newest snapshot could be restored, as a plan would find.

    `rds:DescribeDBSnapshots`, and what `refuse_no_place` asks.
    """
    recovery, name = one
    try:
        snapshot = newest_snapshot(room.clients, recovery.source(name), room.environment.account)
        refuse_no_place(room.clients, recovery, snapshot)
    except RuleError as error:
        return wrong(f"{error}; mend that, or recovery in the file")
    return ok(f"{snapshot['DBSnapshotIdentifier']} could be restored")


def _sources(environment: Environment) -> dict[str, tuple[Recovery, str] | None]:
    recovery = environment.recovery
    return {f"recovery.sources.{name}": (recovery, name) for name in recovery.sources} if recovery else {}


CHECKS: tuple[Check[Any], ...] = (
    named("function", each(functions), function, iam("lambda:GetFunctionConfiguration")),
    named(
        "recovery group",
        each(lambda e: {"recovery.security_group": e.recovery.security_group if e.recovery else None}),
        group,
        iam("ec2:DescribeSecurityGroups"),
    ),
    named(
        "recovery source",
        each(_sources),
        source,
        iam(
            "ec2:DescribeSecurityGroups",
            "rds:DescribeAccountAttributes DescribeDBSnapshots DescribeDBSubnetGroups",
            "rds:DescribeOrderableDBInstanceOptions",
        ),
    ),
)

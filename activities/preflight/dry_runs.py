"""Whether EC2 and Lambda themselves would let a role act: a dry run decides as a call does, and does nothing.

It sees session policies too. Only for whoever may assume the roles. EC2 API, `DryRun`: DryRunOperation says yes,
UnauthorizedOperation no; Lambda API, `Invoke`: a function that may be invoked is answered 204, and not run.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from activities.aws.shared.error_codes import code_of
from activities.preflight.check import Check, Room, Verdict, named, ok, unknown, wrong
from domain.config.environment import Environment
from domain.values.ids import DIAGNOSE_QUEUE, REMEDIATE_QUEUE

_DOCUMENTATION = "198.51.100.0/24"
"""An address range that nobody has (RFC 5737)."""
_NO_FLOW_LOG = "fl-00000000000000000"
_LOGS, _NETWORK, _RECOVERY = (f"{REMEDIATE_QUEUE}-{shelf}" for shelf in ("observability", "network", "recovery"))
_LOOK = "look at the role's policy, its boundary and the session's policy"


class Call(NamedTuple):
    """An operation of EC2 that a role makes, with what it is asked."""

    role: str
    operation: str
    asked: dict[str, Any]


def calls(room: Room) -> dict[str, Call]:
    """What is tried, by role and operation."""
    return {f"{call.role} {call.operation}": call for call in _calls(room.environment)}


def _calls(environment: Environment) -> Iterator[Call]:
    for operation in ("describe_vpcs", "describe_flow_logs"):
        yield Call(DIAGNOSE_QUEUE, operation, {})
    for group in [*environment.security_groups.values()][:1]:
        rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": _DOCUMENTATION}]}
        for operation in ("authorize_security_group_ingress", "revoke_security_group_ingress"):
            yield Call(_NETWORK, operation, {"GroupId": group, "IpPermissions": [rule]})
    for acl in [*environment.network_acls.values()][:1]:
        entry = {"NetworkAclId": acl, "RuleNumber": 32000, "Egress": False}
        made = {"Protocol": "-1", "RuleAction": "deny", "CidrBlock": _DOCUMENTATION}
        yield Call(_NETWORK, "create_network_acl_entry", {**entry, **made})
        yield Call(_NETWORK, "delete_network_acl_entry", entry)
    for network, bucket in [*zip(environment.networks.values(), environment.buckets.values(), strict=False)][:1]:
        flows = {"ResourceType": "VPC", "ResourceIds": [network.vpc_id], "TrafficType": "ALL"}
        to = {"LogDestinationType": "s3", "LogDestination": environment.arn("s3", bucket)}
        yield Call(_LOGS, "create_flow_logs", {**flows, **to})
        yield Call(_LOGS, "delete_flow_logs", {"FlowLogIds": [_NO_FLOW_LOG]})


def dry_run(room: Room, call: Call) -> Verdict:
    """What EC2 says to a call that does nothing (`sts:AssumeRole`)."""
    client = room.under(call.role, "ec2")
    try:
        getattr(client, call.operation)(DryRun=True, **call.asked)
    except client.exceptions.ClientError as error:
        match code_of(error):
            case "DryRunOperation":
                return ok("EC2 would do it")
            case "UnauthorizedOperation":
                return wrong(f"EC2 would refuse it; {_LOOK}")
            case _:
                raise
    return unknown("EC2 answered a dry run with neither yes nor no; look by hand")


def invocations(room: Room) -> dict[str, tuple[str, str]]:
    """The functions that inject faults, and the one that counts what was restored, each with the role that calls it."""
    environment, recovery = room.environment, room.environment.recovery
    called = [(REMEDIATE_QUEUE, function) for function in environment.faults.values()]
    called += [(_RECOVERY, recovery.count_function)] if recovery else []
    return {f"{role} {function}": (role, function) for role, function in called}


def invocation(room: Room, one: tuple[str, str]) -> Verdict:
    """What Lambda says to a call that does nothing (`sts:AssumeRole`)."""
    role, function = one
    client = room.under(role, "lambda")
    try:
        client.invoke(FunctionName=function, InvocationType="DryRun")
    except client.exceptions.ClientError as error:
        if code_of(error) != "AccessDeniedException":  # that of a role that may not be assumed is AccessDenied
            raise
        return wrong(f"Lambda would refuse it; {_LOOK}")
    return ok("Lambda would run it")


ASSUMED: tuple[Check[Any], ...] = (
    Check("dry run", calls, dry_run, ("sts:AssumeRole",)),
    named("invocation", invocations, invocation, ("sts:AssumeRole",)),
)
"""What is asked under the roles themselves: only with `--assume`."""

"""Whether EC2 itself would let a role act: a dry run decides as a call does, session policies too, and does nothing.

Only for whoever may assume the roles. EC2 API, `DryRun`: DryRunOperation says yes, UnauthorizedOperation no.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from activities.aws.shared.error_codes import code_of
from activities.preflight.check import Check, Room, Verdict, ok, unknown, wrong
from domain.config.environment import Environment
from domain.values.ids import DIAGNOSE_QUEUE

_DOCUMENTATION = "198.51.100.0/24"
"""An address range that nobody has (RFC 5737)."""


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
            yield Call("remediate-network", operation, {"GroupId": group, "IpPermissions": [rule]})
    for acl in [*environment.network_acls.values()][:1]:
        entry = {"NetworkAclId": acl, "RuleNumber": 32000, "Egress": False}
        made = {"Protocol": "-1", "RuleAction": "deny", "CidrBlock": _DOCUMENTATION}
        yield Call("remediate-network", "create_network_acl_entry", {**entry, **made})
        yield Call("remediate-network", "delete_network_acl_entry", entry)


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
                return wrong("EC2 would refuse it; look at the role's policy, its boundary and the session's policy")
            case _:
                raise
    return unknown("EC2 answered a dry run with neither yes nor no; look by hand")


ASSUMED: tuple[Check[Any], ...] = (Check("dry run", calls, dry_run, ("sts:AssumeRole",)),)
"""What is asked under the roles themselves: only with `--assume`."""

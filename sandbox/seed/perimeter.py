"""What stands between the portal and the world: web ACLs with their address sets, security groups, network ACLs."""

from typing import Any

from sandbox.aws.ec2 import named_network_acl, named_security_group
from sandbox.runtime.aws_world import World
from sandbox.seed.network import CONTAINER_PORT, Network

_BLOCKED_LONG_AGO = {"IPV4": ["203.0.113.200/32", "203.0.113.224/29"], "IPV6": ["2001:db8:bad::/64"]}
"""What was blocked before, of documentation networks (RFC 5737, RFC 3849): it must still be there afterwards."""

_DATABASE_PORT = 5432


def perimeter(world: World, network: Network) -> None:
    """Create everything of it that the environment file names, around one network."""
    _security_groups(world, network)
    for acl in world.environment.network_acls.values():
        named_network_acl(world.environment.account, world.environment.region, acl, network.vpc, network.subnets)
    _firewalls(world)
    _nat_gateway(world, network)


def _security_groups(world: World, network: Network) -> None:
    """Groups for the tiers: the web may reach the frontend and backend on their port, both of them the database."""
    environment, ec2 = world.environment, world.client("ec2")
    named = environment.security_groups
    for name, group in named.items():
        named_security_group(environment.account, environment.region, group, name, network.vpc)
    tiers = [
        {"GroupId": group, "Description": f"from the {name}"} for name, group in named.items() if name != "database"
    ]
    for name, group in named.items():
        database = name == "database"
        port = _DATABASE_PORT if database else CONTAINER_PORT
        balancer = [{"GroupId": network.group, "Description": "from the load balancer"}]
        permission: dict[str, Any] = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
        peers = tiers if database and tiers else balancer
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[{**permission, "UserIdGroupPairs": peers}])
        if not database:
            inside = [{"CidrIp": "10.0.0.0/16", "Description": "metrics, from inside"}]
            metrics = {"IpProtocol": "tcp", "FromPort": 9090, "ToPort": 9090, "IpRanges": inside}
            ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[metrics])


def _firewalls(world: World) -> None:
    """Web ACLs before every load balancer, that block what their address sets hold, and log."""
    wafv2, logs = world.client("wafv2"), world.client("logs")
    environment = world.environment
    for acl in environment.web_acls.values():
        logs.create_log_group(logGroupName=acl.log_group)
        sets = [(acl.ip_set, "IPV4"), (acl.ip_set_v6, "IPV6")]
        arns = [_address_set(wafv2, name, version) for name, version in sets if name]
        made = wafv2.create_web_acl(
            Name=acl.name,
            Scope="REGIONAL",
            Description="The portal's web ACL",
            DefaultAction={"Allow": {}},
            Rules=[
                {
                    "Name": f"block-{number}",
                    "Priority": number,
                    "Statement": {"IPSetReferenceStatement": {"ARN": arn}},
                    "Action": {"Block": {}},
                    "VisibilityConfig": _visible(f"block-{number}"),
                }
                for number, arn in enumerate(arns)
            ],
            VisibilityConfig=_visible(acl.name),
        )["Summary"]
        wafv2.put_logging_configuration(
            LoggingConfiguration={
                "ResourceArn": made["ARN"],
                "LogDestinationConfigs": [environment.arn("logs", f"log-group:{acl.log_group}")],
            }
        )
        for balancer in environment.load_balancers.values():
            wafv2.associate_web_acl(WebACLArn=made["ARN"], ResourceArn=balancer.arn)


def _nat_gateway(world: World, network: Network) -> None:
    """The gateway through which tasks reach the world; its elastic address is ours and never blocked."""
    ec2 = world.client("ec2")
    allocation = ec2.allocate_address(Domain="vpc")
    ec2.create_nat_gateway(SubnetId=network.subnets[0], AllocationId=allocation["AllocationId"])


def _address_set(wafv2: Any, name: str, version: str) -> str:
    made = wafv2.create_ip_set(
        Name=name,
        Scope="REGIONAL",
        IPAddressVersion=version,
        Addresses=_BLOCKED_LONG_AGO[version],
        Description="Addresses that the portal does not serve",
    )
    return str(made["Summary"]["ARN"])


def _visible(name: str) -> dict[str, Any]:
    return {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": name}

"""The network of a sandbox's account: VPCs with flow logs, load balancers, their listeners and rules."""

from dataclasses import dataclass
from typing import Any

from moto.elbv2.models import ELBv2Backend

from domain.config.environment import LoadBalancer
from sandbox.aws import elbv2
from sandbox.aws.ec2 import named_vpc
from sandbox.runtime.aws_world import World
from sandbox.traffic import flow_log

CONTAINER_PORT = 8080


@dataclass(frozen=True)
class Network:
    """A VPC with two subnets and the security group of the tasks."""

    vpc: str
    subnets: list[str]
    group: str


def networks(world: World) -> list[Network]:
    """Create every network, its flow logs going to CloudWatch Logs; an unnamed one where the file names none."""
    names: list[tuple[str, str | None]] = [(name, one.vpc_id) for name, one in world.environment.networks.items()]
    return [_network(world, number, name, vpc_id) for number, (name, vpc_id) in enumerate(names or [("main", None)])]


def load_balancers(world: World, networks: list[Network]) -> None:
    """Create target groups, and load balancers whose rules bring requests to them."""
    environment, network = world.environment, networks[0]
    elb = elbv2.backend(environment.account, environment.region)
    named = dict.fromkeys(service.target_group_arn for service in environment.services.values())
    groups = [arn for arn in named if arn is not None]
    for arn in groups:
        elbv2.named_target_group(elb, arn, network.vpc, CONTAINER_PORT)
    for balancer in environment.load_balancers.values():
        _load_balancer(elb, balancer, network, groups)


def _network(world: World, number: int, name: str, vpc_id: str | None) -> Network:
    environment, ec2 = world.environment, world.client("ec2")
    vpc = named_vpc(environment.account, environment.region, vpc_id, f"10.{number}.0.0/16").id
    subnets = [
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.{number}.{zone}.0/24", AvailabilityZone=f"{environment.region}{'ab'[zone - 1]}"
        )["Subnet"]["SubnetId"]
        for zone in (1, 2)
    ]
    group = ec2.create_security_group(GroupName=f"{name}-tasks", Description="Tasks of the portal", VpcId=vpc)
    _flow_logs(world, ec2, vpc)
    return Network(vpc, subnets, group["GroupId"])


def _flow_logs(world: World, ec2: Any, vpc: str) -> None:
    world.client("logs").create_log_group(logGroupName=flow_log.log_group(vpc))
    ec2.create_flow_logs(
        ResourceType="VPC",
        ResourceIds=[vpc],
        TrafficType="ALL",
        LogGroupName=flow_log.log_group(vpc),
        DeliverLogsPermissionArn=world.environment.arn("iam", "role/vpc-flow-logs"),
    )


def _load_balancer(elb: ELBv2Backend, named: LoadBalancer, network: Network, groups: list[str]) -> None:
    """One listener; a rule a target group, the last one for every other path, and `/health` above them all."""
    made = elbv2.named_load_balancer(elb, named.arn, network.subnets, [network.group])
    listener = elbv2.named_listener(elb, named.listener_arn, made, groups[-1] if groups else None)
    if not groups:
        return
    health = f"{named.listener_arn.replace(':listener/', ':listener-rule/')}/0000000000000001"
    elbv2.named_rule(elb, health, listener, "/health", 1, groups[0])
    last = len(named.rule_arns) - 1
    for number, arn in enumerate(named.rule_arns):
        path = "/*" if number == last else f"/{'api' if number == 0 else f'part-{number}'}/*"
        elbv2.named_rule(elb, arn, listener, path, 10 * (number + 1), groups[min(number, len(groups) - 1)])

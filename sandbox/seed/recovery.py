"""Where an account restores snapshots to look at them, a network that nothing else is in, and its functions."""

import json

from sandbox.aws.ec2 import named_security_group
from sandbox.runtime.aws_world import World
from sandbox.seed.evidence_bucket import made_key

_EMPTY = b"PK\x05\x06" + bytes(18)
"""A zip file without content: what these functions do is the sandbox's own (`sandbox/aws/functions.py`)."""


def recovery(world: World) -> None:
    """Make it as the environment names it; nothing where it names none."""
    environment, place = world.environment, world.environment.recovery
    if place is None:
        return
    ec2 = world.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.99.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.99.{number}.0/24", AvailabilityZone=f"{environment.region}{zone}")[
            "Subnet"
        ]["SubnetId"]
        for number, zone in enumerate("ab")
    ]
    named_security_group(environment.account, environment.region, place.security_group, "recovery", vpc)
    world.client("rds").create_db_subnet_group(
        DBSubnetGroupName=place.subnet_group, DBSubnetGroupDescription="Restored copies", SubnetIds=subnets
    )
    everywhere = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    # EC2 makes a group with a rule that lets everything out (EC2 API CreateSecurityGroup)
    ec2.revoke_security_group_egress(GroupId=place.security_group, IpPermissions=[everywhere])
    made_key(world, place.kms_key)


def functions(world: World) -> None:
    """Make the functions that the environment names: for faults of drills, and to count what was restored."""
    environment = world.environment
    names = {*environment.faults.values(), *([environment.recovery.count_function] if environment.recovery else [])}
    if not names:
        return
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = world.client("iam").create_role(RoleName="functions", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    for name in sorted(names):
        world.client("lambda").create_function(
            FunctionName=name, Role=role, Runtime="python3.13", Handler="main.main", Code={"ZipFile": _EMPTY}
        )

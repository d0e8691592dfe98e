"""Where an account restores snapshots to look at them: a network that nothing else is in, and a key."""

from sandbox.aws.ec2 import named_security_group
from sandbox.runtime.aws_world import World
from sandbox.seed.evidence_bucket import made_key


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
    made_key(world, place.kms_key)

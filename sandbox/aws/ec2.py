"""Amazon EC2: a VPC under the id that an environment file names; moto makes ids up."""

from moto.ec2.models import ec2_backends, vpcs
from moto.ec2.models.vpcs import VPC
from moto.ec2.utils import random_vpc_id

from sandbox.aws.teach import teach


def named_vpc(account: str, region: str, vpc_id: str | None, cidr: str) -> VPC:
    """Create a VPC under this id, or under one made up. Not for two threads at once."""
    teach(vpcs, random_vpc_id=(lambda: vpc_id) if vpc_id else random_vpc_id)
    try:
        made: VPC = ec2_backends[account][region].create_vpc(cidr)
    finally:
        teach(vpcs, random_vpc_id=random_vpc_id)
    return made

"""Clients of moto in this process that tests share: reading the services' models is most of what making one takes."""

from functools import cache

import boto3

from activities.aws.shared.clients import AwsClients


@cache
def aws_clients(region: str) -> AwsClients:
    """The clients of a region, whichever moto is under way; they know no endpoint but AWS's own."""
    return AwsClients(boto3.Session("testing", "testing", region_name=region), region)

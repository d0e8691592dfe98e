"""AWS's partitions: which one a region is in, how ARNs begin there, and where what is global is kept."""

from typing import NamedTuple


class Partition(NamedTuple):
    """`home` is the region that keeps what belongs to no region, such as IAM, and records its events."""

    name: str
    home: str


_COMMERCIAL = Partition("aws", "us-east-1")
_BY_PREFIX = {
    "cn-": Partition("aws-cn", "cn-north-1"),
    "us-gov-": Partition("aws-us-gov", "us-gov-west-1"),
    "us-iso-": Partition("aws-iso", "us-iso-east-1"),
    "us-isob-": Partition("aws-iso-b", "us-isob-east-1"),
    "eu-isoe-": Partition("aws-iso-e", "eu-isoe-west-1"),
    "us-isof-": Partition("aws-iso-f", "us-isof-south-1"),
    "eusc-": Partition("aws-eusc", "eusc-de-east-1"),
}
"""As botocore's `partitions.json` and IAM's endpoints have them; a test holds them to it."""

_NO_REGION = frozenset({"iam", "s3", "sts"})
_NO_ACCOUNT = frozenset({"s3"})


def partition_of(region: str) -> Partition:
    """The partition of a region; a region that is unknown here is one of the commercial ones."""
    return next((found for prefix, found in _BY_PREFIX.items() if region.startswith(prefix)), _COMMERCIAL)


def arn(region: str, account: str, service: str, resource: str) -> str:
    """The ARN of a resource; those of S3 have neither region nor account, those of IAM and STS no region."""
    place = "" if service in _NO_REGION else region
    owner = "" if service in _NO_ACCOUNT else account
    return f"arn:{partition_of(region).name}:{service}:{place}:{owner}:{resource}"

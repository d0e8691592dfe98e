"""AWS's partitions: which one a region is in, how ARNs begin and hosts end there, where what is global is kept."""

from typing import NamedTuple


class Partition(NamedTuple):
    """`home` is the region that keeps what belongs to no region, such as IAM, and records its events.

    `suffix` is the domain under which AWS's endpoints are.
    """

    name: str
    home: str
    suffix: str


_COMMERCIAL = Partition("aws", "us-east-1", "amazonaws.com")
_BY_PREFIX = {
    "cn-": Partition("aws-cn", "cn-north-1", "amazonaws.com.cn"),
    "us-gov-": Partition("aws-us-gov", "us-gov-west-1", "amazonaws.com"),
    "us-iso-": Partition("aws-iso", "us-iso-east-1", "c2s.ic.gov"),
    "us-isob-": Partition("aws-iso-b", "us-isob-east-1", "sc2s.sgov.gov"),
    "eu-isoe-": Partition("aws-iso-e", "eu-isoe-west-1", "cloud.adc-e.uk"),
    "us-isof-": Partition("aws-iso-f", "us-isof-south-1", "csp.hci.ic.gov"),
    "eusc-": Partition("aws-eusc", "eusc-de-east-1", "amazonaws.eu"),
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

"""The partitions of AWS, as botocore knows them."""

import botocore.session
import pytest

from domain.values.aws_places import arn, partition_of

_LOADER = botocore.session.get_session().get_component("data_loader")
_PARTITIONS = _LOADER.load_data("partitions")["partitions"]
_ENDPOINTS = {one["partition"]: one["services"] for one in _LOADER.load_data("endpoints")["partitions"]}


@pytest.mark.parametrize("known", _PARTITIONS, ids=lambda known: known["id"])
def test_every_region_of_botocore_is_in_its_partition(known: dict[str, object]) -> None:
    """Regions of each partition are found in it, its hosts, and IAM's events where IAM itself is signed for."""
    name, regions, outputs = str(known["id"]), known["regions"], known["outputs"]
    assert isinstance(regions, dict)
    assert isinstance(outputs, dict)
    found = {partition_of(region) for region in regions if not region.endswith("-global")}
    assert {(one.name, one.suffix) for one in found} == {(name, outputs["dnsSuffix"])}
    endpoints = _ENDPOINTS.get(name, {}).get("iam", {}).get("endpoints", {})
    homes = {one["credentialScope"]["region"] for one in endpoints.values()} or set(regions)
    assert {one.home for one in found} <= homes


def test_an_arn_begins_as_its_partition_has_it() -> None:
    """Region and account stand where the service has them."""
    assert arn("cn-north-1", "123456789012", "rds", "db:one") == "arn:aws-cn:rds:cn-north-1:123456789012:db:one"
    assert arn("us-gov-west-1", "123456789012", "s3", "bucket/key") == "arn:aws-us-gov:s3:::bucket/key"
    assert arn("eu-west-1", "123456789012", "iam", "role/one") == "arn:aws:iam::123456789012:role/one"

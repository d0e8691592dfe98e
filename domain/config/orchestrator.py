"""What the orchestrator itself runs on, where nothing else tells: no change touches it."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import Annotated, Any

from pydantic import AfterValidator

from domain.config.names import Flaw, items, mapping
from domain.values.aws_places import partition_of
from domain.values.frozen import Frozen
from domain.values.placeholders import placeholders

_ARN = re.compile(r"arn:(?P<partition>[\w-]+):[a-z0-9-]+:(?P<region>[a-z0-9-]*):(?P<account>\d{12}|):\S+")
_EC2_ID = re.compile(r"[a-z]+-[0-9a-f]{8,17}")


def is_ec2_id(name: str) -> bool:
    """Whether it is an id of EC2's, such as `sg-0a1b2c3d`, which is nothing else's in the account."""
    return _EC2_ID.fullmatch(name) is not None


def _resource(value: str) -> str:
    if not is_ec2_id(value) and not _ARN.fullmatch(value):
        raise ValueError(f"{value!r} is neither an ARN nor an id of EC2's such as sg-0a1b2c3d: look its ARN up")
    return value


def _block(value: str) -> str:
    try:
        ip_network(value)
    except ValueError as error:
        raise ValueError(f"{value!r} is no address and no network: {error}") from None
    return value


class Orchestrator(Frozen):
    """What workers and Temporal run on: `resources` by ARN, those of EC2 by id too, and the `addresses` of both (CIDR).

    An ARN stands for all that is under it, that of an ECS cluster for its services; `*` in it for anything. The
    ledger's table, the evidence bucket, keys and roles need no naming here.
    """

    resources: tuple[Annotated[str, AfterValidator(_resource)], ...] = ()
    addresses: tuple[Annotated[str, AfterValidator(_block)], ...] = ()


def orchestrator_flaws(data: Mapping[str, Any]) -> Iterator[Flaw]:
    """What is named as the orchestrator's and is not here, and places for changes that are the orchestrator's."""
    named = items(mapping(data.get("orchestrator")).get("resources"))
    for index, resource in enumerate(named):
        if found := _ARN.fullmatch(str(resource)):
            yield from _elsewhere(("orchestrator", "resources", index), found, data)
    ours = {str(one).rpartition("/")[2] for one in named}
    for field in ("security_groups", "network_acls"):
        for name, one in mapping(data.get(field)).items():
            if one in ours:
                message = f"{one} is the orchestrator's own, which nothing changes; name the application's"
                yield Flaw((field, name), message)
    evidence, maintenance = mapping(data.get("evidence")), mapping(data.get("maintenance"))
    bucket = mapping(data.get("buckets")).get(str(maintenance.get("bucket")))
    if bucket is not None and bucket == evidence.get("bucket") and not any(placeholders(bucket)):
        message = f"{bucket} keeps the evidence, where no page is put; name another bucket"
        yield Flaw(("maintenance", "bucket"), message)


def _elsewhere(at: tuple[str | int, ...], found: re.Match[str], data: Mapping[str, Any]) -> Iterator[Flaw]:
    """An ARN of another place is of nothing that changes of this environment could touch: it is mistyped."""
    region, account = str(data.get("region")), data.get("account")
    if found["partition"] != (partition := partition_of(region).name):
        yield Flaw(at, f"{found[0]} is in partition {found['partition']}; {region} is in {partition}")
    elif found["region"] not in {"", region, partition_of(region).home}:
        yield Flaw(at, f"{found[0]} is in {found['region']}, and this environment in {region}")
    elif found["account"] not in {"", account}:
        yield Flaw(at, f"{found[0]} is of account {found['account']}, and this environment of {account}")

"""What the orchestrator runs on stands in the environment's file, and lint tells what cannot be."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from starters.files.organisation_folder import load_environment
from starters.files.problems import InvalidFile
from tests.organisations.folders import HARBOUR, written

GROUP, REGION = "sg-0a1b2c3d4e5f60999", load_environment(HARBOUR, "docks").region
ACCOUNT = load_environment(HARBOUR, "docks").account


def said(tmp_path: Path, **given: Any) -> list[str]:
    """What lint says of a file with these parts, by field."""
    folder = written(tmp_path, {})
    file = folder / "environments/docks.yaml"
    known = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.write_text(yaml.safe_dump({**known, **given}, sort_keys=False), encoding="utf-8")
    try:
        load_environment(folder, "docks")
    except InvalidFile as refused:
        return [str(one).removeprefix(f"{file}:").partition(": ")[2] for one in refused.problems]
    return []


def at(service: str, rest: str, region: str = REGION, account: str = ACCOUNT, partition: str = "aws") -> str:
    return f"arn:{partition}:{service}:{region}:{account}:{rest}"


@pytest.mark.parametrize(
    ("resource", "why"),
    [
        (GROUP, None),
        (at("ecs", "cluster/incident"), None),
        (at("iam", "user/deployer", region=""), None),
        (at("s3", "incident-files", region="", account=""), None),
        (at("wafv2", "global/ipset/workers/*", region="us-east-1"), None),
        ("incident", "'incident' is neither an ARN nor an id of EC2's"),
        (at("ecs", "cluster/incident", region="eu-west-9"), "is in eu-west-9, and this environment in"),
        (at("ecs", "cluster/incident", account="999988887777"), "is of account 999988887777, and this environment of"),
        (at("ecs", "cluster/incident", partition="aws-cn"), "is in partition aws-cn"),
    ],
)
def test_a_resource_is_one_of_here(tmp_path: Path, resource: str, why: str | None) -> None:
    """One of another place would protect nothing: it is mistyped."""
    told = said(tmp_path, orchestrator={"resources": [GROUP, resource]})
    assert len(told) == (why is not None)
    assert all(line.startswith("orchestrator.resources[1]: ") and str(why) in line for line in told)


@pytest.mark.parametrize(("address", "why"), [("10.1.0.0/16", None), ("2001:db8::7", None), ("temporal", "no address")])
def test_an_address_is_one(tmp_path: Path, address: str, why: str | None) -> None:
    told = said(tmp_path, orchestrator={"addresses": [address]})
    assert [("orchestrator.addresses[0]: " in line, str(why) in line) for line in told] == [(True, True)] * bool(why)


@pytest.mark.parametrize("named", [GROUP, at("ec2", f"security-group/{GROUP}")], ids=["id", "ARN"])
@pytest.mark.parametrize("part", ["security_groups", "network_acls"])
def test_what_changes_are_for_is_not_ours(tmp_path: Path, part: str, named: str) -> None:
    """A group that the application shares with the workers could not be restricted: it is told in peacetime."""
    given = {part: {"application": GROUP}, "orchestrator": {"resources": [named]}}
    assert said(tmp_path, **given) == [
        f"{part}.application: {GROUP} is the orchestrator's own, which nothing changes; name the application's"
    ]


def test_the_page_is_not_kept_in_the_vault(tmp_path: Path) -> None:
    """Nothing but evidence is put there."""
    vault = {"bucket": "vault", "kms_key": "alias/vault", "signing_key": "alias/heads"}
    balancer = at("elasticloadbalancing", "loadbalancer/app/docks/50dc")
    given = {
        "evidence": vault,
        "buckets": {"page": "vault"},
        "maintenance": {"load_balancer": "portal", "bucket": "page"},
        "load_balancers": {"portal": {"arn": balancer, "listener_arn": balancer}},
    }
    assert said(tmp_path, **given) == [
        "maintenance.bucket: vault keeps the evidence, where no page is put; name another bucket"
    ]


def test_whoever_names_nothing_is_as_before(tmp_path: Path) -> None:
    """An environment's file needs no such part."""
    assert said(tmp_path) == []

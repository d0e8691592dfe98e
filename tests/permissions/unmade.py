"""Rights that the plays of this folder do not come to use, each with when it is used."""

UNMADE: dict[tuple[str, str], str] = {
    ("diagnose-sensitive", "logs:StopQuery"): "a query is stopped only when its activity is cancelled",
    ("forensics", "s3:AbortMultipartUpload"): "only an upload of parts that was cut is given up",
    ("diagnose-sensitive", "kms:Decrypt"): "S3 asks it where a bucket is encrypted under a key of its own",
    ("ledger", "kms:Decrypt"): "S3 asks it where the bucket encrypts by itself under the key",
<<<<<<< HEAD
=======
    ("diagnose", "elasticloadbalancing:DescribeListeners"): "only of a blue/green one with a listener",
    ("diagnose", "elasticloadbalancing:DescribeRules"): "only of a service that ECS deploys blue/green",
    ("diagnose", "dynamodb:GetItem"): "only of our own rollbacks the outcome is looked up",
    ("remediate-database", "elasticloadbalancing:DescribeListeners"): "only of a blue/green one with a listener",
    ("remediate-database", "elasticloadbalancing:DescribeRules"): "only of a service that ECS deploys blue/green",
    ("remediate-ecs", "elasticloadbalancing:DescribeListeners"): "only of a blue/green one with a listener",
    ("remediate-ecs", "elasticloadbalancing:DescribeRules"): "only of a service that ECS deploys blue/green",
    ("remediate-ecs", "ecs:DescribeServiceDeployments"): "only a rollout that is in progress is looked at",
    ("remediate-ecs", "ecs:StopServiceDeployment"): "only a rollout that is in progress is stopped",
    ("remediate-identity", "cognito-idp:SetUserPoolMfaConfig"): "only where MFA is required of the whole pool",
    ("remediate-network", "ec2:DescribeNetworkInterfaces"): "only where something of ours is protected by its address",
    ("remediate-network", "wafv2:GetRuleGroup"): "only where the web ACL has rule groups",
    ("remediate-database", "ssm:GetParameterHistory"): _REDIRECTED,
    ("remediate-database", "rds:FailoverDBCluster"): _CLUSTERS,
    ("remediate-recovery", "rds:CopyDBSnapshot"): "only of a snapshot that is not under the environment's own key",
    ("remediate-recovery", "rds:DeleteDBSnapshot"): "only of a snapshot that had to be copied",
    ("remediate-network", "cloudfront:ListDistributionsByWebACLId"): "only of a web ACL that guards distributions",
    **{(role, "rds:DescribeDBClusters"): _CLUSTERS for role in _LOOKING},
    **{("forensics", f"rds:{name}"): _CLUSTERS for name in _OF_CLUSTERS.split()},
>>>>>>> 004e2e7 (The role of recovery tests is tried against every call)
}
"""By role and IAM action."""

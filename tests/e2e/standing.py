"""What stands in a sandbox's account, as AWS shows it: what changes set, and nothing that moves by itself."""

from collections.abc import Iterator
from typing import Any

from tests.e2e.house import House

_ACL = {"Scope": "REGIONAL"}


def standing(house: House) -> dict[str, Any]:
    """By kind, what an undo is to put back. Ids that AWS gives anew, and what moves by itself, are left out."""
    return {
        **_services(house),
        **_network(house),
        **_web_acls(house.aws("wafv2")),
        "databases": [_database(one) for one in house.aws("rds").describe_db_instances()["DBInstances"]],
        "listener rules": list(_rules(house.aws("elbv2"))),
        "page": _objects(house),
        "accounts": list(_accounts(house.aws("cognito-idp"))),
        "retention": {
            one["logGroupName"]: one.get("retentionInDays")
            for page in house.aws("logs").get_paginator("describe_log_groups").paginate()
            for one in page["logGroups"]
        },
        "mute rules": house.aws("cloudwatch").list_alarm_mute_rules().get("AlarmMuteRuleSummaries", []),
    }


def _services(house: House) -> dict[str, Any]:
    """Of a service that scales by itself the limits stand, and not the count."""
    ecs, scaling = house.aws("ecs"), house.aws("application-autoscaling")
    limits = {
        one["ResourceId"]: (one["MinCapacity"], one["MaxCapacity"], any(one.get("SuspendedState", {}).values()))
        for one in scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    }
    found = {}
    for cluster in ecs.list_clusters()["clusterArns"]:
        for arn in ecs.list_services(cluster=cluster)["serviceArns"]:
            (service,) = ecs.describe_services(cluster=cluster, services=[arn])["services"]
            name = arn.split(":", 5)[5]
            found[name] = (service["taskDefinition"], limits.get(name) or service["desiredCount"])
    return {"services": found, "scaling": limits}


def _network(house: House) -> dict[str, Any]:
    ec2, resolver = house.aws("ec2"), house.aws("route53resolver")
    groups = {
        one["GroupId"]: sorted(
            str((rule["IpProtocol"], rule.get("FromPort"), rule.get("CidrIpv4"), rule.get("ReferencedGroupInfo")))
            for rule in ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [one["GroupId"]]}])[
                "SecurityGroupRules"
            ]
        )
        for one in ec2.describe_security_groups()["SecurityGroups"]
    }
    acls = {one["NetworkAclId"]: sorted(map(str, one["Entries"])) for one in ec2.describe_network_acls()["NetworkAcls"]}
    return {
        "security groups": groups,
        "network ACLs": acls,
        "flow logs": sorted(one["FlowLogId"] for one in ec2.describe_flow_logs()["FlowLogs"]),
        "DNS firewall": resolver.list_firewall_rule_group_associations()["FirewallRuleGroupAssociations"],
    }


def _web_acls(waf: Any) -> dict[str, Any]:
    acls, logged = {}, waf.list_logging_configurations(**_ACL)["LoggingConfigurations"]
    for one in waf.list_web_acls(**_ACL)["WebACLs"]:
        acls[one["Name"]] = waf.get_web_acl(**_ACL, Name=one["Name"], Id=one["Id"])["WebACL"]["DefaultAction"]
    sets = {}
    for one in waf.list_ip_sets(**_ACL)["IPSets"]:
        sets[one["Name"]] = sorted(waf.get_ip_set(**_ACL, Name=one["Name"], Id=one["Id"])["IPSet"]["Addresses"])
    return {"web ACLs": acls, "address sets": sets, "web ACL logs": sorted(one["ResourceArn"] for one in logged)}


def _database(one: dict[str, Any]) -> tuple[Any, ...]:
    fields = ("DBInstanceIdentifier", "DBInstanceClass", "AvailabilityZone", "PerformanceInsightsEnabled")
    return tuple(one.get(field) for field in fields)


def _rules(elb: Any) -> Iterator[Any]:
    for balancer in elb.describe_load_balancers()["LoadBalancers"]:
        for one in elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]:
            rules = elb.describe_rules(ListenerArn=one["ListenerArn"])["Rules"]
            yield from ((rule["RuleArn"], rule["Actions"]) for rule in rules)


def _objects(house: House) -> list[str]:
    s3 = house.aws("s3")
    buckets = [one["Name"] for one in s3.list_buckets()["Buckets"] if "frontend" in one["Name"]]
    return [one["Key"] for name in buckets for one in s3.list_objects_v2(Bucket=name).get("Contents", [])]


def _accounts(cognito: Any) -> Iterator[Any]:
    for pool in cognito.list_user_pools(MaxResults=60)["UserPools"]:
        yield cognito.get_user_pool_mfa_config(UserPoolId=pool["Id"])["MfaConfiguration"]
        for one in cognito.list_users(UserPoolId=pool["Id"])["Users"]:
            found = cognito.admin_get_user(UserPoolId=pool["Id"], Username=one["Username"])
            yield one["Username"], found["Enabled"], found["UserStatus"], found.get("UserMFASettingList", [])

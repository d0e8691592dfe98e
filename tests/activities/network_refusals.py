"""What EC2, AWS WAF, Resolver and Elastic Load Balancing may refuse, and how the plans know."""

from collections.abc import Callable
from functools import partial
from typing import Any

from sandbox.aws import ec2 as sandbox_ec2
from tests.activities.breach_worlds import SET_V4, block, isolate, isolated
from tests.activities.change_worlds import ChangeWorld, maintenance
from tests.activities.refusals import PlanRefusals, Told, Undone
from tests.activities.scopes import scope
from tests.activities.security_worlds import restriction

_DESCRIBED = "the plan describes it first, and ends with AWS's own answer"
_AS_IT_STANDS = "all but the default action is written back as AWS gave it"
_STANDS_ALONE = "it may end at any time; the other barriers are put up without it, and that is told"
_FIXED = "a fixed response names no target group, and what stood there before named these"


def _full(world: ChangeWorld, acl: str) -> ChangeWorld:
    """So many ingress entries stand in a network ACL that there is no room."""
    sandbox_ec2.install()
    ec2 = world.clients.inner.client("ec2")
    found = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]["Entries"]
    for number in range(20 - sum(not one["Egress"] for one in found)):
        ec2.create_network_acl_entry(
            NetworkAclId=acl,
            Egress=False,
            Protocol="-1",
            RuleAction="allow",
            RuleNumber=200 + number,
            CidrBlock=f"10.{number}.0.0/16",
        )
    return world


def _full_isolation() -> ChangeWorld:
    world, _, estate = isolated()
    return _full(world, estate.acl)


def _full_restriction() -> ChangeWorld:
    world = restriction()
    return _full(world, next(iter(world.scope.environment.network_acls.values())))


def _crowded_firewall() -> ChangeWorld:
    world, _, estate = isolated()
    for number in range(5):
        estate.firewall(f"group-{number}", 200 + number)
    return world


def _renamed(make: Callable[[], ChangeWorld]) -> ChangeWorld:
    """The environment names a web ACL that is not there."""
    world = make()
    where = world.scope.environment.model_dump()
    where["web_acls"]["portal"]["name"] = "another"
    world.scope = scope(environment=type(world.scope.environment).model_validate(where))
    return world


def _full_set() -> ChangeWorld:
    """The address set holds as many networks as it may."""
    world = block()
    waf = world.clients.inner.client("wafv2")
    found = next(one for one in waf.list_ip_sets(Scope="REGIONAL")["IPSets"] if one["Name"] == SET_V4)
    place = {"Name": SET_V4, "Scope": "REGIONAL", "Id": found["Id"]}
    many = [f"{11 + number // 2500}.{number // 250 % 10}.{number % 250}.0/24" for number in range(10_000)]
    waf.update_ip_set(**place, Addresses=many, LockToken=waf.get_ip_set(**place)["LockToken"])
    return world


def _default_rule() -> ChangeWorld:
    """The rule that carries the application is its listener's default."""
    world = maintenance()
    balancer = world.scope.environment.load_balancers["portal"]
    rules = world.clients.inner.client("elbv2").describe_rules(ListenerArn=balancer.listener_arn)["Rules"]
    default = tuple(rule["RuleArn"] for rule in rules if rule["IsDefault"])
    there = {"load_balancers": {"portal": balancer.model_copy(update={"rule_arns": default})}}
    world.scope = scope(environment=world.scope.environment.model_copy(update=there))
    return world


def _crowd(world: ChangeWorld) -> None:
    """Somebody fills a security group with as many rules as it may have."""
    ec2 = world.clients.inner.client("ec2")
    group = next(iter(world.scope.environment.security_groups.values()))
    standing = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    free = 60 - sum("CidrIpv6" not in one and not one["IsEgress"] for one in standing["SecurityGroupRules"])
    ranges = [{"CidrIp": f"10.0.{number}.0/24"} for number in range(free)]
    permission = {"IpProtocol": "tcp", "FromPort": 8443, "ToPort": 8443, "IpRanges": ranges}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])


def _remove_group(world: ChangeWorld) -> None:
    world.clients.inner.client("ec2").delete_security_group(GroupId=world.scope.environment.security_groups["tasks"])


def _take_firewall(world: ChangeWorld) -> None:
    """Somebody takes our rule group of the DNS firewall off."""
    resolver, ours = _firewall(world)
    resolver.disassociate_firewall_rule_group(**ours)


def _protect_firewall(world: ChangeWorld) -> None:
    """Somebody protects our association from being removed."""
    resolver, ours = _firewall(world)
    resolver.update_firewall_rule_group_association(**ours, MutationProtection="ENABLED")


def _firewall(world: ChangeWorld) -> tuple[Any, dict[str, str]]:
    resolver, vpc = world.clients.inner.client("route53resolver"), world.scope.environment.networks["main"].vpc_id
    (ours,) = resolver.list_firewall_rule_group_associations(VpcId=vpc)["FirewallRuleGroupAssociations"]
    return resolver, {"FirewallRuleGroupAssociationId": ours["Id"]}


_OF_THE_RULE = (
    *("IncompatibleProtocols", "TargetGroupAssociationLimit", "TooManyRegistrationsForTargetId", "TooManyTargets"),
    *("TooManyUniqueTargetGroupsPerLoadBalancer", "UnsupportedProtocol"),
)

PLAN_REFUSALS: PlanRefusals = {
    ("*", "CreateNetworkAclEntry", "InvalidNetworkAclID.NotFound"): _DESCRIBED,
    ("network.isolate", "CreateNetworkAclEntry", "NetworkAclEntryLimitExceeded"): Told(_full_isolation, "it is full"),
    ("ec2.restrict_network", "CreateNetworkAclEntry", "NetworkAclEntryLimitExceeded"): _full_restriction,
    (
        "*",
        "RevokeSecurityGroupIngress",
        "InvalidGroup.NotFound",
    ): "the plan reads the group's rules before it names them",
    ("*", "DeleteNetworkAclEntry", "InvalidNetworkAclID.NotFound"): _DESCRIBED,
    ("network.isolate", "AuthorizeSecurityGroupIngress", "InvalidGroup.NotFound"): _DESCRIBED,
    ("network.isolate", "AuthorizeSecurityGroupIngress", "RulesPerSecurityGroupLimitExceeded"): Undone(isolate, _crowd),
    ("ec2.restrict_network", "AuthorizeSecurityGroupIngress", "InvalidGroup.NotFound"): Undone(
        restriction, _remove_group
    ),
    ("ec2.restrict_network", "AuthorizeSecurityGroupIngress", "RulesPerSecurityGroupLimitExceeded"): Undone(
        restriction, _crowd
    ),
    ("network.isolate", "DisassociateFirewallRuleGroup", "ResourceNotFoundException"): Undone(isolate, _take_firewall),
    ("network.isolate", "DisassociateFirewallRuleGroup", "ValidationException"): Undone(isolate, _protect_firewall),
    ("elbv2.maintenance_page", "CopyObject", "ObjectNotInActiveTierError"): (
        "the plan reads the page that is copied, which S3 refuses of one that is archived"
    ),
    ("elbv2.maintenance_page", "DeleteObject", "NoSuchBucket"): (
        "the undo's plan reads the page in its bucket first, and ends with AWS's own answer"
    ),
    ("network.isolate", "AssociateFirewallRuleGroup", "LimitExceededException"): Told(
        _crowded_firewall, "the DNS firewall is left as it is"
    ),
    ("network.isolate", "AssociateFirewallRuleGroup", "ResourceNotFoundException"): _STANDS_ALONE,
    (
        "network.isolate",
        "AssociateFirewallRuleGroup",
        "ValidationException",
    ): "the priority is one of those that are free",
    ("network.isolate", "UpdateWebACL", "WAFNonexistentItemException"): partial(_renamed, isolate),
    ("network.isolate", "UpdateWebACL", "WAFLimitsExceededException"): "no rule is added: the capacity stays as it is",
    **{
        ("network.isolate", "UpdateWebACL", f"WAF{code}Exception"): _AS_IT_STANDS
        for code in ("ConfigurationWarning", "InvalidOperation", "InvalidParameter", "InvalidResource")
    },
    **{
        ("network.isolate", "UpdateWebACL", f"WAF{code}Exception"): _STANDS_ALONE
        for code in ("ExpiredManagedRuleGroupVersion", "FeatureNotIncludedInPricingPlan", "SubscriptionNotFound")
    },
    ("wafv2.block_addresses", "UpdateIPSet", "WAFNonexistentItemException"): partial(_renamed, block),
    ("wafv2.block_addresses", "UpdateIPSet", "WAFLimitsExceededException"): _full_set,
    (
        "wafv2.block_addresses",
        "UpdateIPSet",
        "WAFInvalidOperationException",
    ): "an address set of ours may always be written",
    (
        "wafv2.block_addresses",
        "UpdateIPSet",
        "WAFInvalidParameterException",
    ): "addresses are normalised before they are planned",
    ("elbv2.maintenance_page", "ModifyRule", "OperationNotPermitted"): _default_rule,
    ("elbv2.maintenance_page", "ModifyRule", "RuleNotFound"): _DESCRIBED,
    ("elbv2.maintenance_page", "ModifyRule", "TargetGroupNotFound"): (
        "a group that no rule names any more can be deleted; an undo brings the other rules back, and tells which not"
    ),
    (
        "elbv2.maintenance_page",
        "ModifyRule",
        "InvalidLoadBalancerAction",
    ): "every application load balancer takes a fixed response",
    (
        "elbv2.maintenance_page",
        "ModifyRule",
        "TooManyActions",
    ): "there is one action, and back go those that stood there",
    **{("elbv2.maintenance_page", "ModifyRule", code): _FIXED for code in _OF_THE_RULE},
    (
        "elbv2.maintenance_page",
        "PutObject",
        "EncryptionTypeMismatch",
    ): "no encryption is asked for: the bucket's own is taken",
    ("elbv2.maintenance_page", "PutObject", "InvalidRequest"): "it is one plain object, with botocore's own checksum",
    ("elbv2.maintenance_page", "PutObject", "InvalidWriteOffset"): "nothing is appended to an object that is there",
    ("elbv2.maintenance_page", "PutObject", "TooManyParts"): "it is written at once and has no parts",
}

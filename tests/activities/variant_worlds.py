"""Further worlds of changes, for what they do only elsewhere: of clusters, of a whole pool, blue/green, at CloudFront.

What each role may do is held against these too, and what AWS may refuse there. The suites that lose answers, meddle and
crash at every write run in the first world of a change alone: the mechanism is the same, and time is short.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from activities.aws.network.wafv2_block_addresses import BlockAddresses
from domain.config.environment import Environment
from tests.activities.breach_worlds import ACL, ATTACKER_V4, SET_V4, VISIBLE, block, isolate, where
from tests.activities.catalogue_worlds import world_of
from tests.activities.change_worlds import ChangeWorld, maintenance, rollback
from tests.activities.database_worlds import PARAMETER, cluster_failover, promote, restart
from tests.activities.evidence_worlds import CLUSTER, cluster_snapshot, log, plain_cluster_snapshot, preserve
from tests.activities.fake_ecs import CLUSTER as SERVICES_CLUSTER
from tests.activities.fake_ecs import SERVICE, FakeTargets, revision
from tests.activities.fake_rds import CLUSTER as FAKE_CLUSTER
from tests.activities.fake_rds import WRITER
from tests.activities.preserving import INSIDE, PIECE
from tests.activities.recovery_worlds import restore
from tests.activities.renewal_worlds import own_parameters, renew
from tests.activities.scopes import BACKEND_TARGETS, environment, scope
from tests.activities.security_worlds import everybody
from tests.activities.test_digests import delivered
from tests.activities.world import WorldClients

GREEN = BACKEND_TARGETS.replace("axis-backend-tg", "axis-green-tg")
_PORTAL = environment().load_balancers["portal"]
_SHIFTS = (_PORTAL.rule_arns[0], _PORTAL.listener_arn)


class Distributions:
    """CloudFront, which alone knows what a web ACL of its own protects (API GetWebACLForResource says so)."""

    def __init__(self, count: int) -> None:
        self.count = count

    def list_distributions_by_web_acl_id(self, WebACLId: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        assert ":global/webacl/" in WebACLId
        listed = {"Marker": "", "MaxItems": 100, "IsTruncated": False, "Quantity": self.count}
        return {"DistributionList": listed}


def at_cloudfront(distributions: int = 1) -> ChangeWorld:
    """The web ACL guards distributions, and is with its set in CloudFront's home region."""
    world = block(ATTACKER_V4)
    clients = WorldClients(instead={"cloudfront": Distributions(distributions)})
    home = clients.inner.client("wafv2@us-east-1")
    made = home.create_ip_set(Name=SET_V4, Scope="CLOUDFRONT", IPAddressVersion="IPV4", Addresses=[])["Summary"]
    blocking = {
        "Name": "blocked",
        "Priority": 0,
        "Statement": {"IPSetReferenceStatement": {"ARN": made["ARN"]}},
        "Action": {"Block": {}},
        "VisibilityConfig": VISIBLE,
    }
    home.create_web_acl(
        Name=ACL, Scope="CLOUDFRONT", DefaultAction={"Allow": {}}, Rules=[blocking], VisibilityConfig=VISIBLE
    )
    acl = where().web_acls["portal"].model_dump() | {"scope": "CLOUDFRONT", "ip_set_v6": None}
    world.clients, world.change = clients, BlockAddresses(clients)
    world.scope = scope(environment=where(web_acls={"portal": acl}))
    world.snapshot = lambda: home.get_ip_set(Name=SET_V4, Scope="CLOUDFRONT", Id=made["Id"])["IPSet"]["Addresses"]
    return world


def with_another_set(make: Callable[[], ChangeWorld]) -> ChangeWorld:
    """A rule of the web ACL refers to an address set that the environment's file does not name."""
    world = make()
    waf = world.clients.inner.client("wafv2")
    made = waf.create_ip_set(Name="partners", Scope="REGIONAL", IPAddressVersion="IPV4", Addresses=["192.0.2.0/24"])
    _add_rule(
        waf,
        {
            "Name": "partners",
            "Priority": 0,
            "Statement": {"IPSetReferenceStatement": {"ARN": made["Summary"]["ARN"]}},
            "Action": {"Allow": {}},
            "VisibilityConfig": VISIBLE,
        },
    )
    return world


def _add_rule(waf: Any, rule: dict[str, Any]) -> None:
    """Add a rule; those that are there come one later."""
    (listed,) = waf.list_web_acls(Scope="REGIONAL")["WebACLs"]
    place = {"Name": listed["Name"], "Id": listed["Id"], "Scope": "REGIONAL"}
    found = waf.get_web_acl(**place)
    kept = {name: found["WebACL"][name] for name in ("DefaultAction", "Rules", "VisibilityConfig")}
    rules = [rule, *({**one, "Priority": one["Priority"] + 1} for one in kept["Rules"])]
    waf.update_web_acl(**place, **{**kept, "Rules": rules}, LockToken=found["LockToken"])


def with_rule_group() -> ChangeWorld:
    """A group of rules comes before the web ACL's own."""
    world = block()
    waf = world.clients.inner.client("wafv2")
    arn = waf.create_rule_group(Name="group", Scope="REGIONAL", Capacity=10, Rules=[], VisibilityConfig=VISIBLE)[
        "Summary"
    ]["ARN"]
    group = {
        "Name": "group",
        "Priority": 90,
        "Statement": {"RuleGroupReferenceStatement": {"ARN": arn}},
        "OverrideAction": {"None": {}},
        "VisibilityConfig": VISIBLE,
    }
    _add_rule(waf, group)
    return world


def beside_something_protected() -> ChangeWorld:
    """Something of ours is protected that is nowhere near."""
    world = isolate()
    shielded = world.scope.environment.model_dump() | {"protected": {"resources": ["sg-0protected0000000"]}}
    world.scope = scope(environment=Environment.model_validate(shielded))
    return world


def blue_green(make: Callable[[], ChangeWorld]) -> ChangeWorld:
    """ECS shifts the traffic of the service itself: behind an Application Load Balancer, and behind a Network one."""
    world = make()
    shifted = [{"alternateTargetGroupArn": GREEN, "productionListenerRule": one} for one in _SHIFTS]
    world.clients.instead["ecs"].balancers = [
        {"targetGroupArn": BACKEND_TARGETS, "advancedConfiguration": one} for one in shifted
    ]
    targets = world.clients.instead["elbv2"] = FakeTargets("healthy")
    targets.rule = {BACKEND_TARGETS: 100, GREEN: 0}
    return world


def under_way() -> ChangeWorld:
    """Somebody's rollout of another revision is in progress, and would land where we want to go."""
    world = rollback()
    ecs = world.clients.instead["ecs"]
    ecs.update_service(cluster=SERVICES_CLUSTER, service=SERVICE, taskDefinition=revision(6))
    return world


def many_versions(make: Callable[[], ChangeWorld]) -> ChangeWorld:
    """The parameter has as many versions as Parameter Store keeps."""
    world = make()
    ssm = world.clients.inner.client("ssm")
    now = ssm.get_parameter(Name=PARAMETER)["Parameter"]["Value"]
    for _ in range(99):
        ssm.put_parameter(Name=PARAMETER, Value=now, Overwrite=True)
    return world


def member_failover(*, named: bool) -> ChangeWorld:
    """The environment names a member as an instance, and its cluster beside or not at all."""
    world = cluster_failover()
    world.scope = scope(environment=of_member(WRITER, FAKE_CLUSTER if named else None))
    return world


def member_snapshot(*, named: bool) -> ChangeWorld:
    """The same for what preserves evidence."""
    world = cluster_snapshot()
    evidence = world.scope.environment.evidence
    asked = of_member(f"{CLUSTER}-instance-2", CLUSTER if named else None)
    world.scope = scope(environment=asked.model_copy(update={"evidence": evidence}))
    return world


def of_member(member: str, cluster: str | None) -> Environment:
    """An environment whose primary is named as an instance, and that names the cluster as another database or not."""
    databases: dict[str, Any] = {"primary": {"identifier": member, "max_connections": 100}}
    if cluster:
        databases["whole"] = {"identifier": cluster, "max_connections": 100, "cluster": True}
    return environment(databases=databases)


def large_and_signed() -> ChangeWorld:
    """Among the logs one is large, and the others CloudTrail has signed."""
    world = preserve()
    log("app/large", b"x" * (PIECE + 1), INSIDE)
    delivered()
    return world


VARIANT_WORLDS: dict[tuple[str, str], Callable[[], ChangeWorld]] = {
    ("app.restart", "blue/green"): partial(blue_green, restart),
    ("cognito.require_mfa", "the whole pool"): everybody,
    ("ecs.rollback_service", "a rollout in progress"): under_way,
    ("elbv2.maintenance_page", "a page of somebody's"): lambda: maintenance(b"theirs"),
    ("network.isolate", "another address set"): partial(with_another_set, isolate),
    ("network.isolate", "something protected"): beside_something_protected,
    ("rds.failover", "a cluster"): cluster_failover,
    ("rds.failover", "a member, and its cluster"): partial(member_failover, named=True),
    ("rds.failover", "a member alone"): partial(member_failover, named=False),
    ("rds.promote_replica", "blue/green"): partial(blue_green, promote),
    ("rds.promote_replica", "many versions"): partial(many_versions, promote),
    ("rds.renew_replica", "blue/green"): partial(blue_green, renew),
    ("rds.renew_replica", "many versions"): partial(many_versions, renew),
    ("rds.renew_replica", "parameters of its own"): partial(renew, tell=own_parameters),
    ("rds.restore_test", "a snapshot under another key"): partial(restore, under_own_key=False),
    ("rds.snapshot", "a cluster"): cluster_snapshot,
    ("rds.snapshot", "a cluster that is not encrypted"): plain_cluster_snapshot,
    ("rds.snapshot", "a member, and its cluster"): partial(member_snapshot, named=True),
    ("rds.snapshot", "a member alone"): partial(member_snapshot, named=False),
    ("s3.preserve_logs", "large and signed"): large_and_signed,
    ("wafv2.block_addresses", "CloudFront"): at_cloudfront,
    ("wafv2.block_addresses", "another address set"): partial(with_another_set, block),
    ("wafv2.block_addresses", "a rule group"): with_rule_group,
}
"""By change, and by what is else there than in its first world."""


def every_world_of(change: str) -> list[Callable[[], ChangeWorld]]:
    """What makes each world of a change, its first one before the further ones."""
    return [partial(world_of, change), *(make for (name, _), make in VARIANT_WORLDS.items() if name == change)]

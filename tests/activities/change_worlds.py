"""A small world for every change of the catalogue: where it stands, what it is asked, and who meddles with it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from activities.action import ChangeAction
from activities.aws.ecs.ecs_rollback_service import RollbackService
from activities.aws.ecs.ecs_scale_service import ScaleService
from activities.aws.network.elbv2_maintenance_page import MaintenancePage
from domain.model.calls import Scope
from sandbox.aws import autoscaling
from sandbox.aws import ecs as sandbox_ecs
from tests.activities.fake_ecs import CLUSTER, SERVICE, FakeEcs, FakeTargets, revision
from tests.activities.scopes import environment, scope
from tests.activities.world import WorldClients, create_ledger


@dataclass
class ChangeWorld:
    """`snapshot` is all that the change may touch; `settle` lets AWS finish; `meddle` is somebody else's write.

    Where AWS does not tell that a write went through (`tells`), it may be sent again, to no further effect. `waits` is
    how long another attempt lets news of the one before it come.
    """

    clients: WorldClients
    change: ChangeAction[Any]
    snapshot: Callable[[], Any]
    meddle: Callable[[], Any]
    settle: Callable[[], None] = lambda: None
    scope: Scope = field(default_factory=scope)
    params: dict[str, Any] = field(default_factory=dict)
    tells: bool = True
    waits: timedelta = timedelta()


Worlds = dict[str, tuple[Callable[[], ChangeWorld], int]]
"""By the change's name, what makes its world, and how many effects carrying it out has there: one a write."""
InOrder = dict[str, str]
"""Changes that write more than once and are not made of pieces: why a later write must not go without the earlier."""


def rollback() -> ChangeWorld:
    ecs = FakeEcs()
    clients = WorldClients({"ecs": ecs, "elbv2": FakeTargets("healthy", "healthy", "healthy", "draining")})
    create_ledger(clients)
    return ChangeWorld(
        clients=clients,
        change=RollbackService(clients),
        snapshot=lambda: ecs.primary,
        meddle=lambda: setattr(ecs, "primary", revision(7)),
        settle=ecs.settle,
        params={"service": "backend"},
    )


def ecs_at_once() -> None:
    """Let ECS and its autoscaling be the sandbox's, with rollouts that are complete when they are next looked at."""
    sandbox_ecs.install(timedelta(0))
    autoscaling.install()


def scale(running: int = 3, minimum: int | None = 2, maximum: int = 8, strategy: str = "REPLICA") -> ChangeWorld:
    ecs_at_once()
    clients = WorldClients()
    create_ledger(clients)
    ecs, scaling = clients.inner.client("ecs"), clients.inner.client("application-autoscaling")
    ecs.create_cluster(clusterName=CLUSTER)
    ecs.register_task_definition(family=SERVICE, containerDefinitions=[{"name": "app", "image": "app:1", "memory": 64}])
    made = {"cluster": CLUSTER, "serviceName": SERVICE, "taskDefinition": SERVICE, "schedulingStrategy": strategy}
    ecs.create_service(**made, desiredCount=running)
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{CLUSTER}/{SERVICE}",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    if minimum is not None:
        scaling.register_scalable_target(**target, MinCapacity=minimum, MaxCapacity=maximum)

    def snapshot() -> tuple[Any, ...]:
        """The count of a service that scales by itself is autoscaling's, and not the change's."""
        service = ecs.describe_services(cluster=CLUSTER, services=[SERVICE])["services"][0]
        targets = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
        limits = [(one["MinCapacity"], one["MaxCapacity"]) for one in targets]
        return limits or service["desiredCount"], service["taskDefinition"]

    return ChangeWorld(
        clients=clients,
        change=ScaleService(clients),
        snapshot=snapshot,
        meddle=lambda: scaling.register_scalable_target(**target, MinCapacity=3),
        params={"service": "backend", "count": 4},
    )


def maintenance(page: bytes | None = None, *, actions: Callable[[str, str], list[Any]] | None = None) -> ChangeWorld:
    """`page` is what the bucket holds already; `actions` makes a rule's actions of two target groups."""
    clients = WorldClients()
    create_ledger(clients)
    elb, ec2, s3 = (clients.inner.client(name) for name in ("elbv2", "ec2", "s3"))
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    balancer = elb.create_load_balancer(Name="axis-alb", Subnets=[subnet])["LoadBalancers"][0]["LoadBalancerArn"]
    one, two = (
        elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0]["TargetGroupArn"]
        for name in ("axis-backend-tg", "axis-frontend-tg")
    )
    forward = actions or (lambda one, _: [{"Type": "forward", "TargetGroupArn": one}])
    plain = [{"Type": "forward", "TargetGroupArn": two}]
    listener = elb.create_listener(LoadBalancerArn=balancer, Port=80, Protocol="HTTP", DefaultActions=plain)
    listener_arn = listener["Listeners"][0]["ListenerArn"]
    rules = [
        elb.create_rule(
            ListenerArn=listener_arn,
            Priority=priority,
            Conditions=[{"Field": "path-pattern", "Values": [path]}],
            Actions=made,
        )["Rules"][0]["RuleArn"]
        for priority, path, made in ((1, "/health", plain), (10, "/api/*", forward(one, two)), (20, "/*", plain))
    ]
    where = environment(
        load_balancers={"portal": {"arn": balancer, "listener_arn": listener_arn, "rule_arns": rules[1:]}}
    )
    bucket = where.buckets["maintenance"]
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": where.region})
    if page is not None:
        s3.put_object(Bucket=bucket, Key="maintenance.html", Body=page, ContentType="text/html")

    def snapshot() -> dict[str, Any]:
        found = s3.list_objects_v2(Bucket=bucket, Prefix="maintenance.html").get("Contents", [])
        stored = any(item["Key"] == "maintenance.html" for item in found)
        body = s3.get_object(Bucket=bucket, Key="maintenance.html")["Body"].read() if stored else None
        return {"page": body} | {
            rule["RuleArn"]: rule["Actions"] for rule in elb.describe_rules(ListenerArn=listener_arn)["Rules"]
        }

    return ChangeWorld(
        clients=clients,
        change=MaintenancePage(clients),
        snapshot=snapshot,
        meddle=lambda: elb.modify_rule(RuleArn=rules[2], Actions=[{"Type": "forward", "TargetGroupArn": one}]),
        scope=scope(environment=where),
    )


CHANGE_WORLDS: Worlds = {
    RollbackService.name: (rollback, 1),
    ScaleService.name: (scale, 1),
    MaintenancePage.name: (maintenance, 3),
}

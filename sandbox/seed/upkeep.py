"""What is looked after in a sandbox's account: the trail, certificates, backups, alarms, scaling, sign-in clients."""

from datetime import UTC, datetime, timedelta
from json import dumps
from typing import Any
from urllib.parse import urlsplit

from activities.permissions.statements import HEARTBEAT, heartbeat_alarm, heartbeat_namespace
from domain.config.environment import Environment
from sandbox.aws import acm, backup
from sandbox.runtime.aws_world import World

CERTIFICATE_LASTS = timedelta(days=395)
_BUCKET = "audit-logs"
_ENDS_IN = timedelta(days=214)
_NIGHTS = 3
_CRITICAL = "critical"
_SELECTORS = [{"ReadWriteType": "All", "IncludeManagementEvents": True}]
"""What AWS gives a trail that is made without any (CloudTrail API CreateTrail); moto gives it none."""
_WATCHED = {
    "AWS/ECS": ("cpu-high", "memory-high", "tasks-low"),
    "AWS/ApplicationELB": ("5xx", "response-time", f"{_CRITICAL}-unhealthy"),
    "AWS/RDS": ("cpu-high", "connections-high", f"{_CRITICAL}-storage-low"),
}
_SHOWN = {
    "AWS/ECS": "CPUUtilization",
    "AWS/ApplicationELB": "TargetResponseTime",
    "AWS/RDS": "DatabaseConnections",
}


def upkeep(world: World) -> None:
    """Create it all, each of it well."""
    _trails(world)
    for name, arn in world.environment.certificates.items():
        certificate(world.environment, name, arn, datetime.now(UTC) + _ENDS_IN, None)
    _backups(world)
    _alarms(world)
    _heartbeat(world)
    for name in world.environment.dashboards.values():
        _dashboard(world, name)
    for pool in world.environment.user_pools.values():
        world.client("cognito-idp").create_user_pool_client(UserPoolId=pool, ClientName="portal")
    _policies(world)


def certificate(environment: Environment, name: str, arn: str, ends: datetime, renewal: dict[str, Any] | None) -> None:
    """Put a certificate for a host of the environment's into ACM, in place of one that is there."""
    hosts = [host for check in environment.health.values() if (host := urlsplit(check.url).hostname)]
    domain = next((host for host in hosts if not host[0].isdigit()), f"{name}.example.com")
    began = min(ends - CERTIFICATE_LASTS, datetime.now(UTC) - timedelta(days=1))
    acm.named_certificate((environment.account, environment.region), arn, domain, (began, ends), renewal)


def alarms(environment: Environment) -> dict[str, list[str]]:
    """The names of the alarms by namespace."""
    services = [service.service for service in environment.services.values()]
    databases = [database.identifier for database in environment.databases.values()]
    watched = {"AWS/ECS": services, "AWS/ApplicationELB": services, "AWS/RDS": databases}
    return {
        namespace: [f"{one}-{sign}" for one in watched[namespace] for sign in signs]
        for namespace, signs in _WATCHED.items()
    }


def following(environment: Environment) -> list[str]:
    """The alarms that are not of the gravest kind."""
    return [name for names in alarms(environment).values() for name in names if _CRITICAL not in name]


def _trails(world: World) -> None:
    """One trail for all regions, which logs to the audit bucket."""
    environment, cloudtrail = world.environment, world.client("cloudtrail")
    for trail in environment.trails.values() if _BUCKET in environment.buckets else ():
        cloudtrail.create_trail(
            Name=trail,
            S3BucketName=environment.buckets[_BUCKET],
            IsMultiRegionTrail=True,
            IncludeGlobalServiceEvents=True,
            EnableLogFileValidation=True,
        )
        cloudtrail.put_event_selectors(TrailName=trail, EventSelectors=_SELECTORS)
        cloudtrail.start_logging(Name=trail)


def _backups(world: World) -> None:
    """A job for every primary each night, all completed."""
    environment, now = world.environment, datetime.now(UTC)
    for database in environment.databases.values():
        for night in range(1, _NIGHTS + 1) if database.replica_of is None else ():
            arn = environment.arn("rds", f"{'cluster' if database.cluster else 'db'}:{database.identifier}")
            backup.job(environment.account, environment.region, arn, now - timedelta(days=night))


def _alarms(world: World) -> None:
    environment, cloudwatch = world.environment, world.client("cloudwatch")
    topic = environment.arn("sns", "alarms")
    for namespace, names in alarms(environment).items():
        for name in names:
            cloudwatch.put_metric_alarm(
                AlarmName=name,
                Namespace=namespace,
                MetricName="CPUUtilization",
                ComparisonOperator="GreaterThanThreshold",
                EvaluationPeriods=3,
                Period=60,
                Threshold=80,
                Statistic="Average",
                AlarmActions=[topic],
            )
            cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="Threshold not crossed")


def _heartbeat(world: World) -> None:
    """The alarm of the stack, told to a confirmed mailbox; no worker beats here, its state is as if one did."""
    environment, sns, cloudwatch = world.environment, world.client("sns"), world.client("cloudwatch")
    topic = sns.create_topic(Name="heartbeat")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="on-call@example.com")
    name = heartbeat_alarm(environment)
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace=heartbeat_namespace(environment),
        MetricName=HEARTBEAT,
        ComparisonOperator="LessThanThreshold",
        EvaluationPeriods=5,
        Period=60,
        Threshold=1,
        Statistic="Sum",
        TreatMissingData="breaching",
        AlarmActions=[topic],
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="Threshold not crossed")


def _dashboard(world: World, name: str) -> None:
    """A graph of each of the kinds of things that are watched."""
    widgets = [
        {
            "type": "metric",
            "x": 8 * number,
            "y": 0,
            "width": 8,
            "height": 6,
            "properties": {"title": namespace, "region": world.environment.region, "metrics": [[namespace, metric]]},
        }
        for number, (namespace, metric) in enumerate(_SHOWN.items())
    ]
    world.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=dumps({"widgets": widgets}))


def _policies(world: World) -> None:
    """Every service follows its requests, or its load where no load balancer counts them, as target tracking does."""
    scaling = world.client("application-autoscaling")
    for service in world.environment.services.values():
        followed = "ALBRequestCountPerTarget" if service.target_group_arn else "ECSServiceAverageCPUUtilization"
        scaling.put_scaling_policy(
            PolicyName="requests-per-target",
            PolicyType="TargetTrackingScaling",
            ServiceNamespace="ecs",
            ResourceId=f"service/{service.cluster}/{service.service}",
            ScalableDimension="ecs:service:DesiredCount",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": 1000,
                "PredefinedMetricSpecification": {"PredefinedMetricType": followed},
            },
        )

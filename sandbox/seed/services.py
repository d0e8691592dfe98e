"""The services of a sandbox's account: clusters, task definitions, and a history of deployments that went well."""

from datetime import timedelta
from typing import Any

from domain.config.environment import Service
from sandbox.aws import logs_insights
from sandbox.aws.rollout import LOCK, moment
from sandbox.runtime.aws_world import DESIRED_TASKS, World
from sandbox.seed.network import CONTAINER_PORT, Network

_DEPLOYED_DAYS_AGO = (60, 21, 6)
_TOOK = timedelta(minutes=3)
_FEWEST, _MOST = 2, 8
_KEPT_DAYS = 90
_STORED_BYTES = 40 * 1024**3
"""What the first service has logged in that time: too much to be read line by line."""


def services(world: World, network: Network) -> None:
    """Create every service, running the last of three revisions; the earlier two were deployed and went well."""
    ecs, logs, scaling = world.client("ecs"), world.client("logs"), world.client("application-autoscaling")
    named = world.environment.services.values()
    for cluster in dict.fromkeys(service.cluster for service in named):
        ecs.create_cluster(clusterName=cluster)
    for log_group in dict.fromkeys(service.log_group for service in named):
        logs.create_log_group(logGroupName=log_group)
        logs.put_retention_policy(logGroupName=log_group, retentionInDays=_KEPT_DAYS)
    for first in list(named)[:1]:
        logs_insights.has_past(world.environment.account, world.environment.region, first.log_group, _STORED_BYTES)
    for service in named:
        revisions = [register(world, service, f"1.{number}.0") for number in range(1, len(_DEPLOYED_DAYS_AGO) + 1)]
        _create(ecs, service, network)
        _remember(world, service, revisions)
        scaling.register_scalable_target(
            ServiceNamespace="ecs",
            ResourceId=f"service/{service.cluster}/{service.service}",
            ScalableDimension="ecs:service:DesiredCount",
            MinCapacity=_FEWEST,
            MaxCapacity=_MOST,
        )


def register(world: World, service: Service, tag: str) -> str:
    """Register the next revision of a service's family with this image tag, and return its ARN."""
    environment = world.environment
    made = world.client("ecs").register_task_definition(
        family=service.family,
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="1024",
        memory="2048",
        containerDefinitions=[
            {
                "name": "app",
                "image": f"{environment.account}.dkr.ecr.{environment.region}.amazonaws.com/{service.family}:{tag}",
                "essential": True,
                "portMappings": [{"containerPort": CONTAINER_PORT}],
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {
                        "awslogs-group": service.log_group,
                        "awslogs-region": environment.region,
                        "awslogs-stream-prefix": "app",
                    },
                },
            }
        ],
    )
    return str(made["taskDefinition"]["taskDefinitionArn"])


def _create(ecs: Any, service: Service, network: Network) -> None:
    ecs.create_service(
        cluster=service.cluster,
        serviceName=service.service,
        taskDefinition=service.family,
        desiredCount=DESIRED_TASKS,
        launchType="FARGATE",
        loadBalancers=[
            {"targetGroupArn": arn, "containerName": "app", "containerPort": CONTAINER_PORT}
            for arn in (service.target_group_arn,)
            if arn is not None
        ],
        networkConfiguration={
            "awsvpcConfiguration": {"subnets": network.subnets, "securityGroups": [network.group]},
        },
    )


def _remember(world: World, service: Service, revisions: list[str]) -> None:
    """Give a service the past that its account would have, in place of the deployment that created it."""
    with LOCK:
        record = world.rollouts(service)
        record.deployments.clear()
        record.service.events.clear()
        for revision, days in zip(revisions, _DEPLOYED_DAYS_AGO, strict=True):
            began = moment() - timedelta(days=days)
            record.deployed(revision, began, began + _TOOK)

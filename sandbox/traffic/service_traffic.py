"""The services' normal traffic: CPU, requests, response times, traces, and sign-ins at the user pools."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from json import dumps
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.cognitoidp.models import cognitoidp_backends

from domain.config.environment import Service
from sandbox.aws.rollout import LOCK, Rollouts
from sandbox.runtime.aws_world import World

FAILING = "sign_ins_fail"
"""A moto user pool with this attribute set lets nobody sign in."""

_PER_CALL = 500
_REQUESTS = 600.0
_SPREAD = (0.7, 0.9, 1.0, 1.2, 1.6)
_HEALTHY_SECONDS = 0.08
_MEMORY = 46.0
_Datum = tuple[str, dict[str, Any]]


def write_minutes(world: World, moments: Iterable[datetime]) -> None:
    """Write these minutes for the services as they are now (CloudWatch `PutMetricData`, X-Ray `PutTraceSegments`)."""
    data: dict[str, list[dict[str, Any]]] = {}
    segments: list[str] = []
    for at in moments:
        for service in world.environment.services.values():
            record = world.rollouts(service)
            for namespace, datum in _metrics(world, service, record, at):
                data.setdefault(namespace, []).append(datum)
            segments += _traces(service, record, at)
        data.setdefault("AWS/Cognito", []).extend(_sign_ins(world, at))
    cloudwatch, xray = world.client("cloudwatch"), world.client("xray")
    for namespace, found in data.items():
        for start in range(0, len(found), _PER_CALL):
            cloudwatch.put_metric_data(Namespace=namespace, MetricData=found[start : start + _PER_CALL])
    if segments:
        xray.put_trace_segments(TraceSegmentDocuments=segments)


def forget(world: World, since: datetime, *namespaces: str) -> None:
    """Remove these namespaces' metrics since a given time, for a fault to write that time anew."""
    environment = world.environment
    backend = cloudwatch_backends[environment.account][environment.region]
    backend.metric_data = [
        one for one in backend.metric_data if one.namespace not in namespaces or _aware(one.timestamp) < since
    ]


def cpu(record: Rollouts) -> float:
    """The average CPU utilisation of a service's tasks, in percent."""
    with LOCK:
        return min(99.0, round(100 * record.load / max(record.running, 1), 1))


def _seconds(record: Rollouts) -> float:
    """The response time: constant up to 70 % CPU, then growing ever faster."""
    busy: float = max(cpu(record) - 70, 0) / 4
    return float(_HEALTHY_SECONDS * (1 + busy**1.7))


def _failing(record: Rollouts) -> float:
    if record.running == 0:
        return 1.0
    if not record.healthy():
        return 0.6
    return 0.02 if cpu(record) >= 95 else 0.0


def _metrics(world: World, service: Service, record: Rollouts, at: datetime) -> Iterator[_Datum]:
    tasks = {"ClusterName": service.cluster, "ServiceName": service.service}
    yield "AWS/ECS", _datum("CPUUtilization", tasks, at, "Percent", cpu(record))
    yield "AWS/ECS", _datum("MemoryUtilization", tasks, at, "Percent", _MEMORY)
    for balancer in world.environment.load_balancers.values() if service.target_group_arn else ():
        load_balancer = {"LoadBalancer": balancer.arn.split(":loadbalancer/")[-1]}
        both = load_balancer | {"TargetGroup": str(service.target_group_arn).rsplit(":", 1)[-1]}
        failed = round(_REQUESTS * _failing(record))
        answers = [round(_seconds(record) * part, 4) for part in _SPREAD]
        # nothing is reported where a count is zero (ELB user guide, "CloudWatch metrics for your Application Load
        # Balancer", reporting criteria), and without a target the load balancer itself answers
        if record.running:
            yield "AWS/ApplicationELB", _datum("RequestCount", both, at, "Count", _REQUESTS)
            yield "AWS/ApplicationELB", _datum("TargetResponseTime", both, at, "Seconds", *answers)
        if failed:
            name, place = ("Target", both) if record.running else ("ELB", load_balancer)
            yield "AWS/ApplicationELB", _datum(f"HTTPCode_{name}_5XX_Count", place, at, "Count", float(failed))


def _datum(name: str, dimensions: dict[str, str], at: datetime, unit: str, *values: float) -> dict[str, Any]:
    return {
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        "Timestamp": at,
        "Values": list(values),
        "Unit": unit,
    }


def _sign_ins(world: World, at: datetime) -> Iterator[dict[str, Any]]:
    """One sign-in a minute at each client of each user pool; Cognito counts 1 for a success, 0 for a failure."""
    environment = world.environment
    pools = cognitoidp_backends[environment.account][environment.region].user_pools if environment.user_pools else {}
    for pool in environment.user_pools.values():
        good = 0.0 if vars(pools[pool]).get(FAILING) else 1.0
        for client in pools[pool].clients:
            yield _datum("SignInSuccesses", {"UserPool": pool, "UserPoolClient": client}, at, "Count", good)


def _traces(service: Service, record: Rollouts, at: datetime) -> Iterator[str]:
    """Two traced requests a minute; for a failing service, one of them failed."""
    for number in range(2):
        unique = sha256(f"{service.service} {at.isoformat()} {number}".encode()).hexdigest()
        began = (at - timedelta(seconds=20 + number)).timestamp()
        segment = {
            "name": service.service,
            "id": unique[:16],
            "trace_id": f"1-{int(began):08x}-{unique[16:40]}",
            "start_time": began,
            "end_time": began + _seconds(record),
        }
        yield dumps(segment | ({"fault": True} if number and _failing(record) > 0.5 else {}))


def _aware(moment: datetime) -> datetime:
    """Moto stores naive UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

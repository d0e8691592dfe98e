"""Too few tasks for the load, while autoscaling follows the wrong metric and removes every task that is added."""

from datetime import datetime, timedelta

from domain.config.environment import Service
from sandbox.aws.autoscaling import record_activity, scale_in, target_of
from sandbox.aws.rollout import LOCK, moment
from sandbox.runtime.aws_world import FaultError, World
from sandbox.traffic import background, service_traffic

_SINCE = timedelta(minutes=20)
_LOAD = 2.4
_SLOW = "WARN request done: HTTP 200 on GET /api/studies in {0} ms"


def starve(world: World) -> str:
    """Scale the service in to its minimum, as each task serves few requests, although the CPUs are full.

    Autoscaling keeps doing so: a count above the minimum does not last.
    """
    service = _service(world)
    with LOCK:
        record = world.rollouts(service)
        target = target_of(record)
        if target is None:
            raise FaultError(f"{service.service} has no autoscaling")
        now = moment()
        began = now - _SINCE
        fewest = int(target.min_capacity or 1)
        record.load = _LOAD
        record.service.desired_count = record.running = fewest
        record.scaled_at = None
        record.add_event(f"has changed its desired count to {fewest}.", began)
        if scale_in not in record.scalers:  # the fault may be repeated
            record.scalers.append(scale_in)
        record_activity(target, began, fewest)
        record_activity(target, now - timedelta(minutes=6), fewest, "AlreadyAtMinCapacity")
    _write_signs(world, service, began, now)
    return (
        f"{service.service} runs {fewest} tasks at {service_traffic.cpu(record):.0f} % CPU; "
        "autoscaling counts requests, takes it for idle, and scales it in to its minimum whenever it has more"
    )


def _write_signs(world: World, service: Service, began: datetime, now: datetime) -> None:
    service_traffic.forget(world, began, "AWS/ECS", "AWS/ApplicationELB")
    moments = [now - timedelta(minutes=number) for number in range(int(_SINCE / timedelta(minutes=1)), -1, -1)]
    service_traffic.write_minutes(world, moments)
    background.write_log(world, service, [(at, _SLOW.format(2400 + 37 * (at.minute % 20))) for at in moments])


def _service(world: World) -> Service:
    services = world.environment.services
    if not services:
        raise FaultError(f"environment {world.environment.name!r} names no service to overload")
    return services.get("backend", next(iter(services.values())))

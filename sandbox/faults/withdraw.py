"""What drills inject, taken back: whatever people have mended of it by then, the account is well afterwards.

What an attack has left in logs stays there, as it would anywhere.
"""

from datetime import UTC, datetime

from sandbox.aws.autoscaling import scale_in
from sandbox.aws.rollout import LOCK, Rollouts, set_defect
from sandbox.runtime.aws_world import World
from sandbox.seed.databases import database_states
from sandbox.traffic import database_traffic, service_traffic


def withdraw(world: World) -> str:
    """Mend revisions that serve, free the databases, and let the load be the usual."""
    with LOCK:
        for service in world.environment.services.values():
            record = world.rollouts(service)
            record.load = Rollouts(record.service).load
            if scale_in in record.scalers:
                record.scalers.remove(scale_in)
            if record.live is not None:
                set_defect(world.ecs.describe_task_definition(record.live.task_definition), None)
        for state in database_states(world).values():
            state.exhausted_at = state.unreached_at = None
    now = [datetime.now(UTC)]
    database_traffic.write_minutes(world, now)
    service_traffic.write_minutes(world, now)
    return "what was injected is withdrawn"

"""Everything that the sandbox teaches moto, put in at one place."""

from datetime import timedelta

from sandbox.aws import cloudwatch, ecs, elbv2, messages, rds, support
from sandbox.outbox import Outbox


def install(outbox: Outbox, pace: timedelta = timedelta(seconds=1)) -> None:
    """Extend moto in this process. `pace` is how long a rollout takes; what is sent goes to `outbox`."""
    ecs.install(pace)
    elbv2.install()
    cloudwatch.install()
    rds.install()
    support.install()
    messages.install(outbox)

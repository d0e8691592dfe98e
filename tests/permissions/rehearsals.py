"""What a rehearsed promotion leaves to be put back, by a role that may do so nowhere else."""

from functools import cache

from activities.permissions.dependents import with_dependents
from activities.permissions.roles import RECOVERY, permissions_of
from domain.config.environment import Environment
from domain.config.recovery import COPIES

REHEARSED = (
    "ec2:security-group",
    "ec2:security-group-rule",
    "ecs:service",
    "rds:db",
    "rds:snapshot",
    "servicequotas:quota",
    "ssm:parameter",
)
"""What a rehearsal of a promotion leaves to be put back."""


@cache
def _places(environment: str) -> frozenset[str]:
    there = Environment.model_validate_json(environment)
    databases, endpoints = there.databases, there.database_endpoints.values()
    if not (there.recovery and there.replicas and endpoints):
        return frozenset()
    services = [there.services[one.service] for one in endpoints]
    return frozenset(
        there.arn(service, name)
        for service, names in {
            "ec2": [
                *(f"security-group/{one}" for one in there.security_groups.values()),
                "security-group-rule/sgr-0f1e",
            ],
            "ecs": [f"service/{one.cluster}/{one.service}" for one in services],
            "servicequotas": ["vpc/L-0EA8095F"],
            "rds": [f"db:{databases[name].identifier}" for pair in there.replicas.items() for name in pair],
            "ssm": [f"parameter/{one.parameter.lstrip('/')}" for one in endpoints],
        }.items()
        for name in names
    )


def rehearsed(action: str, kind: str, arn: str, environment: Environment) -> str | None:
    """What belongs to a rehearsal of a promotion, where one can be, if putting it back asks for this."""
    if kind not in REHEARSED or not environment.databases or action not in with_dependents(permissions_of(RECOVERY)):
        return None
    there = arn in _places(environment.model_dump_json())
    copied = environment.recovery is not None and f":snapshot:{COPIES}" in arn
    return f"rehearsal's {kind}" if there or copied else None

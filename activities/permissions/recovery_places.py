"""Where recovery tests are at work: what they restore, and the replicas whose promotion they rehearse.

Nothing of it is in production, nor anywhere that names no place to restore in.
"""

from collections.abc import Callable, Iterable

from activities.permissions.places import Place, Where, keys, plain
from domain.config.environment import Environment
from domain.config.recovery import COPIES, Recovery
from domain.values.aws_places import arn


def _sources(recovery: Recovery) -> dict[str, None]:
    """The accounts whose snapshots are restored."""
    return dict.fromkeys(recovery.source(name).account for name in recovery.sources)


def _restored(names: Callable[[Environment, Recovery], Iterable[str]]) -> Where:
    """Resources of RDS in an environment that snapshots are restored in."""
    return plain("rds", lambda e: names(e, e.recovery) if e.recovery else [])


copies = _restored(lambda _, __: [f"db:{COPIES}*"])
"""The instances that recovery tests restore."""
copied_snapshots = _restored(lambda _, __: [f"snapshot:{COPIES}*"])
"""The snapshots that they copy."""
restorable = _restored(
    lambda e, recovery: [
        f"db:{COPIES}*",
        f"snapshot:{'*' if e.account in _sources(recovery) else f'{COPIES}*'}",
        f"subgrp:{recovery.subnet_group}",
        "og:default:*",
        "pg:default.*",
    ]
)
"""What a snapshot is restored to, from and with: never another subnet group."""
recovery_subnets = _restored(lambda _, recovery: [f"subgrp:{recovery.subnet_group}"])


def copyable(environment: Environment) -> list[Place]:
    """Snapshots of the sources, and the copies of them."""
    if environment.recovery is None:
        return []
    there = [arn(environment.region, one, "rds", "snapshot:*") for one in _sources(environment.recovery)]
    return [Place((*there, environment.arn("rds", f"snapshot:{COPIES}*")))]


def listed_sources(environment: Environment) -> list[Place]:
    """What snapshots are listed by: their database, and themselves."""
    if environment.recovery is None:
        return []
    return [Place((*dict.fromkeys(environment.recovery.sources.values()), environment.arn("rds", "snapshot:*")))]


def counting(environment: Environment) -> list[Place]:
    """The function that counts what was restored."""
    recovery = environment.recovery
    return [Place((environment.arn("lambda", f"function:{recovery.count_function}"),))] if recovery else []


def recovery_keys(environment: Environment) -> list[Place]:
    """The key that copies are under, and those that snapshots are under: RDS's own, and another account's any."""
    recovery = environment.recovery
    if recovery is None:
        return []
    others = [one for one in _sources(recovery) if one != environment.account]
    theirs = tuple(arn(environment.region, one, "kms", "key/*") for one in others)
    return [*keys(lambda _: [recovery.kms_key, "alias/aws/rds"])(environment), Place(theirs)]


def _rehearsing(service: str, names: Callable[[Environment], Iterable[str]]) -> Where:
    """Resources of a service in an environment in which a replica's promotion is rehearsed."""
    return plain(service, lambda e: names(e) if _rehearsed(e) else [])


def _rehearsed(environment: Environment) -> dict[str, str]:
    """The replicas that are made anew, with their primaries: where there is a place to restore in, never production."""
    there = environment.recovery and environment.database_endpoints and environment.kind != "production"
    return environment.replicas if there else {}


def renewed_arns(environment: Environment) -> list[str]:
    """The instances that are renamed, given parameters and made anew, as the environment names them."""
    return [arn for place in renewed(environment) for arn in place.arns]


renewed = _rehearsing("rds", lambda e: [f"db:{e.databases[name].identifier}" for name in e.replicas])
"""The replicas."""
replicated = _rehearsing("rds", lambda e: [f"db:{e.databases[name].identifier}" for name in e.replicas.values()])
"""Their primaries, which are looked at and replicated."""
any_groups = _rehearsing("rds", lambda _: ["og:*", "pg:*", "subgrp:*"])
"""The groups that a replica is made with: those that it had, whatever they are called."""
opened_groups = _rehearsing("ec2", lambda e: [f"security-group/{one}" for one in e.security_groups.values()])
"""The security groups that a promotion may have closed."""
opened_rules = _rehearsing("ec2", lambda _: ["security-group-rule/*"])
rules_quota = _rehearsing("servicequotas", lambda _: ["vpc/L-0EA8095F"])
"""How many rules a security group may have."""
led_back = _rehearsing(
    "ecs",
    lambda e: [
        f"service/{one.cluster}/{one.service}"
        for one in (e.services[each.service] for each in e.database_endpoints.values())
    ],
)
"""The services that are led back to the primary."""
addresses = _rehearsing(
    "ssm", lambda e: [f"parameter/{one.parameter.lstrip('/')}" for one in e.database_endpoints.values()]
)
"""The parameters that lead them."""

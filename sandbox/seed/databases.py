"""What stands around the databases of a sandbox's account: who reaches them, where the application looks for them."""

from datetime import UTC, datetime, timedelta
from functools import partial

from moto.ec2.models import ec2_backends
from moto.rds.models import DBInstance, DBSnapshot, RDSBackend, rds_backends
from moto.ssm.models import ssm_backends

from domain.config.environment import Configuration, Database
from sandbox.aws.rds_clusters import writer
from sandbox.aws.rds_state import DatabaseState, state_of
from sandbox.aws.rollout import LOCK
from sandbox.runtime.aws_world import World
from sandbox.seed.network import Network

_PORT = 5432
_GROUP = "database"


def databases(world: World, network: Network) -> None:
    """Put primaries behind the group `database`, replicas behind their own, and lead the services to them.

    For databases, services and security groups that are there.
    """
    environment, rds, ssm = world.environment, world.client("rds"), world.client("ssm")
    own = _replica_group(world, network)
    for database in environment.databases.values():
        group = own if database.replica_of else environment.security_groups.get(_GROUP)
        if group and database.cluster:
            rds.modify_db_cluster(DBClusterIdentifier=database.identifier, VpcSecurityGroupIds=[group])
        elif group:
            rds.modify_db_instance(DBInstanceIdentifier=database.identifier, VpcSecurityGroupIds=[group])
    _past(world)
    for name, endpoint in environment.database_endpoints.items():
        if name not in environment.databases:
            continue
        address = _address(world, environment.databases[name])
        ssm.put_parameter(Name=endpoint.parameter, Value=address, Type="String")
        with LOCK:
            service = environment.services[endpoint.service]
            world.rollouts(service).needs.append(partial(_has_database, world, endpoint))


def instances(world: World) -> dict[str, DBInstance]:
    """Moto's own instances by identifier."""
    return dict(_rds(world).databases)


def database_states(world: World) -> dict[str, DatabaseState]:
    """How each database of the environment fares, by its logical name; of a cluster, how its writer does.

    One that is not there, as while it is made anew, is left out.
    """
    found = {name: _instance(world, one) for name, one in world.environment.databases.items()}
    return {name: state_of(one) for name, one in found.items() if one is not None}


def snapshots(world: World) -> list[DBSnapshot]:
    """Moto's own snapshots of instances."""
    return list(_rds(world).database_snapshots.values())


def _instance(world: World, database: Database) -> DBInstance | None:
    if database.cluster:
        return writer(_rds(world).clusters[database.identifier])
    return instances(world).get(database.identifier)


def _address(world: World, database: Database) -> str | None:
    """Where clients reach it: a cluster's endpoint leads to whichever member is its writer. None for what is gone."""
    cluster = _rds(world).clusters.get(database.identifier) if database.cluster else None
    if cluster is not None:
        return str(cluster.endpoint)
    found = _instance(world, database)
    return None if found is None else str(found.address)


def _rds(world: World) -> RDSBackend:
    return rds_backends[world.environment.account][world.environment.region]


def _replica_group(world: World, network: Network) -> str:
    """The replicas' own group: the same tiers reach it, and it stays open when the primary's is closed."""
    ec2, named = world.client("ec2"), world.environment.security_groups
    made = ec2.create_security_group(GroupName="database-replicas", Description="Read replicas", VpcId=network.vpc)
    tiers = [{"GroupId": group} for name, group in named.items() if name != _GROUP] or [{"GroupId": network.group}]
    permission = {"IpProtocol": "tcp", "FromPort": _PORT, "ToPort": _PORT, "UserIdGroupPairs": tiers}
    ec2.authorize_security_group_ingress(GroupId=made["GroupId"], IpPermissions=[permission])
    return str(made["GroupId"])


def _past(world: World) -> None:
    """Last night's backups, instead of a creation just now."""
    night, rds = datetime.now(UTC) - timedelta(hours=9), _rds(world)
    rds.events = []
    for known in database_states(world).values():
        known.finish()
        known.add_event("Backing up DB instance", "backup", at=night)
        known.add_event("Finished DB instance backup", "backup", at=night + timedelta(minutes=4))
    for name, one in list(rds.database_snapshots.items()):
        one.created = one.original_snapshot_create_time = night
        one.db_snapshot_identifier = f"rds:{one.db_instance_identifier}-{night:%Y-%m-%d-%H-%M}"
        rds.database_snapshots[one.db_snapshot_identifier] = rds.database_snapshots.pop(name)
    for name, kept in list(rds.cluster_snapshots.items()):
        kept.created = night
        kept.db_cluster_snapshot_identifier = f"rds:{kept.db_cluster_identifier}-{night:%Y-%m-%d-%H-%M}"
        rds.cluster_snapshots[kept.db_cluster_snapshot_identifier] = rds.cluster_snapshots.pop(name)


def _has_database(world: World, endpoint: Configuration, started: datetime) -> bool:
    """Tell whether tasks that started then reach the database whose address they read at the time."""
    address = _value_at(world, endpoint.parameter, started)
    databases = world.environment.databases.values()
    found = next((_instance(world, one) for one in databases if _address(world, one) == address), None)
    return found is not None and state_of(found).serves(started) and _open(world, found)


def _value_at(world: World, parameter: str, when: datetime) -> str | None:
    environment = world.environment
    kept = ssm_backends[environment.account][environment.region]._parameters.get(parameter) or []
    before = [one for one in kept if _aware(one.last_modified_date) <= when] or kept[:1]
    return str(before[-1].value) if before else None


def _open(world: World, instance: DBInstance) -> bool:
    """Tell whether any of an instance's groups lets PostgreSQL's port through."""
    environment = world.environment
    ec2 = ec2_backends[environment.account][environment.region]
    groups = [ec2.get_security_group_from_id(one) for one in instance.vpc_security_group_ids]
    rules = [rule for group in groups if group for rule in group.ingress_rules]
    return not groups or any(rule.ip_protocol == "-1" or _spans(rule.from_port, rule.to_port) for rule in rules)


def _spans(first: int | str | None, last: int | str | None) -> bool:
    return first is not None and last is not None and int(first) <= _PORT <= int(last)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

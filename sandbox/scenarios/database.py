"""The primary has failed: a replica is promoted once two people have approved it, or a cluster is failed over."""

import json
from typing import Any, ClassVar

from domain.config.environment import Environment
from sandbox.scenarios.actors import Actors
from sandbox.scenarios.scenario import Aws, Check, Scenario

_PORT = 5432
_STEP = "promote-replica"
_FAILOVER = "failover"


class DatabaseDown(Scenario):
    """A failover is refused, as RDS would refuse it; promotion needs both the CTO and the DevOps Lead."""

    type = "database"
    severity = "P1"
    title = "Database connections time out"
    fault = "database-instance-down"
    opening = "The primary database and its standby have failed. A replica is two seconds behind."

    def look(self, aws: Aws, environment: Environment) -> dict[str, Any]:
        return {"deployments": len(_deployments(aws, environment)), "rules": _rules(aws, environment)}

    async def begin(self, actors: Actors) -> None:
        """What is found, and who takes command."""
        actors.narrate("Every probe of the runbook starts at once; the portal is unusable, which raises it to P0")
        await actors.until("every finding", lambda state: len(state["findings"]) >= 18)
        await actors.until("the severity to be raised", lambda state: state["severity"] == "P0")
        state = await actors.until("the leads to be paged", lambda state: len(state["pages"]) >= 4)
        suspect = [one["step"] for one in state["findings"] if one["status"] == "suspect"]
        actors.narrate(f"Suspect: {', '.join(suspect)}. The DevOps Lead takes command")
        await actors.say("devops-lead", "acknowledge")

    async def play(self, actors: Actors) -> None:
        await self.begin(actors)
        actors.narrate("A failover would lose no data, but RDS reboots only an available instance: the plan is refused")
        await actors.request("devops-lead", "failover")
        actors.narrate("So the Technical Manager requests the promotion of the replica, which cannot be undone")
        change = await actors.request("technical-manager", _STEP)
        actors.narrate("The Development Lead may not approve that; the CTO and the DevOps Lead both must")
        known = (await actors.state())["timeline"]["length"]
        await actors.approve("development-lead", change)
        await actors.until("the refused vote", lambda s: s["timeline"]["length"] > known and _waits(s))
        await actors.approve("cto", change)
        await actors.until("the first vote", lambda state: len(_change(state)["approvals"]) == 1)
        await actors.approve("devops-lead", change)
        await actors.applied(_STEP)
        actors.narrate("The portal is back: mitigated, resolved, the runbook's tasks done, closed")
        await actors.finish("devops-lead", "The replica was promoted; the failed primary is fenced")

    def checks(self, aws: Aws, environment: Environment, seen_before: dict[str, Any]) -> list[Check]:
        primary, replica = (_instance(aws, environment, name) for name in ("primary", "replica"))
        reads = _uses(aws, environment)
        began = len(_deployments(aws, environment)) - int(seen_before["deployments"])
        approvers = _approvers(aws, environment, _STEP)
        kept, states = replica["BackupRetentionPeriod"], _targets(aws, environment)
        return [
            Check(
                f"the replica is {replica['DBInstanceStatus']} and replicates nothing",
                replica["DBInstanceStatus"] == "available" and "ReadReplicaSourceDBInstanceIdentifier" not in replica,
            ),
            Check(f"its backups are retained for {kept} days", kept >= 7),
            Check("the failed primary no longer has it as a replica", not primary["ReadReplicaDBInstanceIdentifiers"]),
            Check(
                f"none of {seen_before['rules']} rules lets anybody reach the failed primary any more",
                seen_before["rules"] > 0 and _rules(aws, environment) == 0,
            ),
            Check(f"the backend uses {reads.split('.')[0]}", reads == replica["Endpoint"]["Address"]),
            Check(f"the backend was restarted {'once' if began == 1 else f'{began} times'}", began == 1),
            Check(f"its targets are {', '.join(states)}", states == ["healthy"]),
            Check(f"the ledger names {' and '.join(approvers)} as approvers", approvers == ["cto", "devops-lead"]),
        ]


class DatabaseCluster(DatabaseDown):
    """Nobody reaches the writer of a Multi-AZ DB cluster, which RDS shows as available: a reader takes over."""

    title = "Nobody reaches the database cluster"
    fault = "database-primary-unreachable"
    opening = "The primary is a Multi-AZ DB cluster. Nobody reaches its writer, which RDS shows as available."
    databases: ClassVar = {"primary": {"identifier": "axis-imaging-cluster-production", "cluster": True}}

    def look(self, aws: Aws, environment: Environment) -> dict[str, Any]:
        return {"writer": _writer(aws, environment), "uses": _uses(aws, environment)}

    async def play(self, actors: Actors) -> None:
        await self.begin(actors)
        actors.narrate(
            "The replica is not for promotion here: a cluster has readers of its own, so the plan is refused"
        )
        await actors.request("technical-manager", _STEP)
        actors.narrate("So the DevOps Lead requests a failover, which loses no data; the Technical Manager approves it")
        await actors.approve("technical-manager", await actors.request("devops-lead", _FAILOVER))
        await actors.applied(_FAILOVER)
        actors.narrate("The portal is back: mitigated, resolved, the runbook's tasks done, closed")
        await actors.finish("devops-lead", "The cluster was failed over to a reader")

    def checks(self, aws: Aws, environment: Environment, seen_before: dict[str, Any]) -> list[Check]:
        rds, cluster = aws("rds"), environment.databases["primary"].identifier
        listed = rds.describe_events(SourceIdentifier=cluster, SourceType="db-cluster")["Events"]
        began = sum("failover" in one["EventCategories"] and "Started" in one["Message"] for one in listed)
        writer, uses = _writer(aws, environment), _uses(aws, environment)
        (found,) = rds.describe_db_clusters(DBClusterIdentifier=cluster)["DBClusters"]
        approvers, states = _approvers(aws, environment, _FAILOVER), _targets(aws, environment)
        return [
            Check(f"{writer} writes now, not {seen_before['writer']}", writer != seen_before["writer"]),
            Check(f"RDS began {began} failover", began == 1),
            Check(f"the cluster is {found['Status']}", found["Status"] == "available"),
            Check("the backend still uses the cluster's endpoint", uses == seen_before["uses"] == found["Endpoint"]),
            Check(f"its targets are {', '.join(states)}", states == ["healthy"]),
            Check(f"the ledger names {' and '.join(approvers)} as approver", approvers == ["technical-manager"]),
        ]


def _writer(aws: Aws, environment: Environment) -> str:
    """The member of the cluster that takes what is written."""
    cluster = environment.databases["primary"].identifier
    members = aws("rds").describe_db_clusters(DBClusterIdentifier=cluster)["DBClusters"][0]["DBClusterMembers"]
    return next(str(one["DBInstanceIdentifier"]) for one in members if one["IsClusterWriter"])


def _uses(aws: Aws, environment: Environment) -> str:
    """The address that the backend reads for its primary."""
    parameter = environment.database_endpoints["primary"].parameter
    return str(aws("ssm").get_parameter(Name=parameter)["Parameter"]["Value"])


def _instance(aws: Aws, environment: Environment, name: str) -> dict[str, Any]:
    identifier = environment.databases[name].identifier
    return dict(aws("rds").describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0])


def _deployments(aws: Aws, environment: Environment) -> list[Any]:
    backend = environment.services["backend"]
    listed = aws("ecs").list_service_deployments(cluster=backend.cluster, service=backend.service)
    return list(listed["serviceDeployments"])


def _rules(aws: Aws, environment: Environment) -> int:
    """How many ingress rules open PostgreSQL's port in the primary's security group."""
    group = environment.security_groups["database"]
    listed = aws("ec2").describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    rules = [rule for rule in listed["SecurityGroupRules"] if not rule["IsEgress"]]
    return sum(rule["FromPort"] <= _PORT <= rule["ToPort"] for rule in rules)


def _targets(aws: Aws, environment: Environment) -> list[str]:
    """The states of the backend's targets."""
    group = environment.services["backend"].target_group_arn
    health = aws("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return sorted({target["TargetHealth"]["State"] for target in health})


def _approvers(aws: Aws, environment: Environment, step: str) -> list[str]:
    """Who approved a step's applied change, as recorded in the ledger's intent."""
    items = aws("dynamodb").scan(TableName=environment.ledger_table, ConsistentRead=True)["Items"]
    intents = [json.loads(item["content"]["S"]) for item in items if "content" in item]
    return sorted({who for intent in intents if intent.get("step") == step for who in intent["approvers"]})


def _change(state: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(change for change in state["changes"] if change["step"] == _STEP)
    return found


def _waits(state: dict[str, Any]) -> bool:
    """Whether the change still waits for approval, with no vote counted."""
    change = _change(state)
    return bool(change["status"] == "awaiting-approval" and not change["approvals"])

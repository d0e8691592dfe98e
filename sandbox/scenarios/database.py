"""The primary and its standby have failed: the replica is promoted once two people have approved it."""

import json
from typing import Any

from domain.config.environment import Environment
from sandbox.scenarios.actors import Actors
from sandbox.scenarios.scenario import Aws, Check

_PORT = 5432
_STEP = "promote-replica"


class DatabaseDown:
    """A failover is refused, as RDS would refuse it; promotion needs both the CTO and the DevOps Lead."""

    type = "database"
    severity = "P1"
    title = "Database connections time out"
    fault = "database-instance-down"
    opening = "The primary database and its standby have failed. A replica is two seconds behind."

    def look(self, aws: Aws, environment: Environment) -> dict[str, Any]:
        return {"deployments": len(_deployments(aws, environment)), "rules": _rules(aws, environment)}

    async def play(self, actors: Actors) -> None:
        actors.narrate("Every probe of the runbook starts at once; the portal is unusable, which raises it to P0")
        await actors.until("every finding", lambda state: len(state["findings"]) >= 18)
        await actors.until("the severity to be raised", lambda state: state["severity"] == "P0")
        state = await actors.until("the leads to be paged", lambda state: len(state["pages"]) >= 4)
        suspect = [one["step"] for one in state["findings"] if one["status"] == "suspect"]
        actors.narrate(f"Suspect: {', '.join(suspect)}. The DevOps Lead takes command")
        await actors.say("devops-lead", "acknowledge")
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
        endpoint = environment.database_endpoints["primary"]
        reads = aws("ssm").get_parameter(Name=endpoint.parameter)["Parameter"]["Value"]
        began = len(_deployments(aws, environment)) - int(seen_before["deployments"])
        approvers = _approvers(aws, environment)
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
            Check(f"the backend was restarted {began} time(s)", began == 1),
            Check(f"its targets are {', '.join(states)}", states == ["healthy"]),
            Check(f"the ledger names {' and '.join(approvers)} as approvers", approvers == ["cto", "devops-lead"]),
        ]


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


def _approvers(aws: Aws, environment: Environment) -> list[str]:
    """Who approved the applied change, as recorded in the ledger's intent."""
    items = aws("dynamodb").scan(TableName=environment.ledger_table, ConsistentRead=True)["Items"]
    intents = [json.loads(item["content"]["S"]) for item in items if "content" in item]
    return sorted({who for intent in intents if intent.get("step") == _STEP for who in intent["approvers"]})


def _change(state: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(change for change in state["changes"] if change["step"] == _STEP)
    return found


def _waits(state: dict[str, Any]) -> bool:
    """Whether the change still waits for approval, with no vote counted."""
    change = _change(state)
    return bool(change["status"] == "awaiting-approval" and not change["approvals"])

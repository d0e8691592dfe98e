"""Put a read replica in the place of a primary that has failed."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Annotated, Any

from pydantic import Field
from temporalio.exceptions import ApplicationError

from activities.action import (
    ChangeAction,
    DatabaseEndpointName,
    DatabaseName,
    OnRequest,
    Params,
    RuleError,
    SecurityGroupName,
    iam,
)
from activities.aws.database import promotion_gates as gates
from activities.aws.database import promotion_redirect as redirect
from activities.aws.database.database_state import serves
from activities.aws.database.described_database import described, refuse_member
from activities.aws.database.promotion_gates import Pair
from activities.aws.database.promotion_redirect import ADDRESS
from activities.aws.ecs.app_restart import after_restart, deployment_now
from activities.aws.ecs.described_service import SETTLE_PERMISSIONS, created_at, located
from activities.aws.network.ingress_rules import IngressRule, matching
from activities.aws.shared.pieces import in_order
from domain.config.approval import ApprovalClass
from domain.config.environment import Environment
from domain.model.calls import Scope
from domain.model.plan import Plan, State, Verification
from domain.values.errors import ErrorKind

ROLE = "role"
PRIMARY = "primary"
RULE = "ingress "
_PORT = 5432
_AGAIN = timedelta(seconds=2)


class PromoteParams(Params):
    """`fence` is the security group that keeps writers from the old primary; `endpoint` is what the application reads.

    RDS would keep the promoted instance's backups for one day; here it is as long as the primary kept its own, and a
    week at least. `primary_is_lost` says how it is known that the primary is lost although RDS does not show it: only
    whoever asks for the promotion can give it. Without `restart` ECS is not asked for anything.
    """

    replica: DatabaseName
    fence: SecurityGroupName = "database"
    endpoint: DatabaseEndpointName = "primary"
    backup_retention_days: int = Field(default=7, ge=7, le=35)
    primary_is_lost: Annotated[str, Field(min_length=10, max_length=300), OnRequest()] | None = None
    restart: bool = True


class PromoteReplica(ChangeAction[PromoteParams]):
    """Fences the failed primary, promotes its replica, points the application at it and restarts that, in that order.

    The state holds each ingress rule that reaches the old primary, the replica's role, the address that the application
    reads, and its deployment. Nothing of it is reversible.
    """

    name = "rds.promote_replica"
    permissions = iam(
        "cloudwatch:GetMetricData",
        "ec2:DescribeSecurityGroupRules RevokeSecurityGroupIngress",
        "ecs:DescribeServices UpdateService",
        SETTLE_PERMISSIONS,
        "rds:DescribeDBInstances DescribeDBSnapshots PromoteReadReplica",
        "ssm:DescribeParameters GetParameter GetParameterHistory PutParameter",
    )
    classes = (ApprovalClass.A3,)
    irreversible = "a database that was promoted does not become a replica again"

    def plan(self, scope: Scope, params: PromoteParams) -> Plan:
        """Check every gate; raises `RuleError` naming the first that does not hold, and what to do instead."""
        where = scope.environment
        pair = self._pair(where, params.replica)
        group, endpoint = where.security_groups[params.fence], where.database_endpoints[params.endpoint]
        at = located(where.services[endpoint.service])
        service, by_hand = redirect.restartable(self.clients, at, params.restart)
        port = int(pair.old.get("Endpoint", {}).get("Port") or _PORT)
        reaching = matching(self.clients.client("ec2"), group, (), None, port)
        rules = {f"{RULE}{name}": IngressRule.value(rule) for name, rule in reaching.items()}
        deployment = deployment_now(service) if service else {}
        address = redirect.address(self.clients, endpoint.parameter)
        before = {**rules, ROLE: _role(pair.new), ADDRESS: address, **deployment}
        there = {**dict.fromkeys(rules), ROLE: PRIMARY, ADDRESS: pair.new["Endpoint"]["Address"]}
        after = {**before, **there}
        kept = max(params.backup_retention_days, int(pair.old.get("BackupRetentionPeriod", 0)))
        impact = "None: it is done."
        if after != before:
            self._refuse(scope, pair, group, address, params)
            redirect.refuse_unwritable(self.clients, endpoint.parameter, str(after[ADDRESS]))
            after = {**after, **(after_restart(deployment) if service else {})}
            impact = self._impact(scope, pair, params, before, kept, by_hand)
        arns = (pair.old["DBInstanceArn"], pair.new["DBInstanceArn"], *([service["serviceArn"]] if service else []))
        return self.proposed(
            target=pair.new["DBInstanceArn"],
            summary=f"Promote {pair.new_name} in the place of {pair.old_name}, which is fenced",
            before=before,
            after=after,
            impact=impact,
            locks=(*arns, where.arn("ec2", f"security-group/{group}"), redirect.arn_of(where, endpoint.parameter)),
            context={
                "database": params.replica,
                "replica": pair.new["DBInstanceIdentifier"],
                "group": group,
                "parameter": endpoint.parameter,
                "retention_days": kept,
                "lost": params.primary_is_lost,
                "since": created_at(service) if service else None,
                **at,
            },
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        """Read the planned rules, the role, the address and the deployment as they stand now."""
        return {**self._replaced(plan), **redirect.deployment(self.clients, plan)}

    def refuse_late(self, scope: Scope, plan: Plan) -> None:
        """Look at every gate again before the primary is cut off; a replica that is busy by now is waited for."""
        context, where = plan.context, scope.environment
        pair = self._pair(where, str(context["database"]))
        gates.refuse(self.clients, scope, pair, str(context["group"]), context["lost"])
        redirect.refuse_unwritable(self.clients, str(context["parameter"]), str(plan.after[ADDRESS]))
        if gates.busy(pair):
            raise _not_yet(f"{pair.new_name} is {pair.new['DBInstanceStatus']}: nothing is done before that has passed")

    def act(self, scope: Scope, plan: Plan) -> None:
        """Take every step that is not taken yet; raises `NotYet`, retried after 2 s, while RDS is promoting.

        What is refused is told as missing, with all that comes after it: a primary that is fenced and not replaced must
        not go unsaid. The application is led to the promoted instance only once that takes writes.
        """
        in_order(self._steps(plan, self.read(scope, plan)))

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether the promoted instance serves with its backups, and the application answers on it."""
        now = self._replaced(plan)
        if wrong := sorted(name for name, value in now.items() if plan.after[name] != value):
            return Verification(done=False, message=f"not as planned yet: {', '.join(wrong)}")
        if ROLE not in plan.after:
            return Verification(done=True, message="the old primary is fenced and NOT replaced: see to that by hand")
        instance = described(self.clients, plan.context["replica"])
        status, kept = instance["DBInstanceStatus"], int(instance.get("BackupRetentionPeriod", 0))
        ready = serves(status) and kept >= int(plan.context["retention_days"])
        seen = Verification(done=True, message="the application is to be restarted by hand")
        if redirect.restarts(plan):
            seen = redirect.restarted(self.clients, plan)
        message = f"{plan.context['replica']} is {status}, a primary, with backups of {kept} days; {seen.message}"
        return Verification(done=ready and seen.done, failed=seen.failed, message=message)

    def _replaced(self, plan: Plan) -> State:
        """All but the deployment, of those pieces that the plan has."""
        rules = {f"{RULE}{name}": rule.read() for name, rule in self._rules(plan)}
        role = _role(described(self.clients, plan.context["replica"]))
        now = {**rules, ROLE: role, ADDRESS: redirect.address(self.clients, str(plan.context["parameter"]))}
        return {name: value for name, value in now.items() if name in plan.after}

    def _refuse(self, scope: Scope, pair: Pair, group: str, address: str, params: PromoteParams) -> None:
        gates.refuse(self.clients, scope, pair, group, params.primary_is_lost)
        if gates.busy(pair):
            status = pair.new["DBInstanceStatus"]
            raise RuleError(f"{pair.new_name} is {status}: RDS promotes only an available replica, so wait for it")
        known = {one.get("Endpoint", {}).get("Address") for one in (pair.old, pair.new)}
        if None not in known and address not in known:
            raise RuleError(
                "the parameter that the application reads leads to neither database: look at database_endpoints in "
                "the environment's file"
            )

    def _impact(self, scope: Scope, pair: Pair, params: PromoteParams, before: State, kept: int, by_hand: str) -> str:
        lost = params.primary_is_lost
        behind = "The replica is promoted."
        if before[ROLE] != PRIMARY:
            behind = gates.describe_loss(self.clients, scope, pair, lost)
        said = f" That it is lost all the same is said by who asks: {lost.rstrip('.')}." if lost else ""
        service = scope.environment.database_endpoints[params.endpoint].service
        rules = sum(name.startswith(RULE) for name in before)
        then = "and restarted; until that is done it has no database."
        if by_hand:
            then = f"and NOT restarted ({by_hand}): do that by hand, or it keeps looking for {pair.old_name}."
        return " ".join(
            [
                f"{pair.old_name} is {pair.old['DBInstanceStatus']}.{said} {behind}",
                f"It is fenced first: {rules} ingress rules of its security group are revoked, so no writer gets in.",
                f"Then {service} is pointed at {pair.new_name} {then}",
                gates.describe_snapshot(self.clients.client("rds"), pair),
                gates.describe_rebuild(pair, kept),
            ]
        )

    def _steps(self, plan: Plan, now: State) -> Iterator[tuple[str, Callable[[], None]]]:
        """What is not done yet, by its field, in an order that no step may leave."""
        # fenced before it is replaced: what two primaries have written cannot be merged again
        for name, rule in self._rules(plan):
            if now[f"{RULE}{name}"] is not None:
                yield f"{RULE}{name}", partial(rule.set, None)
        yield ROLE, lambda: self._promote(plan)
        # only now that the replica takes writes, and before the restart: tasks read the address when they start
        if now[ADDRESS] != plan.after[ADDRESS]:
            yield ADDRESS, partial(redirect.lead_over, self.clients, plan)
        if redirect.restarts(plan):
            yield redirect.DEPLOYMENT, partial(redirect.restart, self.clients, plan)

    def _promote(self, plan: Plan) -> None:
        """Ask for the promotion once, and go on only when the instance stands alone and serves.

        Raises `RuleError` where it will not by itself: nobody waits for that behind a fence.
        """
        replica = str(plan.context["replica"])
        instance = described(self.clients, replica)
        if _role(instance) != PRIMARY and instance["DBInstanceStatus"] == "available":
            self.clients.once("rds").promote_read_replica(
                DBInstanceIdentifier=replica, BackupRetentionPeriod=plan.context["retention_days"]
            )
            instance = described(self.clients, replica)
        gates.refuse_lasting(instance)
        if _role(instance) != PRIMARY or not serves(instance["DBInstanceStatus"]):
            raise _not_yet(f"{replica} is being promoted ({instance['DBInstanceStatus']})")

    def _pair(self, where: Environment, replica: str) -> Pair:
        source = where.databases[replica].replica_of
        if source is None:
            raise RuleError(f"{replica} is no replica, says the environment's file")
        for name in (source, replica):
            if where.databases[name].cluster:
                raise RuleError(f"{name} is a cluster, which fails over to its own readers: ask for a failover instead")
        old, new = (described(self.clients, where.databases[name].identifier) for name in (source, replica))
        refuse_member(old, source, "ask for a failover instead")
        return Pair(source, replica, old, new)

    def _rules(self, plan: Plan) -> Iterator[tuple[str, IngressRule]]:
        for field in sorted(plan.before):
            if field.startswith(RULE):
                name = field.removeprefix(RULE)
                yield name, IngressRule(self.clients, str(plan.context["group"]), name)


def _role(instance: dict[str, Any]) -> str:
    source = instance.get("ReadReplicaSourceDBInstanceIdentifier")
    return f"replica of {source}" if source else PRIMARY


def _not_yet(message: str) -> ApplicationError:
    return ApplicationError(message, type=ErrorKind.NOT_YET.value, next_retry_delay=_AGAIN)

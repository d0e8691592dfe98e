"""Make a promoted replica a replica again: what a rehearsal of the promotion did is put back as it was."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

from pydantic import Field

from activities.action import ChangeAction, DatabaseEndpointName, DatabaseName, Params, RuleError, iam, needed
from activities.aws.database import promotion_redirect as redirect
from activities.aws.database.described_database import described
from activities.aws.database.promotion_redirect import ADDRESS
from activities.aws.database.rds_promote_replica import RULE
from activities.aws.ecs.app_restart import after_restart, deployment_now
from activities.aws.ecs.described_service import SETTLE_PERMISSIONS, created_at, located
from activities.aws.network.ingress_rules import IngressRule, group_of, refuse_no_room
from activities.aws.recovery import renewal_gates as gates
from activities.aws.recovery.promotion_past import Promotion, promotion_of
from activities.aws.recovery.renewal_gates import Renewal
from activities.aws.recovery.replica_anew import (
    KEPT,
    PLACE,
    REPLICA,
    ReplicaAnew,
    asked_for,
    not_yet,
    own_parameters,
    source_of,
)
from activities.aws.recovery.restored_copy import RestoredCopy, named
from activities.aws.shared.pieces import in_order
from activities.aws.shared.protection import refuse_protected
from domain.config.approval import ApprovalClass
from domain.config.environment import Configuration, Environment
from domain.model.calls import Scope
from domain.model.plan import Plan, State, Verification
from domain.values.durations import Duration
from domain.values.timestamps import short_time


class RenewParams(Params):
    """`replica` is what was promoted, `endpoint` what the application reads; the promotion may have taken `time`."""

    replica: DatabaseName
    endpoint: DatabaseEndpointName = "primary"
    time: Duration = Field(default=timedelta(hours=4), gt=timedelta(0))


class _Names(NamedTuple):
    """Of the replica: its own identifier, its primary's, and what the promoted instance is renamed into."""

    identifier: str
    source: str
    aside: str


class RenewReplica(ChangeAction[RenewParams]):
    """Lets the primary's clients in, leads the application back, and makes the replica anew; the promoted one goes.

    The state is that of the promotion, the other way round: its ingress rules, the address, the deployment; with what
    stands alone under the replica's identifier, whether that is kept anywhere, and what is replicated. The promoted
    instance is deleted last, by `verify`, once the replica replicates and the application answers on its primary.
    """

    name = "rds.renew_replica"
    needs = ("recovery", "database_endpoints")
    permissions = iam(
        "dynamodb:GetItem Query",
        "ec2:AuthorizeSecurityGroupIngress DescribeSecurityGroupRules DescribeSecurityGroups",
        "ecs:DescribeServices UpdateService",
        SETTLE_PERMISSIONS,
        "kms:DescribeKey",
        "rds:AddTagsToResource CreateDBInstanceReadReplica DeleteDBInstance DescribeAccountAttributes",
        "rds:DescribeDBInstances DescribeDBSnapshots ModifyDBInstance RebootDBInstance",
        "servicequotas:GetServiceQuota",
        "ssm:DescribeParameters GetParameter GetParameterHistory PutParameter",
    )
    classes = (ApprovalClass.A3,)
    irreversible = "what was written to the promoted instance goes with it"

    def plan(self, scope: Scope, params: RenewParams) -> Plan:
        """Read what the promotion did from the ledger, and check that all of it can be put back.

        Raises `RuleError` in production, where no promotion of ours is on record, and for what AWS would refuse.
        """
        where, names = scope.environment, _names(scope, params.replica)
        endpoint = where.database_endpoints[params.endpoint]
        target, primary = where.arn("rds", f"db:{names.identifier}"), described(self.clients, names.source)
        past, anew = promotion_of(self.clients, scope, target), self._anew(scope.incident, names)
        before, after = self._states(past, primary, anew, endpoint.parameter)
        at = located(where.services[endpoint.service])
        service, by_hand = redirect.restartable(self.clients, at, wanted=True)
        impact, made = "None: it is done.", State()
        if after != before:
            promoted = _promoted(names, anew, past)
            renewal = Renewal(params.replica, where.replicas[params.replica], promoted, primary)
            self._refuse(where, names, renewal, before, after, endpoint.parameter)
            made = {"made": asked_for(promoted, primary, names.identifier), "group": own_parameters(promoted, primary)}
            impact = _impact(params, renewal, past, endpoint, by_hand)
            if service:
                deployment = deployment_now(service)
                before, after = {**before, **deployment}, {**after, **after_restart(deployment)}
        groups = {where.arn("ec2", f"security-group/{_group(name)}") for name in _rules(before)}
        services = [service["serviceArn"]] if service else []
        return self.proposed(
            target=target,
            summary=f"Make {params.replica} a replica of {names.source} again, and remove what was promoted",
            before=before,
            after=after,
            impact=impact,
            locks=(
                *(target, primary["DBInstanceArn"], *services, *groups),
                redirect.arn_of(where, endpoint.parameter),
            ),
            takes_long=True,
            context={
                **made,
                **at,
                "replica": params.replica,
                "parameter": endpoint.parameter,
                "since": created_at(service) if service else None,
                "took": past.told(params.time) if past else "",
            },
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        """Read the planned rules, the address, the deployment, and what stands of replica and promoted instance."""
        return {**self._put_back(scope, plan), **redirect.deployment(self.clients, plan)}

    def refuse_late(self, scope: Scope, plan: Plan) -> None:
        """Look at every gate again before the primary is opened; what is busy by now is waited for."""
        names = _names(scope, plan.context["replica"])
        anew, past = self._anew(scope.incident, names), promotion_of(self.clients, scope, plan.target)
        source = scope.environment.replicas[plan.context["replica"]]
        primary = described(self.clients, names.source)
        renewal = Renewal(plan.context["replica"], source, _promoted(names, anew, past), primary)
        self._refuse(scope.environment, names, renewal, plan.before, plan.after, plan.context["parameter"], late=True)

    def act(self, scope: Scope, plan: Plan) -> None:
        """Take every step that is not taken yet, up to the new replica; raises `NotYet` while RDS renames.

        What is refused is told as missing, with all that comes after it. Nothing of it loses data: what was promoted
        is only renamed.
        """
        in_order(self._steps(scope, plan, self.read(scope, plan)))

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether the replica replicates and the application answers on the primary; then delete what is left.

        It is done once that is gone. Where a part was refused, what was promoted is kept.
        """
        now, anew = self._put_back(scope, plan), self._anew(scope.incident, _names(scope, plan.context["replica"]))
        if wrong := sorted(name for name, value in now.items() if name != KEPT and plan.after[name] != value):
            return Verification(done=False, message=f"not as planned yet: {', '.join(wrong)}")
        if REPLICA not in plan.after:
            told = f"{plan.context['replica']} is NOT made anew: mend what refused it, and ask for it again"
            return Verification(done=True, message=told)
        seen = [anew.replicates(plan.context["group"])]
        if redirect.restarts(plan):
            seen.append(redirect.restarted(self.clients, plan))
        message = "; ".join(one.message for one in seen)
        if not all(one.done for one in seen):
            return Verification(done=False, failed=any(one.failed for one in seen), message=message)
        if KEPT in plan.changing and not anew.remove(str(plan.before[KEPT])):
            return Verification(done=False, message=f"{message}; what was promoted is being deleted")
        return Verification(done=True, message=f"{message}; {plan.context['took']}")

    def _states(
        self, past: Promotion | None, primary: dict[str, Any], anew: ReplicaAnew, parameter: str
    ) -> tuple[State, State]:
        """What stands, and what shall: a rule that somebody let in already stays as it is."""
        rules = past.rules if past else {}
        now = self._read_rules(rules)
        before = {**now, ADDRESS: redirect.address(self.clients, parameter), **anew.state()}
        back = {name: now[name] or value for name, value in rules.items()}
        source = primary["DBInstanceIdentifier"]
        return before, {
            **back,
            ADDRESS: primary["Endpoint"]["Address"],
            PLACE: None,
            KEPT: None,
            REPLICA: source,
        }

    def _put_back(self, scope: Scope, plan: Plan) -> State:
        """All but the deployment, of those pieces that the plan has."""
        anew = self._anew(scope.incident, _names(scope, plan.context["replica"]))
        address = {ADDRESS: redirect.address(self.clients, plan.context["parameter"])}
        now = {**self._read_rules(_rules(plan.before)), **address, **anew.state()}
        return {name: value for name, value in now.items() if name in plan.after}

    def _refuse(
        self,
        where: Environment,
        names: _Names,
        renewal: Renewal,
        before: State,
        after: State,
        parameter: str,
        *,
        late: bool = False,
    ) -> None:
        """Refuse what cannot be put back; what is only busy is refused in the plan, and waited for once approved."""
        refuse_protected(where, (names.identifier, where.arn("rds", f"db:{names.identifier}"), names.aside))
        gates.refuse(self.clients, renewal)
        if before[REPLICA] not in (None, names.source):
            raise RuleError(f"{renewal.name} is a replica of {before[REPLICA]}: look at the environment's file")
        missing = {name: value for name, value in _rules(after).items() if _rules(before)[name] is None}
        for group in {_group(name) for name in missing}:
            permissions = [value["permission"] for name, value in missing.items() if _group(name) == group]
            refuse_no_room(self.clients, group, permissions)
        redirect.refuse_unwritable(self.clients, parameter, str(after[ADDRESS]))
        if waiting := gates.busy(renewal):
            raise not_yet(waiting) if late else RuleError(waiting)

    def _steps(self, scope: Scope, plan: Plan, now: State) -> Iterator[tuple[str, Callable[[], None]]]:
        """What is not done yet, by its field, in an order that no step may leave."""
        # first that clients get in, then that they are led there: what they read when they start must be reachable
        for field, rule in self._each_rule(_rules(plan.after)):
            if now[field] != plan.after[field]:
                yield field, partial(rule.set, plan.after[field])
        if now[ADDRESS] != plan.after[ADDRESS]:
            yield ADDRESS, partial(redirect.lead_over, self.clients, plan)
        if redirect.restarts(plan):
            yield redirect.DEPLOYMENT, partial(redirect.restart, self.clients, plan)
        anew = self._anew(scope.incident, _names(scope, plan.context["replica"]))
        if (kept := plan.before[KEPT]) is not None:
            yield PLACE, partial(anew.set_aside, str(kept))
        yield REPLICA, partial(anew.make, plan.context["made"])
        yield KEPT, lambda: None  # which waits for all of it, and for `verify`

    def _anew(self, incident: str, names: _Names) -> ReplicaAnew:
        return ReplicaAnew(self.clients, names.identifier, RestoredCopy(self.clients, names.aside, incident))

    def _read_rules(self, rules: State) -> State:
        return {field: rule.read() for field, rule in self._each_rule(rules)}

    def _each_rule(self, rules: State) -> Iterator[tuple[str, IngressRule]]:
        for field in sorted(rules):
            yield field, IngressRule(self.clients, _group(field), field.removeprefix(RULE))


def _names(scope: Scope, replica: str) -> _Names:
    """Raises `RuleError` in production, and for what is no replica of an instance."""
    where = scope.environment
    if where.kind == "production":
        raise RuleError(f"{where.name} is production, where a promotion is no rehearsal: nothing of it is taken back")
    needed(where.recovery, where, "recovery")
    if (source := where.replicas.get(replica)) is None:
        raise RuleError(f"{replica} is no replica that RDS promotes, says the environment's file")
    aside = named(scope.incident, f"{replica}-promoted")
    return _Names(where.databases[replica].identifier, where.databases[source].identifier, aside)


def _promoted(names: _Names, anew: ReplicaAnew, past: Promotion | None) -> dict[str, Any]:
    """What our promotion left: under the replica's identifier, or under the name that we have given it since.

    Raises `RuleError` where there is none, or something else has its name: what the replica was like is not known then.
    """
    there, aside = anew.there(), anew.aside()
    if past is None:
        raise RuleError(
            f"no promotion of {names.identifier} by us is on record since it was last made: put it back by hand"
        )
    if there is not None and aside is None:
        return there
    if there is not None and source_of(there) is None:
        raise RuleError(f"{names.aside} is there already: see what it is, and remove it first")
    if aside is None or aside["DbiResourceId"] != past.set_aside:
        raise RuleError(f"what was promoted as {names.identifier} is not there any more: make its replica by hand")
    return aside


def _rules(state: State) -> State:
    return {name: value for name, value in state.items() if name.startswith(RULE)}


def _group(field: str) -> str:
    return group_of(field.removeprefix(RULE))


def _impact(
    params: RenewParams, renewal: Renewal, past: Promotion | None, endpoint: Configuration, by_hand: str
) -> str:
    """What is lost above all: whatever was written since the promotion."""
    since = f" on {short_time(past.at)}" if past else ""
    restarted = f"and NOT restarted ({by_hand}): do that by hand" if by_hand else "and restarted"
    monitored = ""
    if renewal.promoted.get("MonitoringInterval"):
        monitored = " Its Enhanced Monitoring is to be turned on again by hand, as its role is not ours to give."
    told = f" On record: {past.told(params.time)}." if past else ""
    return (
        f"Everything that was written to {params.replica} since it was promoted{since} is THROWN AWAY: the instance is "
        f"deleted at the end, without a last snapshot. {endpoint.service} is led back to {renewal.of} {restarted}. Who "
        f"uses {params.replica} by its address is cut off until the new one is there, which takes RDS from minutes to "
        f"hours.{monitored} This cannot be undone.{told}"
    )

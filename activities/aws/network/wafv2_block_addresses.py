"""Block addresses at the web application firewall."""

from functools import partial
from ipaddress import ip_network
from typing import Any

from pydantic import Field

from activities.action import ChangeAction, Params, RuleError, WebAclName, iam, needed
from activities.aws.network.wafv2_acls import blocks, guarded, place, summary, write_locked
from activities.aws.shared.addresses import Addresses, are_many, own_addresses, refuse_unblockable
from activities.aws.shared.pieces import some
from domain.config.approval import ApprovalClass
from domain.config.environment import Environment
from domain.model.activity_io import Scope
from domain.model.plan import Plan, State, Verification

_IN_FORCE = "in_force"
_MOST = 10_000  # as many as an address set holds (AWS WAF quotas)


class BlockParams(Params):
    """`addresses` are single addresses or networks, IPv4 and IPv6; `--set addresses=198.51.100.7,2001:db8::7`."""

    web_acl: WebAclName
    addresses: Addresses = Field(min_length=1)


class BlockAddresses(ChangeAction[BlockParams]):
    """Adds addresses to the set that a web ACL blocks, and leaves everything else in it as it is.

    AWS replaces the whole set on every write, so the union goes there under the set's lock token; when somebody else
    wrote in between it is read and merged again, five times at most. The state is whether each of our addresses is in
    its set, and `in_force`: whether a rule blocks those sets before a load balancer of ours. Other addresses are no
    part of it: they may come and go meanwhile.
    """

    name = "wafv2.block_addresses"
    permissions = iam(
        "ec2:DescribeAddresses",
        "wafv2:GetIPSet GetRuleGroup GetWebACL GetWebACLForResource ListIPSets ListWebACLs UpdateIPSet",
    )
    classes = (ApprovalClass.A1, ApprovalClass.A2)

    def plan(self, scope: Scope, params: BlockParams) -> Plan:
        """Look what is blocked already; raises `RuleError` for what must not be blocked or would have no effect.

        More than 20 addresses, or one of /24 (IPv6: /48) or wider, make it class A2. Our own elastic addresses,
        those of NAT gateways among them, are refused like protected ones (`ec2:DescribeAddresses`).
        """
        refuse_unblockable(params.addresses, scope.environment.protected.addresses, own_addresses(self.clients))
        wafv2 = self.clients.client("wafv2")
        acl = summary(wafv2, "web_acls", scope.environment.web_acls[params.web_acl].name)
        versions = sorted({ip_network(one).version for one in params.addresses})
        sets = {str(version): self._set(scope.environment, params.web_acl, version) for version in versions}
        context: State = {
            "acl": place(acl),
            "sets": {version: {"arn": found["ARN"], "place": place(found)} for version, found in sets.items()},
            "balancers": [one.arn for one in scope.environment.load_balancers.values()],
        }
        if trouble := self._trouble(context):
            raise RuleError(f"blocking at {params.web_acl} would block nothing: {trouble}")
        before = self._state(params.addresses, context)
        after = dict.fromkeys(before, True)
        new = [name for name in params.addresses if not before[name]]
        many = are_many(params.addresses)
        return self.proposed(
            target=next(iter(sets.values()))["ARN"],
            summary=f"Block {some(new or list(params.addresses))} at {params.web_acl}",
            before=before,
            after=after,
            impact=_impact(params, new, many=many),
            approval_class=ApprovalClass.A2 if many else self.approval_class,
            locks=[found["ARN"] for found in sets.values()],
            context=context,
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        """Read which of our addresses are in their sets (`wafv2:GetIPSet`), and whether the sets are in force."""
        return self._state(_ours(plan.before), plan.context)

    def act(self, scope: Scope, plan: Plan) -> None:
        """Add ours to what each set holds by then, or take ours out again; a second time writes nothing.

        Raises `WAFOptimisticLockException`, retryable, when others kept writing, and `RuleError` for a full set.
        """
        for version, where in plan.context["sets"].items():
            ours = [name for name in _ours(plan.after) if str(ip_network(name).version) == version]
            changing = {name for name in ours if plan.before[name] != plan.after[name]}
            add = {name for name in changing if plan.after[name]}
            write_locked(self.clients.client("wafv2"), partial(self._merge, where, add, changing - add))

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether all of ours are as planned and a rule blocks them; AWS takes up to minutes to spread it."""
        now = self.read(scope, plan)
        if not now[_IN_FORCE] and any(plan.after[name] for name in _ours(plan.after)):
            return Verification(done=False, failed=True, message="no rule blocks what is in the address set any more")
        ours = _ours(plan.after)
        right = [name for name in ours if now[name] == plan.after[name]]
        blocked = sum(now[name] for name in ours)
        message = f"{len(right)} of {len(ours)} addresses as planned, {blocked} of them blocked"
        return Verification(done=len(right) == len(ours), message=message)

    def _merge(self, where: State, add: set[str], remove: set[str]) -> None:
        answer = self.clients.client("wafv2").get_ip_set(**where["place"])
        found = answer["IPSet"]
        held = {str(ip_network(one, strict=False)): one for one in found["Addresses"]}
        new = sorted(add - held.keys())
        wanted = [one for name, one in held.items() if name not in remove] + new
        if len(wanted) == len(held) and not new:
            return
        if len(wanted) > _MOST:
            raise RuleError(
                f"address set {where['place']['Name']} would hold {len(wanted)} networks; AWS WAF allows {_MOST}: "
                "name wider ones"
            )
        described = {"Description": found["Description"]} if found.get("Description") else {}
        self.clients.once("wafv2").update_ip_set(
            **where["place"], **described, Addresses=wanted, LockToken=answer["LockToken"]
        )

    def _state(self, addresses: tuple[str, ...], context: State) -> State:
        wafv2 = self.clients.client("wafv2")
        held: set[str] = set()
        for where in context["sets"].values():
            found = wafv2.get_ip_set(**where["place"])["IPSet"]["Addresses"]
            held |= {str(ip_network(one, strict=False)) for one in found}
        return {**{name: name in held for name in addresses}, _IN_FORCE: self._trouble(context) is None}

    def _trouble(self, context: State) -> str | None:
        """Why an address in the sets would not be blocked; None when it is."""
        wafv2 = self.clients.client("wafv2")
        acl = wafv2.get_web_acl(**context["acl"])["WebACL"]
        idle = [where["place"]["Name"] for where in context["sets"].values() if not blocks(wafv2, acl, where["arn"])]
        if idle:
            return f"no rule of web ACL {acl['Name']} blocks what is in {' and '.join(idle)}"
        if context["balancers"] and not guarded(wafv2, acl["ARN"], context["balancers"]):
            return f"web ACL {acl['Name']} protects no load balancer of this environment"
        return None

    def _set(self, environment: Environment, web_acl: str, version: int) -> dict[str, Any]:
        where = environment.web_acls[web_acl]
        name = where.ip_set if version == 4 else needed(where.ip_set_v6, environment, f"web_acls.{web_acl}.ip_set_v6")
        return summary(self.clients.client("wafv2"), "ip_sets", name)


def _ours(state: State) -> tuple[str, ...]:
    return tuple(name for name in state if name != _IN_FORCE)


def _impact(params: BlockParams, new: list[str], *, many: bool) -> str:
    held = len(params.addresses) - len(new)
    already = f" {held} of them stood there before and will stay there when this is undone." if held else ""
    wide = " This is wide: look whom else it hits, such as hospitals behind one address." if many else ""
    count = len(params.addresses)
    whom = "this address" if count == 1 else f"these {count} addresses"
    return (
        f"Nobody at {whom} reaches the application until this is undone; every other blocked address stays blocked."
        f"{already}{wide}"
    )

"""Block addresses at the web application firewall."""

from collections.abc import Callable, Iterable
from functools import partial
from ipaddress import ip_network
from operator import call
from typing import Any

from pydantic import Field

from activities.action import ChangeAction, Params, PartlyDoneError, RuleError, WebAclName, iam, needed
from activities.aws.network.wafv2_acls import Waf, write_locked
from activities.aws.network.wafv2_rules import Block, block, in_order
from activities.aws.shared.addresses import Addresses, are_many, own_addresses, refuse_unblockable
from activities.aws.shared.error_codes import unless_denied
from activities.aws.shared.pieces import some
from domain.config.approval import ApprovalClass
from domain.config.environment import Environment
from domain.model.calls import Scope
from domain.model.plan import Plan, State, Verification

_IN_FORCE = "in_force"
_VOID = "not: "
_MAY_NOT = "may not"  # of rights: what the role is not allowed to look at
_MOST = 10_000  # as many as an address set holds (AWS WAF quotas)


class BlockParams(Params):
    """`addresses` are single addresses or networks, IPv4 and IPv6; `--set addresses=198.51.100.7,2001:db8::7`."""

    web_acl: WebAclName
    addresses: Addresses = Field(min_length=1)


class BlockAddresses(ChangeAction[BlockParams]):
    """Adds addresses to the set that a web ACL blocks, and leaves everything else in it as it is.

    AWS replaces the whole set on every write, so the union goes there under the set's lock token; when somebody else
    wrote in between it is read and merged again, five times at most. The state is whether each of our addresses is in
    its set, and `in_force`: whether the web ACL's rules then block them before all that is ours, or on what that
    hangs: rules that may let requests through before, load balancers without it, what may not be read. Other addresses
    are no part of it: they may come and go meanwhile.
    """

    name = "wafv2.block_addresses"
    permissions = iam(
        "cloudfront:ListDistributionsByWebACLId",
        "ec2:DescribeAddresses",
        "wafv2:GetIPSet GetRuleGroup GetWebACL GetWebACLForResource ListIPSets ListWebACLs UpdateIPSet",
    )
    classes = (ApprovalClass.A1, ApprovalClass.A2)

    def plan(self, scope: Scope, params: BlockParams) -> Plan:
        """Look what is blocked already; raises `RuleError` for what must not be blocked or would have no effect.

        More than 20 addresses, or one of /24 (IPv6: /48) or wider, make it class A2. Our own elastic addresses,
        those of NAT gateways among them, are refused like protected ones (`ec2:DescribeAddresses`).
        """
        environment = scope.environment
        refuse_unblockable(params.addresses, environment.shielded.addresses, own_addresses(self.clients))
        waf = Waf(self.clients, environment, params.web_acl)
        acl = waf.acl()
        versions = sorted({ip_network(one).version for one in params.addresses})
        sets = {str(version): waf.ip_set(_set_name(environment, params.web_acl, version)) for version in versions}
        context: State = {
            "waf": waf.service,
            "acl": waf.place(acl),
            "sets": {version: {"arn": found["ARN"], "place": waf.place(found)} for version, found in sets.items()},
            "balancers": {name: one.arn for name, one in environment.load_balancers.items()},
        }
        before = self._state(params.addresses, context)
        if isinstance(standing := before[_IN_FORCE], str) and standing.startswith(_VOID):
            raise RuleError(f"blocking at {params.web_acl} would block nothing: {standing.removeprefix(_VOID)}")
        self._refuse_full(params.addresses, context)
        after = dict.fromkeys(before, True) | {_IN_FORCE: standing}
        new = [name for name in params.addresses if not before[name]]
        many = are_many(params.addresses)
        return self.proposed(
            target=next(iter(sets.values()))["ARN"],
            summary=f"Block {some(new or list(params.addresses))} at {params.web_acl}",
            before=before,
            after=after,
            impact=_impact(params, new, standing, many=many),
            approval_class=ApprovalClass.A2 if many else ApprovalClass.A1,
            locks=[found["ARN"] for found in sets.values()],
            context=context,
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        """Read which of our addresses are in their sets (`wafv2:GetIPSet`), and whether the sets are in force."""
        unread = _MAY_NOT in str(plan.after[_IN_FORCE])  # as it was when people approved
        return self._state(_ours(plan.before), plan.context, unread=unread)

    def act(self, scope: Scope, plan: Plan) -> None:
        """Add ours to what each set holds by then, or take ours out again; a second time writes nothing.

        Raises `PartlyDoneError` with the addresses whose set could not be written: it was full, or others kept writing.
        """
        errors: dict[str, Exception] = {}
        for version, where in plan.context["sets"].items():
            changing = {name for name in _of(version, _ours(plan.after)) if plan.before[name] != plan.after[name]}
            add = {name for name in changing if plan.after[name]}
            write = partial(self._merge, plan.context["waf"], where["place"], add, changing - add)
            try:
                write_locked(self.clients.client(plan.context["waf"]), write)
            except Exception as error:  # noqa: BLE001 - raised below, once the other set was tried
                errors |= dict.fromkeys(changing, error)
        if errors:
            raise PartlyDoneError(errors)

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether all of ours are as planned and a rule blocks them; AWS takes up to minutes to spread it."""
        now, ours = self.read(scope, plan), _ours(plan.after)
        standing = now[_IN_FORCE]
        if standing != plan.after[_IN_FORCE] and any(plan.after[name] for name in ours):
            message = f"the web ACL's rules are others than when it was planned: {_told(standing)}"
            return Verification(done=False, failed=True, message=message)
        right = [name for name in ours if now[name] == plan.after[name]]
        held = sum(now[name] for name in ours)
        message = f"{len(right)} of {len(ours)} addresses as planned, {held} of them in a set; {_told(standing)}"
        return Verification(done=len(right) == len(ours), message=message)

    def _merge(self, service: str, where: dict[str, str], add: set[str], remove: set[str]) -> None:
        answer = self.clients.client(service).get_ip_set(**where)
        found = answer["IPSet"]
        held = {str(ip_network(one, strict=False)): one for one in found["Addresses"]}
        new = sorted(add - held.keys())
        wanted = [one for name, one in held.items() if name not in remove] + new
        if len(wanted) == len(held) and not new:
            return
        _refuse_many(where["Name"], len(wanted))
        described = {"Description": found["Description"]} if found.get("Description") else {}
        self.clients.once(service).update_ip_set(**where, **described, Addresses=wanted, LockToken=answer["LockToken"])

    def _refuse_full(self, addresses: tuple[str, ...], context: State) -> None:
        for version, where in context["sets"].items():
            _refuse_many(where["place"]["Name"], len(self._held(context, where).union(_of(version, addresses))))

    def _held(self, context: State, where: State) -> set[str]:
        found = self.clients.client(context["waf"]).get_ip_set(**where["place"])["IPSet"]["Addresses"]
        return {str(ip_network(one, strict=False)) for one in found}

    def _state(self, addresses: tuple[str, ...], context: State, *, unread: bool = True) -> State:
        held = set[str]().union(*(self._held(context, where) for where in context["sets"].values()))
        return {**{name: name in held for name in addresses}, _IN_FORCE: self._standing(addresses, context, unread)}

    def _standing(self, addresses: tuple[str, ...], context: State, unread: bool) -> bool | str:
        """True where all that is in the sets is blocked, else why not, or on what it hangs; `unread`: on rights too."""
        look: Callable[[Callable[[], Any]], Any] = unless_denied if unread else call
        wafv2 = self.clients.client(context["waf"])
        acl = wafv2.get_web_acl(**context["acl"])["WebACL"]
        ruled = look(lambda: self._ruled(wafv2, acl, addresses, context))
        if ruled is not None and ruled.void:
            return f"{_VOID}no rule of web ACL {acl['Name']} blocks them: {ruled.void}"
        guarded = look(lambda: self._guarded(acl["ARN"], context))
        if guarded and not any(guarded.values()):
            what = "load balancer of this environment" if context["acl"]["Scope"] == "REGIONAL" else "distribution"
            return f"{_VOID}web ACL {acl['Name']} protects no {what}"
        reserves = [_reserve_of_rules(ruled), _reserve_of_places(guarded)]
        return "; and ".join(one for one in reserves if one) or True

    def _ruled(self, wafv2: Any, acl: State, addresses: tuple[str, ...], context: State) -> Block:
        """What the rules do with each of the sets: the first that is not blocked is told (`wafv2:GetRuleGroup`)."""
        rules, sets = in_order(wafv2, acl), context["sets"].items()
        found = [block(wafv2, rules, where["arn"], _of(version, addresses)) for version, where in sets]
        passing = dict.fromkeys(name for one in found for name in one.passing)
        return next((one for one in found if one.void), Block(passing=tuple(passing)))

    def _guarded(self, acl: str, context: State) -> dict[str, bool]:
        """Whether it stands before each load balancer of ours, or any distribution of the account.

        `wafv2:GetWebACLForResource`, which asks Elastic Load Balancing too; `cloudfront:ListDistributionsByWebACLId`.
        """
        if context["acl"]["Scope"] == "CLOUDFRONT":
            found = self.clients.client("cloudfront").list_distributions_by_web_acl_id(WebACLId=acl)
            return {"distributions": bool(found["DistributionList"]["Quantity"])}
        wafv2 = self.clients.client(context["waf"])
        before = {
            name: wafv2.get_web_acl_for_resource(ResourceArn=arn).get("WebACL")
            for name, arn in context["balancers"].items()
        }
        return {name: bool(found) and found["ARN"] == acl for name, found in before.items()}


def _reserve_of_rules(ruled: Block | None) -> str | None:
    """On what it hangs whether the rules block; None for nothing."""
    if ruled is None:
        return f"if its rules say so: they {_MAY_NOT} all be read"
    return f"unless {' or '.join(ruled.passing)} lets them through first" if ruled.passing else None


def _reserve_of_places(guarded: dict[str, bool] | None) -> str | None:
    """On what it hangs whether all that is ours is behind the web ACL; None for nothing."""
    if guarded is None:
        return f"if it protects what is ours: that {_MAY_NOT} be read"
    if not guarded:
        return "if it protects what is ours: the environment names no load balancer"
    bare = sorted(name for name, behind in guarded.items() if not behind)
    return f"but not at {', '.join(bare)}, which it does not protect" if bare else None


def _set_name(environment: Environment, web_acl: str, version: int) -> str:
    where = environment.web_acls[web_acl]
    return where.ip_set if version == 4 else needed(where.ip_set_v6, environment, f"web_acls.{web_acl}.ip_set_v6")


def _of(version: str, addresses: Iterable[str]) -> list[str]:
    return [name for name in addresses if str(ip_network(name).version) == version]


def _ours(state: State) -> tuple[str, ...]:
    return tuple(name for name in state if name != _IN_FORCE)


def _refuse_many(name: str, count: int) -> None:
    if count > _MOST:
        raise RuleError(f"address set {name} would hold {count} networks; AWS WAF allows {_MOST}: name wider ones")


def _told(standing: bool | str) -> str:
    if standing is True:
        return "what is in it is blocked"
    if str(standing).startswith(_VOID):
        return str(standing).removeprefix(_VOID)
    return f"whether requests from there are blocked cannot be told: they are, {standing}"


def _impact(params: BlockParams, new: list[str], standing: bool | str, *, many: bool) -> str:
    held = len(params.addresses) - len(new)
    already = f" {held} of them stood there before and will stay there when this is undone." if held else ""
    wide = " This is wide: look whom else it hits, such as hospitals behind one address." if many else ""
    count = len(params.addresses)
    whom = "this address" if count == 1 else f"these {count} addresses"
    certain = f" That is not certain: {standing}." if isinstance(standing, str) else ""
    return (
        f"Nobody at {whom} reaches the application until this is undone; every other blocked address stays blocked."
        f"{certain}{already}{wide}"
    )

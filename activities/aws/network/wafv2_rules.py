"""What a web ACL does with requests from given addresses, as far as its rules tell without the requests."""

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any, NamedTuple

from activities.aws.shared.addresses import overlap

_ALLOW, _BLOCK, _COUNT = "Allow", "Block", "Count"


class Rule(NamedTuple):
    """One rule as it is evaluated, overrides applied; without a statement nobody but its owner sees what it matches."""

    name: str
    statement: dict[str, Any] | None
    action: str


class Block(NamedTuple):
    """Whether a set is blocked: `void` says why not; else `passing` are rules that may let requests through before."""

    void: str | None = None
    passing: tuple[str, ...] = ()


def in_order(wafv2: Any, acl: dict[str, Any]) -> list[Rule]:
    """The rules of a web ACL and of the groups in it, as AWS WAF evaluates them (`wafv2:GetRuleGroup`).

    Lowest priority first; Firewall Manager's own groups before and after all others (API WebACL). A group that is
    overridden to count decides nothing.
    """
    ranks = ("PreProcessFirewallManagerRuleGroups", "Rules", "PostProcessFirewallManagerRuleGroups")
    found: list[Rule] = []
    for rank in ranks:
        for rule in sorted(acl.get(rank) or [], key=lambda one: int(one["Priority"])):
            statement = rule.get("Statement") or rule["FirewallManagerStatement"]
            group = statement.get("RuleGroupReferenceStatement") or statement.get("ManagedRuleGroupStatement")
            if group is None:
                found.append(Rule(rule["Name"], statement, _action(rule.get("Action", {}))))
            elif _COUNT not in rule.get("OverrideAction", {}):
                found += _of_group(wafv2, rule["Name"], group)
    return found


def block(wafv2: Any, rules: list[Rule], ip_set: str, addresses: list[str]) -> Block:
    """Whether the rules block requests from `addresses` once the set holds them (`wafv2:GetIPSet`).

    A rule that allows and comes first ends the evaluation. Of another address set it is known whether it holds them;
    what else may match depends on the request.
    """
    why = f"no rule refers to {_name(ip_set)}"
    passing: list[str] = []
    for rule in rules:
        refers = rule.statement is not None and _refers(rule.statement, ip_set)
        if rule.action == _BLOCK and refers:
            certain = _certain(rule.statement or {}, ip_set)
            if certain is None:
                return Block(passing=tuple(passing))
            why = f"rule {rule.name} {certain}"
        elif rule.action == _ALLOW and refers:
            return Block(void=f"rule {rule.name} lets what is in {_name(ip_set)} through")
        elif rule.action == _ALLOW:
            if rule.statement is not None and _holds(wafv2, rule.statement, addresses):
                return Block(void=f"rule {rule.name} lets some of these addresses through before any rule blocks them")
            if rule.statement is None or _may_match(wafv2, rule.statement, addresses):
                passing.append(rule.name)
        elif refers:
            why = f"rule {rule.name} has the action {rule.action}"
    return Block(void=why)


def _of_group(wafv2: Any, name: str, group: dict[str, Any]) -> Iterator[Rule]:
    """A group's rules under its name; what a managed group matches is its vendor's secret."""
    instead = {one["Name"]: _COUNT for one in group.get("ExcludedRules") or []}
    instead |= {one["Name"]: _action(one["ActionToUse"]) for one in group.get("RuleActionOverrides") or []}
    if "ARN" not in group:
        # AWS's own groups allow nothing by themselves; another vendor's may
        foreign = [] if group["VendorName"] == "AWS" else [name]
        allowed = [f"{name}/{rule}" for rule, action in instead.items() if action == _ALLOW]
        yield from (Rule(one, None, _ALLOW) for one in foreign + allowed)
        return
    rules = wafv2.get_rule_group(ARN=group["ARN"])["RuleGroup"].get("Rules", [])
    for rule in sorted(rules, key=lambda one: int(one["Priority"])):
        action = instead.get(rule["Name"], _action(rule.get("Action", {})))
        yield Rule(f"{name}/{rule['Name']}", rule["Statement"], action)


def _action(action: dict[str, Any]) -> str:
    return next(iter(action), _COUNT)


def _refers(statement: dict[str, Any], ip_set: str) -> bool:
    """Whether it names the set anywhere."""
    if (reference := statement.get("IPSetReferenceStatement")) is not None:
        return bool(reference["ARN"] == ip_set)
    return any(_refers(part, ip_set) for part in _parts(statement))


def _certain(statement: dict[str, Any], ip_set: str) -> str | None:
    """Why a rule that names the set does not match every request from it; None when it does."""
    if (reference := statement.get("IPSetReferenceStatement")) is not None:
        forwarded = reference.get("IPSetForwardedIPConfig")
        return f"compares the header {forwarded['HeaderName']}, not where requests come from" if forwarded else None
    parts = [part for part in _parts(statement) if _refers(part, ip_set)]
    if "OrStatement" in statement:
        whys = [_certain(part, ip_set) for part in parts]
        return None if None in whys else whys[0]
    return "blocks the set under further conditions only"


def _parts(statement: dict[str, Any]) -> list[dict[str, Any]]:
    ((_, content),) = statement.items()
    if not isinstance(content, dict):
        return []
    inner = content.get("Statement") or content.get("ScopeDownStatement")
    return content.get("Statements") or ([inner] if inner else [])


def _holds(wafv2: Any, statement: dict[str, Any], addresses: list[str]) -> bool:
    """Whether it is a plain address set that holds any of them."""
    reference = statement.get("IPSetReferenceStatement")
    if reference is None or "IPSetForwardedIPConfig" in reference:
        return False
    return _overlaps(wafv2, reference["ARN"], addresses)


def _may_match(wafv2: Any, statement: dict[str, Any], addresses: list[str]) -> bool:
    """Whether some request from them may match: not where it must come from a set that holds none of them."""
    reference = statement.get("IPSetReferenceStatement")
    if reference is not None:
        return "IPSetForwardedIPConfig" in reference or _overlaps(wafv2, reference["ARN"], addresses)
    if "AndStatement" in statement:
        return all(_may_match(wafv2, part, addresses) for part in _parts(statement))
    if "OrStatement" in statement:
        return any(_may_match(wafv2, part, addresses) for part in _parts(statement))
    return True


def _overlaps(wafv2: Any, ip_set: str, addresses: list[str]) -> bool:
    scope, _, name, number = ip_set.split(":", 5)[5].split("/")
    place = {"Name": name, "Id": number, "Scope": "CLOUDFRONT" if scope == "global" else "REGIONAL"}
    held = [ip_network(one, strict=False) for one in wafv2.get_ip_set(**place)["IPSet"]["Addresses"]]
    return any(overlap(ip_network(one), network) for one in addresses for network in held)


def _name(ip_set: str) -> str:
    return ip_set.split("/")[-2]

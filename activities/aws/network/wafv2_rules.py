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

    A rule that allows and comes first ends the evaluation. Of address sets it is known whether they hold them; what
    else may match depends on the request.
    """
    why = f"no rule refers to {_name(ip_set)}"
    passing: list[str] = []
    for rule in rules:
        refers = rule.statement is not None and _refers(rule.statement, ip_set)
        if rule.action == _ALLOW:
            matched = _matched(wafv2, rule, ip_set, addresses)
            if True in matched:
                whom = f"what is in {_name(ip_set)}" if refers else "some of these addresses"
                return Block(void=f"rule {rule.name} lets {whom} through before any rule blocks them")
            if None in matched:
                passing.append(rule.name)
        elif refers and rule.action == _BLOCK:
            if _matched(wafv2, rule, ip_set, addresses) <= {True}:
                return Block(passing=tuple(passing))
            why = f"rule {rule.name} {_uncertain(rule.statement or {}, ip_set)}"
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


def _uncertain(statement: dict[str, Any], ip_set: str) -> str:
    """Why a rule that names the set does not match every request from it."""
    reference = statement.get("IPSetReferenceStatement")
    if reference is None and "OrStatement" in statement:
        return _uncertain(next(part for part in _parts(statement) if _refers(part, ip_set)), ip_set)
    forwarded = (reference or {}).get("IPSetForwardedIPConfig")
    if forwarded:
        return f"compares the header {forwarded['HeaderName']}, not where requests come from"
    return "blocks the set under further conditions only"


def _parts(statement: dict[str, Any]) -> list[dict[str, Any]]:
    ((_, content),) = statement.items()
    if not isinstance(content, dict):
        return []
    inner = content.get("Statement") or content.get("ScopeDownStatement")
    return content.get("Statements") or ([inner] if inner else [])


def _matched(wafv2: Any, rule: Rule, ip_set: str, addresses: list[str]) -> set[bool | None]:
    """Whether requests from each of the addresses match a rule; None where that depends on the request."""
    if rule.statement is None:
        return {None}
    return {_match(wafv2, rule.statement, ip_set, address) for address in addresses}


def _match(wafv2: Any, statement: dict[str, Any], ip_set: str, address: str) -> bool | None:
    reference = statement.get("IPSetReferenceStatement")
    if reference is not None:
        if "IPSetForwardedIPConfig" in reference:
            return None
        return reference["ARN"] == ip_set or _holds(wafv2, reference["ARN"], address)
    parts = [_match(wafv2, part, ip_set, address) for part in _parts(statement)]
    if "NotStatement" in statement:
        return None if parts[0] is None else not parts[0]
    if "OrStatement" in statement:
        return True if True in parts else (None if None in parts else False)
    if False in parts:
        return False
    return True if "AndStatement" in statement and None not in parts else None


def _holds(wafv2: Any, ip_set: str, address: str) -> bool | None:
    """Whether a set holds all of an address, or of a network; None for a part of it."""
    scope, _, name, number = ip_set.split(":", 5)[5].split("/")
    place = {"Name": name, "Id": number, "Scope": "CLOUDFRONT" if scope == "global" else "REGIONAL"}
    held = [ip_network(one, strict=False) for one in wafv2.get_ip_set(**place)["IPSet"]["Addresses"]]
    asked = ip_network(address)
    near = [one for one in held if overlap(asked, one)]
    return any(one.prefixlen <= asked.prefixlen for one in near) or (None if near else False)


def _name(ip_set: str) -> str:
    return ip_set.split("/")[-2]

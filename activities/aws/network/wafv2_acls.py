"""Web ACLs and address sets of AWS WAF, looked up by the names that an environment gives them."""

from collections.abc import Callable, Iterator
from typing import Any

from activities.action import RuleError
from activities.aws.shared.pages import Pages

SCOPE = "REGIONAL"
_CONFLICTS = 5


def summary(wafv2: Any, listing: str, name: str) -> dict[str, Any]:
    """Find one by name in `web_acls` or `ip_sets` (`wafv2:ListWebACLs`, `wafv2:ListIPSets`)."""
    key = {"web_acls": "WebACLs", "ip_sets": "IPSets"}[listing]
    for page in Pages(getattr(wafv2, f"list_{listing}"), cursor="NextMarker", Scope=SCOPE):
        for found in page[key]:
            if found["Name"] == name:
                return dict(found)
        if not page[key]:
            break  # AWS WAF gives a marker with the last page too
    raise RuleError(f"AWS WAF has no {key[:-1]} {name} here: look at the environment's file")


def write_locked(wafv2: Any, write: Callable[[], None]) -> None:
    """Read and write under a lock token, five times at most where somebody else wrote in between.

    Raises `WAFOptimisticLockException`, retryable, when others kept writing.
    """
    for _ in range(1, _CONFLICTS):
        try:
            return write()
        except wafv2.exceptions.WAFOptimisticLockException:
            continue
    return write()


def place(found: dict[str, Any]) -> dict[str, str]:
    """What names a web ACL or an address set in later calls."""
    return {"Name": found["Name"], "Scope": SCOPE, "Id": found["Id"]}


def blocks(wafv2: Any, acl: dict[str, Any], ip_set_arn: str) -> bool:
    """Tell whether a rule of the web ACL blocks whatever is in the address set (`wafv2:GetRuleGroup`)."""
    return any(
        "Block" in rule.get("Action", {}) and _refers(rule["Statement"], ip_set_arn) for rule in _rules(wafv2, acl)
    )


def guarded(wafv2: Any, acl_arn: str, resources: list[str]) -> list[str]:
    """Give those of the resources that the web ACL stands before (`wafv2:GetWebACLForResource`)."""
    found = {one: wafv2.get_web_acl_for_resource(ResourceArn=one).get("WebACL") for one in resources}
    return [one for one, acl in found.items() if acl and acl["ARN"] == acl_arn]


def _rules(wafv2: Any, acl: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rules of a web ACL and of our rule groups in it; groups that only count are left out."""
    for rule in acl["Rules"]:
        group = rule["Statement"].get("RuleGroupReferenceStatement")
        if group is None:
            yield rule
        elif "Count" not in rule.get("OverrideAction", {}):
            yield from wafv2.get_rule_group(ARN=group["ARN"])["RuleGroup"].get("Rules", [])


def _refers(statement: dict[str, Any], ip_set_arn: str) -> bool:
    if "OrStatement" in statement:
        return any(_refers(one, ip_set_arn) for one in statement["OrStatement"]["Statements"])
    return bool(statement.get("IPSetReferenceStatement", {}).get("ARN") == ip_set_arn)

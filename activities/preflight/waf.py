"""Whether what stands before the application is there: web ACLs in their scope, their address sets and their logs."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from activities.action import RuleError, iam
from activities.aws.network.wafv2_acls import Waf
from activities.aws.network.wafv2_requests import drops
from activities.preflight.check import Check, Room, Verdict, missing, named, ok, wrong
from activities.preflight.places import each, left
from domain.config.environment import Environment

T = TypeVar("T")


def of_waf(look: Callable[[Room, T], Verdict]) -> Callable[[Room, T], Verdict]:
    """Make a look say `missing` of a web ACL or address set that has no such name: AWS WAF knows ids alone."""

    @wraps(look)
    def looked(room: Room, one: T) -> Verdict:
        try:
            return look(room, one)
        except RuleError as error:
            return missing(str(error))

    return looked


@of_waf
def web_acl(room: Room, name: str) -> Verdict:
    """A web ACL of this name is there, in its scope (`wafv2:ListWebACLs`)."""
    Waf(room.clients, room.environment, name).acl()
    return ok("there")


def ip_sets(environment: Environment) -> dict[str, tuple[str, str] | None]:
    """The address sets that the file names, each with its web ACL."""
    named = environment.web_acls.items()
    first = {f"web_acls.{name}.ip_set": (name, one.ip_set) for name, one in named}
    return {**first, **{f"web_acls.{k}.ip_set_v6": (k, one.ip_set_v6) if one.ip_set_v6 else None for k, one in named}}


@of_waf
def ip_set(room: Room, one: tuple[str, str]) -> Verdict:
    """An address set is there, and has room for what is to be blocked (`wafv2:ListIPSets`, `GetIPSet`).

    It holds 10,000 (AWS WAF guide, "AWS WAF quotas").
    """
    waf = Waf(room.clients, room.environment, one[0])
    held = waf.client.get_ip_set(**waf.place(waf.ip_set(one[1])))["IPSet"]["Addresses"]
    return left(len(held), 10_000, 500, "addresses")


@of_waf
def waf_log(room: Room, name: str) -> Verdict:
    """A web ACL logs to its group, and drops no allowed request (`wafv2:ListWebACLs`, `GetLoggingConfiguration`)."""
    waf = Waf(room.clients, room.environment, name)
    one, arn = waf.named, waf.acl()["ARN"]
    try:
        logging = waf.client.get_logging_configuration(ResourceArn=arn)["LoggingConfiguration"]
    except waf.client.exceptions.WAFNonexistentItemException:
        return missing(f"it does not log; let it log to {one.log_group}")
    to = [arn.rsplit(":log-group:", 1)[-1].removesuffix(":*") for arn in logging["LogDestinationConfigs"]]
    if one.log_group not in to:
        return wrong(f"it logs to {', '.join(to)}, not to {one.log_group}; mend log_group")
    if drops(logging.get("LoggingFilter"), "ALLOW"):
        return wrong("its filter drops requests that were allowed, so they go unseen; let it keep them")
    return ok("it logs every allowed request" if "LoggingFilter" in logging else "it logs every request")


def web_acls(room: Room) -> dict[str, str]:
    """The logical names of the web ACLs, by their keys."""
    return {f"web_acls.{name}": name for name in room.environment.web_acls}


CHECKS: tuple[Check[Any], ...] = (
    named("web ACL", web_acls, web_acl, iam("wafv2:ListWebACLs")),
    named("IP set", each(ip_sets), ip_set, iam("wafv2:GetIPSet ListIPSets")),
    named("WAF log", web_acls, waf_log, iam("wafv2:GetLoggingConfiguration ListWebACLs")),
)

"""Web ACLs and address sets of AWS WAF, looked up by the names that an environment gives them."""

from collections.abc import Callable
from typing import Any

from activities.action import Clients, RuleError
from activities.aws.shared.pages import Pages
from domain.config.environment import Environment

_CONFLICTS = 5


class Waf:
    """AWS WAF as a web ACL of the environment needs it: that of CloudFront is in the home region alone."""

    def __init__(self, clients: Clients, environment: Environment, web_acl: str) -> None:
        self.named = environment.web_acls[web_acl]
        self.service = "wafv2" if self.named.scope == "REGIONAL" else f"wafv2@{environment.home_region}"
        self.client: Any = clients.client(self.service)

    def acl(self) -> dict[str, Any]:
        """Find the web ACL by its name (`wafv2:ListWebACLs`)."""
        return self._found(self.client.list_web_acls, "WebACLs", self.named.name)

    def ip_set(self, name: str) -> dict[str, Any]:
        """Find an address set by its name (`wafv2:ListIPSets`)."""
        return self._found(self.client.list_ip_sets, "IPSets", name)

    def place(self, found: dict[str, Any]) -> dict[str, str]:
        """What names a web ACL or an address set in later calls."""
        return {"Name": found["Name"], "Scope": self.named.scope, "Id": found["Id"]}

    def _found(self, listing: Callable[..., Any], key: str, name: str) -> dict[str, Any]:
        for page in Pages(listing, cursor="NextMarker", Scope=self.named.scope):
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

"""Credential stuffing with three accounts taken over: the attackers are locked out, and a breach incident is opened."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.config.environment import Environment
from sandbox.scenarios.actors import Actors, ScenarioError
from sandbox.scenarios.scenario import Aws, Check, Scenario

_POOL = "patients"
_OTHERS = 2
"""How many accounts that were tried in vain get their password reset, to be safe."""


class Security(Scenario):
    """The findings raise a P1 to P0 and open a data breach; people block, disable, sign out and reset."""

    type = "security"
    severity = "P1"
    title = "Strange sign-ins at the portal"
    fault = "security-credential-stuffing"
    opening = "Passwords leaked elsewhere are being tried on the portal, and some of them work."

    def __init__(self) -> None:
        self._aws: Aws
        self._environment: Environment
        self._state: dict[str, Any] = {}
        self._breach: dict[str, Any] = {}
        self._taken: list[str] = []
        self._guessed: list[str] = []

    def look(self, aws: Aws, environment: Environment) -> dict[str, Any]:
        self._aws, self._environment = aws, environment
        return {"blocked": self._blocked(), "groups": self._groups(), "accounts": self._accounts()}

    async def play(self, actors: Actors) -> None:
        actors.narrate("Declared as P1: only the Security Lead is paged, and every probe of the runbook starts")
        state = await actors.until("every finding", lambda state: len(state["findings"]) >= 9)
        actors.narrate("The attackers have read studies: that raises it to P0, and opens a data breach incident")
        await actors.until("P0", lambda state: state["severity"] == "P0")
        await actors.until("the data breach", lambda state: any(link["incident"] for link in state["links"]))
        await actors.say("security-lead", "acknowledge")
        actors.narrate("The finding's addresses are blocked at once; the set keeps what it held before")
        found = next(one["facts"] for one in state["findings"] if one["step"] == "failed-sign-ins")
        await actors.request("security-lead", "block-addresses", addresses=found["suspects"])
        await actors.applied("block-addresses")
        actors.narrate("Only the log has the account ids; the Security Lead looks them up there")
        self._look_up_accounts(found["suspects"])
        for step, why in (
            ("disable-accounts", "The accounts taken over are disabled, once somebody else has approved it"),
            ("sign-out-accounts", "and signed out of every session"),
        ):
            actors.narrate(why)
            change = await actors.request("security-lead", step, users=self._taken)
            await actors.approve("technical-manager", change)
            await actors.applied(step)
        actors.narrate("Accounts that were tried in vain must choose new passwords; Cognito sends each a code")
        change = await actors.request("security-lead", "reset-passwords", users=self._guessed)
        await actors.approve("technical-manager", change)
        await actors.applied("reset-passwords")
        actors.narrate("The attackers are locked out: mitigated, resolved, the runbook's tasks done, closed")
        await actors.finish("security-lead", "Attackers blocked, accounts disabled, sessions ended")
        self._state = await actors.state()
        link = next(link for link in self._state["links"] if link["type"] == "data-breach")
        # the breach stays open: its obligations outlast this scenario
        handle = actors.client.get_workflow_handle(link["incident"])
        self._breach = await handle.query("state", result_type=dict)

    def checks(self, aws: Aws, environment: Environment, seen_before: dict[str, Any]) -> list[Check]:
        del aws, environment
        blocked, accounts = self._blocked(), self._accounts()
        held, new = seen_before["blocked"], sorted(set(blocked) - set(seen_before["blocked"]))
        others = {sub: one for sub, one in accounts.items() if sub not in {*self._taken, *self._guessed}}
        first = datetime.fromisoformat(self._state["declared_at"])
        aware = self._breach["aware_at"]
        return [
            Check(f"{', '.join(held)} are still blocked", bool(held) and set(held) <= set(blocked)),
            Check(f"{', '.join(new)} are blocked too", len(new) == 5),
            Check(
                f"the {len(self._taken)} accounts taken over are disabled",
                len(self._taken) == 3 and all(not accounts[sub]["enabled"] for sub in self._taken),
            ),
            Check(
                f"{len(self._guessed)} accounts must choose a new password",
                all(accounts[sub]["status"] == "RESET_REQUIRED" for sub in self._guessed),
            ),
            Check(
                f"{len(others)} other accounts are unchanged",
                all(seen_before["accounts"][sub] == one for sub, one in others.items()),
            ),
            Check("the security groups are unchanged", self._groups() == seen_before["groups"]),
            Check(
                f"{self._breach['id']} ({self._breach['type']}) is open, its awareness dated to this one's declaration",
                self._breach["status"] not in {"closed", "false-alarm"} and datetime.fromisoformat(aware) == first,
            ),
        ]

    def _look_up_accounts(self, addresses: list[str]) -> None:
        """Read who signed in from the attackers' addresses, as the finding's Logs Insights query would."""
        group = self._environment.services["backend"].log_group
        since = datetime.now(UTC) - timedelta(hours=1)
        pages = self._aws("logs").get_paginator("filter_log_events")
        found = pages.paginate(logGroupName=group, startTime=int(since.timestamp() * 1000), filterPattern="sourceIp")
        lines = [json.loads(event["message"]) for page in found for event in page["events"]]
        theirs = [one for one in lines if one["eventType"] == "AUTHENTICATION" and one["sourceIp"] in addresses]
        known = self._accounts()
        self._taken = sorted({one["userId"] for one in theirs if one["success"]})
        tried = {one["userId"] for one in theirs} & known.keys()
        self._guessed = sorted(tried - set(self._taken))[:_OTHERS]
        if len(self._guessed) < _OTHERS:
            raise ScenarioError("the log names too few accounts that were tried in vain")

    def _blocked(self) -> list[str]:
        wafv2, named = self._aws("wafv2"), self._environment.web_acls["portal"].ip_set
        sets = wafv2.list_ip_sets(Scope="REGIONAL")["IPSets"]
        found = next(one for one in sets if one["Name"] == named)
        held = wafv2.get_ip_set(Name=named, Scope="REGIONAL", Id=found["Id"])["IPSet"]["Addresses"]
        return sorted(held)

    def _groups(self) -> list[Any]:
        rules = self._aws("ec2").describe_security_group_rules()["SecurityGroupRules"]
        return sorted((rule["GroupId"], rule["SecurityGroupRuleId"]) for rule in rules)

    def _accounts(self) -> dict[str, dict[str, Any]]:
        pool = self._environment.user_pools[_POOL]
        users = self._aws("cognito-idp").list_users(UserPoolId=pool)["Users"]
        return {one["Username"]: {"enabled": one["Enabled"], "status": one["UserStatus"]} for one in users}

"""AWS refuses a piece of a change: the rest is done, everybody can see which is missing, and it can be taken back."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.scenarios.breach import DataBreach
from starters.files.organisation_folder import load_environment
from tests.e2e.house import House
from tests.e2e.wire import Wire
from tests.e2e.workers import Worker
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

STEP = "isolate-network"
DENIED = "AccessDenied: AWS answered AccessDeniedException to UpdateWebACL"


def asked(house: House, *arguments: str) -> str:
    """Ask for the isolation, or for its undo, and approve it as shown."""
    plan = house.json(*arguments, STEP, "--as", "security-lead")
    house.run("approve", arguments[1], STEP, "--digest", plan["plan"]["digest"], "--as", "technical-manager")
    return str(plan["workflow_id"])


def barriers(seen: dict[str, Any]) -> tuple[dict[str, Any], list[bool], list[int]]:
    """What stands from outside: the web ACL's default, the directions denied first, the services' ingress rules."""
    denied = [
        entry["Egress"] for entry in seen["network_acl"] if (entry["RuleNumber"], entry["RuleAction"]) == (1, "deny")
    ]
    return seen["web_acl"]["DefaultAction"], denied, [len(seen["ingress"][name]) for name in ("backend", "frontend")]


def test_an_isolation_without_the_web_acl_cuts_the_rest(house: House, aws: Wire, worker: Worker) -> None:
    """`UpdateWebACL` is denied: network ACL and security groups cut all the same, and the commander is paged with it.

    Its undo puts back what was cut, though the web ACL was never touched.
    """
    environment = load_environment(Path(house.variables["INCIDENT_RUNBOOKS"]), "sandbox")
    outside = DataBreach()
    stood = outside.look(house.aws, environment)
    title = "Studies are downloaded, and WAF lets nobody in"
    incident = house.json("start", "data-breach", "--severity", "P0", "--title", title)["incident_id"]
    house.run("ack", incident, "--as", "security-lead")
    with aws.denying("wafv2.UpdateWebACL", "AccessDeniedException"):
        asked(house, "change", incident)
        change = house.change(incident, "partly-applied", step=STEP)
    cut = barriers(outside.look(house.aws, environment))
    assert cut == (stood["web_acl"]["DefaultAction"], [False, True], [0, 0])
    assert change["pieces"].pop("default_action") == DENIED
    assert set(change["pieces"].values()) == {"done"}
    assert "Done in part" in house.run("show", incident)
    assert any(f"default_action ({DENIED})" in entry["text"] for entry in house.timeline(incident))

    def told() -> list[str]:
        return [one["role"] for one in house.outbox(incident) if "done in part" in one["subject"]]

    until(lambda: told() == ["incident-commander"], "the commander is paged about it, once")
    asked(house, "undo", incident)
    house.change(incident, "applied", number=2, step=STEP)
    assert outside.look(house.aws, environment) == stood

"""An incident in staging whose people sign by their session of AWS: it counts, and the hands vouch for it."""

from typing import Any

import pytest

from tests.e2e.account import Portal
from tests.e2e.house import House
from tests.e2e.staging import STAGING
from tests.e2e.staging_alone import house, worker
from tests.e2e.workers import Worker

__all__ = ["house", "worker"]
pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.xdist_group("e2e-staging")]

WHO = ("devops-lead", "technical-manager")
BY_AWS = ("--sign-with", "aws")


def signed_in(house: House, contact: str) -> dict[str, str]:
    """Make a user of AWS for a contact, and enrol them by somebody whose key may: what their shell holds then."""
    iam = house.aws("iam")
    arn = iam.create_user(UserName=contact)["User"]["Arn"]
    key = iam.create_access_key(UserName=contact)["AccessKey"]
    assert arn == f"arn:aws:iam::{STAGING}:user/{contact}"
    first = house.json("identity", "list")["keys"][0]["contact"]
    house.run("identity", "enrol", contact, "--aws-arn", arn, "--as", first)
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


def test_a_change_is_requested_and_approved_by_aws(house: House, worker: Worker) -> None:
    """Who is signed in as somebody else is told before it is sent. What was seen outlives the worker that saw it."""
    portal = Portal(house, "axis-imaging-cluster-staging", "axis-imaging-backend-staging")
    portal.break_()
    lead, manager = (signed_in(house, one) for one in WHO)
    as_manager = ("--as", "technical-manager", *BY_AWS)
    assert "proven by AWS" in house.run("identity", "test", *as_manager, **manager)
    incident = house.start("Portal answers 503")
    house.run("ack", incident, *BY_AWS, **lead)
    digest = house.json("change", incident, "rollback", *BY_AWS, **lead)["plan"]["digest"]
    stranger: Any = house.call("approve", incident, "rollback", "--digest", digest, *as_manager, **lead)
    assert (stranger.returncode, "which is not technical-manager's in the register" in stranger.stderr) == (1, True)
    worker.kill()
    worker.end()
    worker.start()
    house.run("approve", incident, "rollback", "--digest", digest, *as_manager, **manager)
    (vote,) = house.change(incident, "applied")["approvals"]
    key = f"arn:aws:iam::{STAGING}:user/technical-manager"
    assert (vote["by"], vote["verified"]["method"], vote["verified"]["key"]) == ("technical-manager", "aws-iam", key)
    house.run("false-alarm", incident, "--reason", "tried", *BY_AWS, **lead)
    house.ended(incident)
    acts = house.json("audit", "verify", incident)["acts"]
    assert {one["answer"] for one in acts} == {"hands"}
    assert {one["by"] for one in acts} == set(WHO)

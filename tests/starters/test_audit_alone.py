"""An archive proves who broke the glass, over which plan and for which reason, and who has reviewed it."""

from typing import Any

import pytest

from domain.model.proofs import of_break_glass
from tests.builders import T0, minutes
from tests.domain.changing import plan
from tests.records import INCIDENT
from tests.signed_records import Entries, claim, commanded, entry, keys, planned, requested, told, verified
from tests.starters.audited import Checks

WHY = "nobody answers since 03:10"
REVIEW = "review:rollback:1"


def alone(**fields: Any) -> Entries:
    """A rollback that whoever requested it decides alone, and the review of it; `fields` replace those of the claim."""
    over = of_break_glass(plan().digest, WHY)
    given = {"step": "rollback", "generation": 1, **fields}
    act, subject = given.pop("act", "break-glass"), given.pop("subject", over)
    proof = keys().proof(claim("devops-lead", act, subject, T0 + minutes(3), **given))
    data: dict[str, Any] = {"step": "rollback", "workflow_id": f"{INCIDENT}/rollback/1", "role": "devops-lead"}
    data |= {"decision": "approve", "digest": plan().digest, "verified": verified(proof), "proof": proof}
    opened = {"step": REVIEW, "because": "approval", "title": "Review", "owner": "cto", "review_of": "devops-lead"}
    done = {"step": REVIEW, "title": "Review", "status": "done", "note": "it was right"}
    return [
        told()[0],
        requested(1, "devops-lead", "rollback", {}),
        planned(2, "rollback"),
        entry(3, "devops-lead", "approval", {**data, "break_glass": WHY}, {"command": "break_glass"}),
        entry(3, "orchestrator", "task-opened", opened, {"change": f"{INCIDENT}/rollback/1"}),
        commanded(9, "cto", "task", done, "complete_task", {"step": REVIEW, "note": "it was right"}),
    ]


def test_who_decided_alone_is_proven_and_so_is_its_review(check: Checks) -> None:
    found = check(alone())
    assert (found.good, found.answers) == (True, {2: "proven", 4: "proven", 6: "proven"})
    assert found.json["acts"][1]["what"] == f"approves {INCIDENT}/rollback/1 alone"


@pytest.mark.parametrize(
    "fields",
    [{"act": "approve"}, {"subject": plan().digest}, {"subject": of_break_glass(plan().digest, "why not")}],
)
def test_what_was_signed_otherwise_is_wrong(check: Checks, fields: dict[str, Any]) -> None:
    """A plain approval, a claim over the plan without a reason, or with another one."""
    assert check(alone(**fields)).answers[4] == "wrong"


def test_a_review_does_not_end_by_itself(check: Checks) -> None:
    """Though no step of the runbook is called so: it has to be signed by whoever did it."""
    entries = alone()
    entries[5]["actor"], entries[5]["cause"] = "orchestrator", {"deadline": "review"}
    assert check(entries).answers[6] == "wrong"

"""`verify.py` judges who named a stand-in by what the declaration says, also where nobody signs runbooks."""

from typing import Any

import pytest

from reporting.archive.verify_entries import may_name
from tests.builders import organisation
from tests.delegating import delegation


@pytest.mark.parametrize("signers", [None, [], ["devops-lead"]])
@pytest.mark.parametrize(("by", "may"), [("devops-lead", True), ("cto", True), ("security-lead", False)])
def test_who_may_name_a_stand_in(signers: list[str] | None, by: str, may: bool) -> None:
    """Whoever holds the role or one above it; where it signs runbooks its holders alone."""
    people: dict[str, Any] = organisation().model_dump(mode="json", exclude={"runbook_approvers"})
    if signers is not None:
        people["runbook_approvers"] = signers
    told = delegation(by=by).model_dump(mode="json")
    entry = {"kind": "delegated", "actor": by, "data": {"delegation": told}}
    checks = bool(signers) and by != "devops-lead"
    assert may_name({"organisation": people}, entry) == (may and not checks)

"""Who has approved a runbook stands in the declaration, goes along with what that opens, and in the report."""

from domain.model.declaration import Declaration
from domain.model.records import Link
from tests.activities.report_parts import parts
from tests.activities.report_worlds import Played
from tests.builders import T0, runbook
from tests.signatures import axis, carried, own, signed

OTHER = runbook(id="data-breach", version="1.3")
OPENED = "inc-20261123-0002"


def of_production(*approvers: str) -> Declaration:
    """Signed by these; what it may open is signed by both."""
    approvals = carried(*signed(runbook(), *approvers), *signed(OTHER, "cto", "compliance-officer"))
    return own(approvals=approvals, related={OTHER.id: OTHER}, lacking=("cto",))


def said(declared: Declaration) -> str:
    """The report's line on the runbook."""
    (line,) = (one for one in parts(Played(declared).entries)["Summary"] if "Runbook " in one)
    return line[line.index("Runbook ") :]


def test_the_report_says_who_approved_which_version() -> None:
    """By contact, role and day in the organisation's zone; of an incident's own runbook alone."""
    assert said(of_production("cto", "compliance-officer")).startswith(
        "Runbook system-outage, version 1.0, approved by cto (cto) on 2026-10-24 and by compliance-officer "
        "(compliance-officer) on 2026-10-24, digest "
    )


def test_the_report_says_whose_signature_production_lacked() -> None:
    assert said(of_production("cto")).startswith(
        "Runbook system-outage, version 1.0, approved by cto (cto) on 2026-10-24, "
        "without the signature of compliance-officer, digest "
    )
    assert ", version 1.0, without the signature of cto and compliance-officer, digest " in said(of_production())
    assert ", version 1.0, digest " in said(own("sandbox"))


def test_what_an_incident_opens_is_approved_by_who_signed_that() -> None:
    """And it hides nothing: what the first lacked is none of its own."""
    link = Link(type=OTHER.id, because="bytes went out")
    opened = of_production().opening(link, OPENED, T0)
    assert [one.claim.by for one in opened.approved_by] == ["cto", "compliance-officer"]
    assert opened.lacking == ()
    assert said(opened).startswith("Runbook data-breach, version 1.3, approved by cto (cto)")


def test_a_declaration_goes_through_json_and_its_claims_stay_as_they_were_signed() -> None:
    both = signed(runbook(), "cto", "compliance-officer")
    again = Declaration.model_validate_json(own(approvals=carried(*both)).model_dump_json(by_alias=True))
    assert [one.model_dump(mode="json") for one in again.approvals] == [one.signed() for one in both]
    assert again.organisation.runbook_approvers == axis().runbook_approvers

"""AWS Support, where moto differs from AWS: cases keep their severity, and stay open until resolved."""

from typing import Any

from moto.core.responses import ActionResult
from moto.support.models import SupportBackend
from moto.support.responses import SupportResponse

from sandbox.aws.moto_patch import patch

_create_case = SupportBackend.create_case
_SEVERITIES = (
    ("low", "General guidance"),
    ("normal", "System impaired"),
    ("high", "Production system impaired"),
    ("urgent", "Production system down"),
    ("critical", "Business-critical system down"),
)


def install() -> None:
    """Patch moto with these operations."""
    patch(
        SupportBackend,
        create_case=create_case,
        resolve_case=resolve_case,
        advance_case_status=_stay,
        advance_case_severity_codes=_stay,
    )
    patch(SupportResponse, describe_severity_levels=describe_severity_levels)


def create_case(backend: SupportBackend, **kwargs: Any) -> dict[str, str]:
    """Open a case; its status is `opened`."""
    made: dict[str, str] = _create_case(backend, **kwargs)
    backend.cases[made["caseId"]].status = "opened"
    return made


def resolve_case(backend: SupportBackend, case_id: str) -> dict[str, str | None]:
    """Resolve a case; resolving it again changes nothing."""
    case = backend.cases[case_id]
    before, case.status = case.status, "resolved"
    return {"initialCaseStatus": before, "finalCaseStatus": "resolved"}


def describe_severity_levels(_response: SupportResponse) -> ActionResult:
    """List the severities of an Enterprise support plan."""
    return ActionResult({"severityLevels": [{"code": code, "name": name} for code, name in _SEVERITIES]})


def _stay(_backend: SupportBackend, _case_id: str) -> None:
    """Leave a case as it is, where moto would advance it: only AWS's staff and `resolve_case` change one."""

"""Tell how long a certificate is still good, and whether it will be renewed by itself."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import CertificateName, Clients, Params, ProbeAction, iam
from activities.aws.shared.findings import suspect_if
from domain.config.environment import Environment
from domain.model.calls import Scope
from domain.model.finding import Finding
from domain.values.timestamps import short_time, stamp_to_second


class CertificateParams(Params):
    """Suspect from `days` before the end on."""

    certificate: CertificateName
    days: int = Field(default=30, ge=0)


class Certificate(ProbeAction[CertificateParams]):
    """Reads a certificate's end, status and renewal.

    ACM renews those that it issued 60 days ahead, if it can validate the domain; imported ones it never renews.
    """

    name = "acm.certificate"
    permissions = iam("acm:DescribeCertificate")

    def observe(self, scope: Scope, params: CertificateParams, at: datetime) -> Finding:
        arn = scope.environment.certificates[params.certificate]
        found = acm_of(self.clients, scope.environment, arn).describe_certificate(CertificateArn=arn)["Certificate"]
        end: datetime | None = found.get("NotAfter")
        facts: dict[str, Any] = {"certificate": params.certificate, "status": found["Status"]}
        stands = f"certificate {params.certificate} is {found['Status']}"
        if end is None:
            return suspect_if(True, f"{stands}: it was never issued", facts)
        renewal = found.get("RenewalSummary", {})
        imported = found.get("Type") == "IMPORTED"
        days = (end - at) / timedelta(days=1)
        how = "imported, so nothing renews it" if imported else f"renewal {renewal.get('RenewalStatus', 'not begun')}"
        reason = f" ({renewal['RenewalStatusReason']})" if renewal.get("RenewalStatusReason") else ""
        ends = f"ends {short_time(end)}, in {days:.1f} days" if days > 0 else f"ended {short_time(end)}"
        facts |= {
            "not_after": stamp_to_second(end),
            "days_left": round(days, 1),
            "imported": imported,
            "renewal": renewal.get("RenewalStatus"),
            "reason": renewal.get("RenewalStatusReason"),
            "in_use_by": len(found.get("InUseBy", [])),
        }
        late = days <= params.days or found["Status"] != "ISSUED"
        return suspect_if(late, f"{stands}, {ends}; {how}{reason}", facts)


def acm_of(clients: Clients, environment: Environment, arn: str) -> Any:
    """The client of ACM that knows a certificate: those of CloudFront are in its home region."""
    home = f":acm:{environment.home_region}:" in arn
    return clients.client(f"acm@{environment.home_region}" if home else "acm")

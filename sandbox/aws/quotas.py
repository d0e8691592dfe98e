"""Service Quotas, of which moto knows those of VPC alone."""

from typing import Any

from moto.servicequotas.models import ServiceQuotasBackend

from sandbox.aws.moto_patch import patch

_get_service_quota = ServiceQuotasBackend.get_service_quota
_MORE = {("rds", "L-272F1212"): ("Manual DB instance snapshots", 100.0)}  # RDS user guide, "Quotas in Amazon RDS"


def install() -> None:
    """Patch moto with this operation."""
    patch(ServiceQuotasBackend, get_service_quota=get_service_quota)


def get_service_quota(backend: ServiceQuotasBackend, service_code: str, quota_code: str) -> dict[str, Any]:
    """What an account may have at most."""
    if (service_code, quota_code) not in _MORE:
        return _get_service_quota(backend, service_code, quota_code)
    name, value = _MORE[service_code, quota_code]
    return {"ServiceCode": service_code, "QuotaCode": quota_code, "QuotaName": name, "Value": value}

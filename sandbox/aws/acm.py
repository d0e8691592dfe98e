"""AWS Certificate Manager: certificates under given ARNs, with an expiry and a renewal status, which moto lacks."""

from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from moto.acm.models import CertBundle, acm_backends

from sandbox.aws.moto_patch import patch

_describe = CertBundle.describe
_RENEWAL = "renewal_summary"


def install() -> None:
    """Patch moto with these operations."""
    patch(CertBundle, describe=describe)


def describe(bundle: CertBundle) -> dict[str, Any]:
    """Describe a certificate; one issued by ACM includes its renewal status."""
    described: dict[str, Any] = _describe(bundle)
    if renewal := vars(bundle).get(_RENEWAL):
        described["Certificate"] |= {"RenewalSummary": renewal, "RenewalEligibility": "ELIGIBLE"}
    return described


def named_certificate(
    where: tuple[str, str], arn: str, domain: str, ends: tuple[datetime, datetime], renewal: dict[str, Any] | None
) -> None:
    """Add a certificate issued by ACM under this ARN, replacing any that is there."""
    account, region = where
    key = ec.generate_private_key(ec.SECP256R1())  # an RSA key would take a noticeable time
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domain)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Amazon RSA 2048 M02")]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends[0].astimezone(UTC))
        .not_valid_after(ends[1].astimezone(UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(domain)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    bundle = CertBundle(
        account, made.public_bytes(encoding), private, region=region, arn=arn, cert_type="AMAZON_ISSUED"
    )
    vars(bundle)[_RENEWAL] = renewal
    acm_backends[account][region]._certificates[arn] = bundle  # moto's import chooses the ARN itself

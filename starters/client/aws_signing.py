"""Signing a claim by AWS: with the caller's own session there, such as one of AWS SSO, as it is sent."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from authority.aws_requests import signed
from authority.claims import Claim
from authority.proofs import Proof
from authority.register import Register
from starters.errors import RefusedError
from starters.options import BY_AWS

if TYPE_CHECKING:
    from domain.config.environment import Environment


def is_by_aws(register: Register, who: str, key: Path | None, now: datetime) -> bool:
    """Whether somebody signs by AWS: where they say so, and where that is all that they have enrolled and is good."""
    if key is not None:
        return key == BY_AWS
    methods = {one.method for one in register.of(who) if one.proves_at(now)}
    return "aws-iam" in methods and "ssh" not in methods


def proof_by_aws(claim: Claim, register: Register, environment: "Environment") -> Proof:
    """Sign with the credentials that boto3 finds (`AWS_PROFILE`), for the STS of the environment's region.

    STS is asked first whose they are (`sts:GetCallerIdentity`). Raises `RefusedError` where there are none, and where
    they are not the claimant's by the register.
    """
    from starters.client import aws_session

    arn, held = aws_session.own_identity(environment.region)
    now = datetime.now(UTC)
    key = register.key(arn)
    if key is None or key.contact != claim.by or not key.proves_at(now):
        known = " or ".join(one.name for one in register.of(claim.by) if one.method == "aws-iam" and one.proves_at(now))
        instead = f"sign in as {known} (AWS_PROFILE)" if known else f"somebody enrols it: identity enrol {claim.by}"
        raise RefusedError(f"AWS knows you as {arn}, which is not {claim.by}'s in the register: {instead}")
    return Proof(method="aws-iam", key=arn, signature=signed(claim.canonical(), held, environment.region, now))

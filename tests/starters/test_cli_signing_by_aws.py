"""People who sign in to AWS are enrolled by their ARN, and sign by their session there as the command sends."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from moto.core.authorization import disable_iam_authentication

from activities.aws.shared.clients import AwsClients
from activities.ledger.seen import SeenClaims
from activities.ledger.table import Table
from authority.claims import Act, Claim
from authority.proofs import UnprovenError, prove_by_sts
from authority.signed import signed as read
from domain.model import acts
from starters.client import aws_session, custody_writer
from starters.client.proving import Said as Claimed
from starters.client.proving import Signing
from starters.errors import RefusedError
from starters.files.identities import load_identities
from starters.options import BY_AWS, Options
from tests.activities.world import create_table
from tests.authority.sts import REGION, Sts, listening, real_sigv4
from tests.starters.conftest import Incident
from tests.starters.enrolled import Enrolled, enrolled

USER = "arn:aws:iam::123456789012:user/cto"
INCIDENT: dict[str, Any] = {"proofs": True, "environment": "sandbox", "id": "inc-20261123-7f3k"}
SAID = Claimed(Act.CLOSE, acts.subject("close", {}))


class Clinic:
    """An organisation whose technical manager has a key, and whose CTO and CEO sign in to an AWS that looks at it."""

    def __init__(self, incident: Incident, place: Path, sts: Sts, patch: pytest.MonkeyPatch) -> None:
        self.incident, self.sts, self.patch = incident, sts, patch
        self.made: Enrolled = enrolled(incident, place, "technical-manager")
        self.arns = dict(zip(("cto", "ceo"), sts.known, strict=True))
        self.options = Options(environment="sandbox", runbooks=str(self.made.folder), who="cto")
        patch.setenv("INCIDENT_RUNBOOKS", str(self.made.folder))
        patch.setenv("AWS_ENDPOINT_URL", sts.endpoint)
        self.sign_in("cto")

    def sign_in(self, contact: str) -> None:
        """As an AWS profile does, or the credentials of a session in the environment."""
        held = self.sts.known[self.arns[contact]]
        self.patch.setenv("AWS_ACCESS_KEY_ID", held.access_key or "")
        self.patch.setenv("AWS_SECRET_ACCESS_KEY", held.secret_key or "")
        self.patch.delenv("AWS_SESSION_TOKEN", raising=False)
        if held.token:
            self.patch.setenv("AWS_SESSION_TOKEN", held.token)

    def enrol(self, contact: str, *more: str) -> Any:
        key = str(self.made.keys["technical-manager"])
        arn = self.arns.get(contact, USER)
        signs = ("--as", "technical-manager", "--sign-with", key)
        return self.incident("identity", "enrol", contact, "--aws-arn", arn, *signs, *more)

    def signed(self, by: str, key: Path | None = None) -> dict[str, Any]:
        return Signing(self.options, key).signed(INCIDENT, {"by": by}, SAID)

    def proven(self, proof: Any) -> str:
        found, register = read(proof), load_identities(self.made.folder, "axis-imaging")
        post = aws_session.sts(REGION)
        return prove_by_sts(found.claim, found.proof, register, datetime.now(UTC), REGION, post).key


@pytest.fixture
def clinic(incident: Incident, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clinic]:
    real = real_sigv4()
    for name in ("canonical_request", "signature"):
        monkeypatch.setattr(SigV4Auth, name, getattr(real, name))
    with listening(users=1) as sts:
        yield Clinic(incident, tmp_path, sts, monkeypatch)


@pytest.mark.parametrize("who", ["cto", "ceo"])
def test_who_is_enrolled_by_arn_signs_by_their_session(clinic: Clinic, who: str) -> None:
    """Without being told to: it is all that they have. STS says so of a user and of a session of AWS SSO."""
    assert clinic.enrol(who).status == 0
    clinic.sign_in(who)
    payload = clinic.signed(who)
    assert payload["proof"]["method"] == "aws-iam"
    assert clinic.proven(payload["proof"]) == clinic.arns[who]
    claim = Claim.model_validate(payload["proof"]["claim"])
    assert (claim.by, claim.incident, claim.expires - claim.at) == (who, INCIDENT["id"], timedelta(hours=24))
    with pytest.raises(UnprovenError, match="it is not over this claim"):
        clinic.proven({**payload["proof"], "claim": {**payload["proof"]["claim"], "nonce": "0f" * 16}})


def test_who_is_signed_in_as_somebody_else_is_told(clinic: Clinic) -> None:
    """Before anything is sent; and where nobody is signed in."""
    assert clinic.enrol("cto").status == 0
    clinic.sign_in("ceo")
    with pytest.raises(RefusedError, match="AWS knows you as") as refused:
        clinic.signed("cto")
    assert f"sign in as {clinic.arns['cto']} (AWS_PROFILE)" in str(refused.value)
    clinic.patch.setenv("AWS_PROFILE", "not-there")
    with pytest.raises(RefusedError, match="aws sso login"):
        clinic.signed("cto")


def test_whoever_has_a_key_signs_with_it_unless_told_otherwise(clinic: Clinic) -> None:
    """A key is looked at for ever; `--sign-with aws` takes the session all the same."""
    assert clinic.enrol("technical-manager").status == 0
    clinic.patch.delenv("SSH_AUTH_SOCK", raising=False)
    with pytest.raises(RefusedError, match="no SSH agent answers"):
        clinic.signed("technical-manager")
    assert clinic.signed("technical-manager", clinic.made.keys["technical-manager"])["proof"]["method"] == "ssh"
    with pytest.raises(RefusedError, match="AWS knows you as"):
        clinic.signed("technical-manager", BY_AWS)


def test_identity_test_asks_sts(clinic: Clinic) -> None:
    assert clinic.enrol("cto").status == 0
    said = clinic.incident("identity", "test", "--as", "cto", "--json")
    assert said.json == {"by": "cto", "method": "aws-iam", "key": clinic.arns["cto"], "holder_verified": False}
    told = clinic.incident("identity", "test", "--as", "cto", "--sign-with", "aws")
    assert told.out == f"You are cto: proven by AWS, {clinic.arns['cto']}\n"
    listed = clinic.incident("identity", "list", "--json").json["keys"]
    assert [(one["method"], one["key"]) for one in listed][1:] == [("aws-iam", clinic.arns["cto"])]
    key = str(clinic.made.keys["technical-manager"])
    revoked = ("identity", "revoke", clinic.arns["cto"], "--as", "technical-manager", "--sign-with", key)
    assert clinic.incident(*revoked).status == 0
    said = clinic.incident("identity", "test", "--as", "cto", "--sign-with", "aws")
    assert (said.status, "is not cto's in the register" in said.err) == (1, True)


def test_what_is_no_persons_is_not_enrolled(clinic: Clinic) -> None:
    """Nor what would sign the register itself, nor as the first, nor a key and an ARN at once."""
    before = (clinic.made.folder / "identities.yaml").read_bytes()
    key = str(clinic.made.keys["technical-manager"])
    signs = ("--as", "technical-manager", "--sign-with", key)
    role = ("--aws-arn", "arn:aws:sts::123456789012:assumed-role/Admin/cto")
    said = clinic.incident("identity", "enrol", "cto", *role, *signs)
    assert (said.status, "take the ARN of an IAM user, or of a session" in said.err) == (1, True)
    said = clinic.enrol("cto", "--enrols")
    assert (said.status, "an identity of AWS enrols nobody" in said.err) == (1, True)
    assert clinic.incident("identity", "enrol", "cto", *signs).status == 2
    assert clinic.enrol("cto", "--public", f"{key}.pub").status == 2
    by_aws = ("--as", "technical-manager", "--sign-with", "aws")
    said = clinic.incident("identity", "enrol", "cto", "--aws-arn", USER, *by_aws)
    assert (said.status, "sign with an SSH key" in said.err) == (1, True)
    assert (clinic.made.folder / "identities.yaml").read_bytes() == before
    (clinic.made.folder / "identities.yaml").unlink()
    said = clinic.incident("identity", "enrol", "cto", "--aws-arn", USER, "--as", "cto")
    assert (said.status, "it is an SSH key" in said.err) == (1, True)
    assert not (clinic.made.folder / "identities.yaml").exists()


def test_what_the_command_puts_on_record_itself_it_has_looked_at(clinic: Clinic) -> None:
    """Evidence released behind the end: what AWS says of the signature stands in the table, by the caller's rights."""
    assert clinic.enrol("cto").status == 0
    where = clinic.options.load_environment()
    with disable_iam_authentication():
        clients = AwsClients(boto3.Session(), REGION)
        create_table(clients.client("dynamodb"), where.ledger_table)
        subject = acts.subject("custody", {"evidence": "e", "event": "released", "reason": "asked for"})
        claimed = Claimed(Act.RELEASE_EVIDENCE, subject)
        payload = Signing(clinic.options, None).signed(INCIDENT, {"by": "cto"}, claimed)
        with pytest.raises(RefusedError, match="cto is not proven: it is signed for another plan"):
            custody_writer._witness(clinic.options, clients, "0" * 64, payload["proof"])
        custody_writer._witness(clinic.options, clients, subject, payload["proof"])
        found = SeenClaims(Table(clients, where.ledger_table))
        seen = found.find(read(payload["proof"]).claim, read(payload["proof"]).proof)
    assert seen is not None
    assert seen.key == clinic.arns["cto"]

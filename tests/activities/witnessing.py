"""People whom AWS knows, an STS that says so, and a witness that asks it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from botocore.credentials import ReadOnlyCredentials

from activities.action import Clients
from activities.house import House
from activities.witness import Witness
from authority.aws_iam import Answer
from authority.aws_requests import signed
from authority.claims import Claim
from authority.register import RegisteredKey
from domain.model.proofs import ClaimAsked, Verdict
from tests.activities.scopes import NOW
from tests.authority.sts import ACCOUNT, REGION, SSO_ROLE

LONG_AGO = NOW - timedelta(days=400)
_SAID = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>{}</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>"""


def arn_of(contact: str) -> str:
    """A session of AWS SSO."""
    return f"arn:aws:sts::{ACCOUNT}:assumed-role/{SSO_ROLE}/{contact}@axis-imaging.example"


class FakeSts:
    """Knows everybody by their access key, and looks at no signature; it may be away. `asked` counts."""

    def __init__(self) -> None:
        self.asked = 0
        self.away = False

    def post(self, _url: str, headers: Mapping[str, str], _body: bytes) -> Answer:
        self.asked += 1
        if self.away:
            raise ConnectionError("no route")
        key = headers["authorization"].partition("Credential=")[2].partition("/")[0]
        return Answer(
            200, _SAID.format(arn_of(key.removeprefix("ASIA").rstrip("9").lower().replace("0", "-"))).encode()
        )


def credentials(contact: str) -> ReadOnlyCredentials:
    return ReadOnlyCredentials(f"ASIA{contact.upper().replace('-', '0'):9<20}", "secret", "token")


def key_of(contact: str, until: datetime | None = None, arn: str | None = None) -> RegisteredKey:
    """Their entry in the register."""
    public = arn or arn_of(contact)
    return RegisteredKey(contact=contact, method="aws-iam", public=public, since=LONG_AGO, until=until, by="cto")


def by_aws(
    claim: Claim, held: ReadOnlyCredentials | None = None, arn: str | None = None, region: str = REGION
) -> dict[str, Any]:
    """A claim with its proof, as a command carries it."""
    signature = signed(claim.canonical(), held or credentials(claim.by), region, claim.at)
    said = {"method": "aws-iam", "key": arn or arn_of(claim.by), "signature": signature}
    return {"claim": claim.model_dump(mode="json"), **said}


def looked(sts: FakeSts, clients: Clients, house: House, proof: Any, now: datetime = NOW) -> Verdict:
    """What the witness says of a proof as it comes, asked for what its claim says."""
    claim = proof["claim"]
    about = {name: claim[name] for name in ("environment", "incident", "step", "generation", "act", "subject", "by")}
    return Witness(clients, house, sts.post).look(ClaimAsked(**about, proof=proof), now)

"""Who somebody is in AWS, by STS's own word: a signed request of `aws_requests`, sent on to our STS endpoint.

STS takes a signature for some minutes after it was made, so it is asked when a proof arrives. Later it says nothing:
whoever needs the verdict then keeps it.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple
from xml.etree import ElementTree as ET

from authority.aws_requests import Request, request_of
from authority.ssh_signatures import SignatureError

_ACCOUNT = r"arn:aws[a-z-]*:(?:iam|sts)::[0-9]{12}"
_ARN = re.compile(rf"{_ACCOUNT}:[!-~]{{1,600}}")
_USER = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:user/(?:[!-.0-~]+/)*[\w+=,.@-]{1,64}", re.ASCII)
_SSO = re.compile(
    r"arn:aws[a-z-]*:sts::[0-9]{12}:assumed-role/AWSReservedSSO_[\w+=,.@-]{1,32}_[0-9a-f]{16}/[\w+=,.@-]{2,64}",
    re.ASCII,
)
_MOST_ARN = 200
MOST_ANSWER = 65_536
_STS = "{https://sts.amazonaws.com/doc/2011-06-15/}"
_CODE = re.compile(r"[A-Za-z.]{1,80}")
_REFUSED = {
    "ExpiredToken": "the session that signed it has ended: sign in again",
    "ExpiredTokenException": "the session that signed it has ended: sign in again",
    "IncompleteSignature": "its signature is not whole",
    "InvalidClientTokenId": "AWS knows no such access key or session",
    "MissingAuthenticationToken": "its signature is not whole",
    "RequestExpired": "it was signed too long ago: sign it again",
    "SignatureDoesNotMatch": "its signature does not match, or was made minutes ago or ahead of time: sign it again",
}
"""By STS's codes (its API reference, Common Errors). Any other answer says nothing of the signature."""


class IdentityError(ValueError):
    """An ARN that is not taken as somebody's, and why."""


class StsUnavailableError(Exception):
    """STS could not be asked, or has not said whose signature it is: neither proven nor refused. Ask again."""


class Answer(NamedTuple):
    """What STS answered: the HTTP status and the body."""

    status: int
    body: bytes


Post = Callable[[str, Mapping[str, str], bytes], Answer]
"""Sends a body by HTTPS POST, with these headers and nobody else's `Authorization`, to a URL; follows no redirect.

It raises `OSError` where no whole answer comes.
"""


class Identified(NamedTuple):
    """As whom STS knows whoever signed. It does not say whether the holder was verified (a second factor): None."""

    arn: str
    touched: None = None
    verified: None = None


def person_of_arn(arn: str) -> str:
    """An ARN that is one person's, as it is: an IAM user's, or that of a session of AWS SSO. Raises `IdentityError`.

    `arn:…:iam::ACCOUNT:user/PATH/NAME` or `arn:…:sts::ACCOUNT:assumed-role/AWSReservedSSO_SET_SUFFIX/NAME`, where AWS
    SSO sees to it that NAME is who signed in. A session of any other role has whatever name its maker gives it.
    """
    if len(arn) > _MOST_ARN:
        raise IdentityError(f"an ARN of more than {_MOST_ARN} characters is not taken")
    if not (_USER.fullmatch(arn) or _SSO.fullmatch(arn)):
        raise IdentityError("take the ARN of an IAM user, or of a session of a role of AWS SSO (AWSReservedSSO_)")
    return arn


def verify(text: str, content: bytes, arn: str, region: str, post: Post) -> Identified:
    """Whether `content` was signed by this AWS identity: sends the request that came to the STS endpoint of `region`.

    The ARN that STS gives must be `arn` to the letter: partition, account, user with its path, or role and session
    name. The role's suffix is part of it: AWS makes another when a permission set has lost its last assignment and is
    given again, and the entry is then made anew, for who may make roles in that account may name one alike.

    Raises `SignatureError` where it proves nothing, without asking STS where it is no such request, and
    `StsUnavailableError`, which may be tried again, where STS does not say. A repeat asks STS again, which refuses what
    it took some minutes before. AWS: `sts:GetCallerIdentity`, which needs no permission.
    """
    found = _arn_in(_asked(request_of(text, content, region), post))
    if found != arn:
        raise SignatureError(f"it is by another identity: {found}")
    return Identified(found)


def _asked(request: Request, post: Post) -> Answer:
    try:
        answer = post(*request)
    except OSError as error:
        raise StsUnavailableError(f"STS could not be asked: {type(error).__name__}") from error
    if len(answer.body) > MOST_ANSWER:
        raise StsUnavailableError(f"STS answered {answer.status} with more than {MOST_ANSWER} bytes")
    return answer


def _arn_in(answer: Answer) -> str:
    root = _xml(answer.body)
    if answer.status == 200 and root is not None and root.tag == f"{_STS}GetCallerIdentityResponse":
        found = [one.text or "" for one in root.findall(f"{_STS}GetCallerIdentityResult/{_STS}Arn")]
        if len(found) == 1 and _ARN.fullmatch(found[0]):
            return found[0]
    code = _code_in(root)
    if 400 <= answer.status < 500 and code in _REFUSED:
        raise SignatureError(f"STS refuses it: {_REFUSED[code]}")
    raise StsUnavailableError(f"STS does not say who signed it: it answered {answer.status} {code}".rstrip())


def _xml(body: bytes) -> ET.Element | None:
    try:
        text = body.decode()
        # with a document type a short text may grow long; STS writes none
        return None if "<!" in text else ET.fromstring(text)  # noqa: S314 - bounded, and without one
    except (UnicodeDecodeError, ET.ParseError):
        return None


def _code_in(root: ET.Element | None) -> str:
    found = None if root is None else root.find(".//{*}Error/{*}Code")
    text = "" if found is None else found.text or ""
    return text if _CODE.fullmatch(text) else ""

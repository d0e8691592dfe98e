"""Who approves runbooks in tests: an organisation that asks two roles, and keys made in software for its people."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from authority.approvals import Approval, claim
from authority.register import Register, RegisteredKey
from authority.ssh_keys import SK_ED25519
from domain.config.organisation import Contact, Organisation
from tests.authority.signing import TOUCHED, Token
from tests.authority.test_claims import AT
from tests.builders import organisation

HOUR = timedelta(hours=1)
BOOK = "ab" * 32
ROLES = ("cto", "compliance-officer")


def people(*roles: str, **held: tuple[str, ...]) -> Organisation:
    """An organisation that asks these roles, with contacts who hold others than the CTO's and compliance's."""
    plain = organisation()
    channels = plain.contacts[0].channels
    held = held or {"ann": ("cto",), "bob": ("compliance-officer",), "cas": ("devops-lead",)}
    contacts = tuple(Contact(id=name, roles=roles, channels=channels) for name, roles in held.items())
    return plain.model_copy(update={"contacts": contacts, "runbook_approvers": roles})


TOKENS = {name: Token(SK_ED25519) for name in ("ann", "bob", "cas", "dee")}
"""Made once: a key takes longer than a signature."""


def keys(names: Iterable[str] = TOKENS, **until: datetime) -> Register:
    """The keys of these people, good since a day before, and until then."""
    since = AT - timedelta(days=1)
    return Register(
        RegisteredKey(contact=one, method="ssh", public=TOKENS[one].line, since=since, until=until.get(one), by=one)
        for one in names
    )


def signed(by: str, at: datetime = AT, subject: str = BOOK, *, token: Token | None = None, **said: Any) -> Approval:
    """A signature of somebody; `said` replaces what their claim would say, by another's `token` in their name."""
    held = token or TOKENS[by]
    made = claim(organisation().id, "data-breach", "1.3", subject, by, at)
    made = type(made).model_validate({**made.model_dump(), **said})
    proof = {"method": "ssh", "key": held.key.fingerprint, "signature": held.signed(made.canonical(), TOUCHED)}
    return Approval.model_validate({"type": "data-breach", "version": "1.3", "claim": made, **proof})

"""Delegations to test with: one that a lead makes for the day of the incident."""

from datetime import timedelta
from typing import Any

from authority.delegations import Entry, claim
from domain.config.delegation import Delegation
from tests.authority.signing import TOUCHED, Token
from tests.builders import T0

HOUR = timedelta(hours=1)


def delegation(**other: Any) -> Delegation:
    """The devops lead has the privacy officer stand in for eight hours from the declaration on."""
    said = {
        "role": "devops-lead",
        "to": "privacy-officer",
        "since": T0,
        "until": T0 + 8 * HOUR,
        "reason": "on leave",
        "by": "devops-lead",
        "at": T0 - HOUR,
    }
    return Delegation.model_validate({**said, **other})


def signed(entry: Entry, organisation: str, token: Token) -> Any:
    """The entry with the proof of a key."""
    said = claim(entry, organisation)
    proof = {"method": "ssh", "key": token.key.fingerprint, "signature": token.signed(said.canonical(), TOUCHED)}
    return entry.model_copy(update={"proof": proof})

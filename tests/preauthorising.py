"""What may begin by itself in tests: signed with keys made in software by whoever of the shipped organisation may."""

from datetime import datetime, timedelta
from typing import Any

from authority.claims import Claim
from authority.preauthorisations import Entry, Standing, claim, revocation, standing
from domain.config.organisation import Organisation
from domain.config.preauthorisation import PreAuthorisation
from domain.model.preauthorised import PreAuthorised
from tests.activities.scopes import NOW
from tests.authority.signing import TOUCHED, Token
from tests.people import HOME
from tests.signatures import PEOPLE, axis

DAY = timedelta(days=1)
BOTH = ("cto", "compliance-officer")
SINCE = NOW - 10 * DAY


def terms(**changes: Any) -> PreAuthorisation:
    """A rollback in an outage, three times in all; `changes` replace its fields."""
    fields = {
        "type": "system-outage",
        "step": "rollback",
        "action": "test.rollback",
        "environment": "production",
        "set": {},
        "most": 3,
        "reason": "what was deployed last is what broke",
        "since": SINCE,
        "until": SINCE + 60 * DAY,
    }
    return PreAuthorisation.model_validate({**fields, **changes})


def entry(made: Claim, says: PreAuthorisation | None = None, token: Token | None = None) -> Entry:
    """A claim as the file has it; by another's `token` in the claimant's name."""
    held = token or PEOPLE.tokens[made.by]
    proof = {"method": "ssh", "key": held.key.fingerprint, "signature": held.signed(made.canonical(), TOUCHED)}
    return Entry.model_validate({"says": says, "claim": made, **proof})


def signature(one: PreAuthorisation, by: str, at: datetime = SINCE, *, first: bool = False, home: str = HOME) -> Entry:
    return entry(claim(home, one, by, at), one if first else None)


def signed(one: PreAuthorisation, *by: str, at: datetime = SINCE, home: str = HOME) -> tuple[Entry, ...]:
    """The entries by which these people sign for it, one after the other."""
    return tuple(signature(one, who, at, first=number == 0, home=home) for number, who in enumerate(by or BOTH))


def revoked(one: PreAuthorisation, by: str = "cto", at: datetime = NOW, why: str = "not any more") -> Entry:
    return entry(revocation(HOME, one, by, at, why))


def stands(*entries: Entry, organisation: Organisation | None = None) -> list[Standing]:
    return standing(entries, organisation or axis(), PEOPLE.keys())


def carried(one: PreAuthorisation, home: str = HOME) -> PreAuthorised:
    """As a declaration holds it."""
    return stands(*signed(one, home=home))[0].carried()

"""Pre-authorisations: what may begin by itself in a P0, who has signed it, and whether it still holds.

Each signature is over the digest of all that is allowed, by another person for each role that the organisation names.
As with approved runbooks, what a key signed while it was good stays signed, and what it signed at a time from which on
it was revoked is none. One that is revoked is void for good, whoever's key has revoked it: whoever could stop it once
may have left since.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, NoReturn, Self

from pydantic import ConfigDict, ValidationError, model_validator

from authority.claims import LONGEST, Act, Claim
from authority.proofs import AHEAD, UnprovenError, prove
from authority.register import Register
from authority.signed import Signed
from domain.config.approval import vacant
from domain.config.names import ConfigFile, Flaw
from domain.config.organisation import Organisation
from domain.config.preauthorisation import PreAuthorisation
from domain.model.preauthorised import PreAuthorised
from domain.model.proofs import SignedClaim
from domain.values.canonical import digest

_HOLDS = timedelta(hours=1)


class Entry(Signed):
    """One signature: the first under a pre-authorisation says what it allows, a later one and a revocation name it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    says: PreAuthorisation | None = None

    @model_validator(mode="after")
    def _is_about_it(self) -> Self:
        if self.claim.act not in {Act.PRE_AUTHORISE, Act.REVOKE}:
            raise ValueError(f"{self.claim.act} is neither {Act.PRE_AUTHORISE} nor {Act.REVOKE}")
        return self

    @property
    def revokes(self) -> bool:
        return self.claim.act is Act.REVOKE

    def signed(self) -> dict[str, Any]:
        """`{claim, method, key, signature}` as JSON, which is how it goes on record."""
        return self.model_dump(mode="json", include={"claim", "method", "key", "signature"})


class PreAuthorisations(ConfigFile):
    """`preauthorisations.yaml`: entries in the order in which they were made. None is ever taken out or altered."""

    preauthorisations: tuple[Entry, ...] = ()

    @staticmethod
    def flaws(data: Mapping[str, Any]) -> Iterator[Flaw]:  # noqa: ARG004 - they need organisation and register
        """None that its values alone show: see `refuse_unproven`."""
        yield from ()


class PreAuthorisationError(ValueError):
    """The entry at this position (from 0) is not taken, and why."""

    def __init__(self, position: int, why: str) -> None:
        super().__init__(why)
        self.position = position


def claim(organisation: str, terms: PreAuthorisation, by: str, at: datetime) -> Claim:
    """What is signed: that `by` pre-authorises this, `at` (UTC, to the second), until it ends.

    It is made once, so its nonce is made of it. Raises `ValueError` where that is more than 90 days later.
    """
    return _claim(organisation, terms, by, at, Act.PRE_AUTHORISE, f"{terms.type} {terms.action}", terms.until)


def revocation(organisation: str, terms: PreAuthorisation, by: str, at: datetime, reason: str) -> Claim:
    """What is signed: that `by` revokes it `at` that time (UTC, to the second), and why."""
    return _claim(organisation, terms, by, at, Act.REVOKE, reason, at + _HOLDS)


def _claim(
    organisation: str, terms: PreAuthorisation, by: str, at: datetime, act: Act, decision: str, expires: datetime
) -> Claim:
    said = {"act": act, "subject": terms.digest(), "by": by, "at": at.isoformat(), "decision": decision}
    return Claim(
        organisation=organisation,
        environment=terms.environment,
        step=terms.step,
        act=act,
        subject=terms.digest(),
        decision=decision,
        by=by,
        at=at,
        expires=expires,
        nonce=digest(said)[:32],
    )


def refuse_unproven(entries: Sequence[Entry], organisation: str, register: Register) -> None:
    """Raise `PreAuthorisationError` at the first that is none: of another form, out of its place, or not signed.

    One by a key that was revoked before is no error, and counts for nothing, as with approved runbooks.
    """
    ever = _ever(register)
    known: dict[str, PreAuthorisation] = {}
    for position, entry in enumerate(entries):
        try:
            if position and entry.claim.at < entries[position - 1].claim.at:
                _refuse("it is older than the one before it: they are only added, at the end")
            _refuse_other(entry, _about(entry, known), organisation)
            _prove(entry, ever)
        except UnprovenError as error:
            raise PreAuthorisationError(position, str(error)) from None


def _about(entry: Entry, known: dict[str, PreAuthorisation]) -> PreAuthorisation:
    """What an entry is about: what it says itself, or one before it with the digest that it is over."""
    subject = entry.claim.subject
    if entry.says is not None:
        if entry.revokes or subject in known:
            _refuse("only the first signature under a pre-authorisation says what it allows")
        known[subject] = entry.says
    if subject not in known:
        _refuse("nothing before it has the digest that it is over")
    return known[subject]


def _refuse(why: str) -> NoReturn:
    raise UnprovenError(why)


def _refuse_other(entry: Entry, terms: PreAuthorisation, organisation: str) -> None:
    said = entry.claim
    try:
        made = (
            revocation(organisation, terms, said.by, said.at, said.decision)
            if entry.revokes
            else claim(organisation, terms, said.by, said.at)
        )
    except ValidationError:
        raise UnprovenError(f"it ends more than {LONGEST.days} days after it was signed, or before") from None
    if made != said:
        raise UnprovenError("its claim is not over the pre-authorisation that it stands under")


class Standing(NamedTuple):
    """One pre-authorisation: the signatures that count, of each person the first, and the roles that lack one."""

    terms: PreAuthorisation
    signed: tuple[Entry, ...]
    lacking: tuple[str, ...]
    revoked: Entry | None
    nobody_may: bool = False

    @property
    def digest(self) -> str:
        return self.terms.digest()

    @property
    def begins(self) -> datetime:
        """From when on it may be in force (UTC): its own time, or that of the last signature that counts."""
        return max([self.terms.since, *(one.claim.at for one in self.signed)])

    def refusal(self, now: datetime) -> str | None:
        """Why nothing begins by it `now` (UTC); None where it is in force."""
        if self.revoked is not None:
            said = self.revoked.claim
            return f"{said.by} has revoked it: {said.decision}"
        if self.nobody_may:
            return "the organisation names no roles that pre-authorise (preauthorisers in organisation.yaml)"
        if self.lacking:
            return f"{' and '.join(self.lacking)} must sign it first"
        if now < self.terms.since or any(one.claim.at > now + AHEAD for one in self.signed):
            return f"it is not in force before {self.begins:%Y-%m-%dT%H:%M:%SZ}"
        if now >= self.terms.until:
            return f"it has ended at {self.terms.until:%Y-%m-%dT%H:%M:%SZ}"
        return None

    def carried(self) -> PreAuthorised:
        """As a declaration holds it."""
        return PreAuthorised(
            terms=self.terms, signed=tuple(SignedClaim.model_validate(one.signed()) for one in self.signed)
        )


def standing(entries: Iterable[Entry], organisation: Organisation, register: Register) -> list[Standing]:
    """Each pre-authorisation of these entries, as it stands by the register and by who holds which role."""
    entries = tuple(entries)
    found = {entry.claim.subject: entry.says for entry in entries if entry.says is not None}
    return [_standing(terms, entries, organisation, register) for terms in found.values()]


def _standing(
    terms: PreAuthorisation, entries: Collection[Entry], organisation: Organisation, register: Register
) -> Standing:
    own = [entry for entry in entries if entry.claim.subject == terms.digest()]
    signed: dict[str, Entry] = {}
    for entry in own:
        if not entry.revokes and entry.claim.by not in signed and _counts(entry, register):
            signed[entry.claim.by] = entry
    held = {one.id: one.roles for one in organisation.contacts if one.id in signed}
    roles = organisation.preauthorisers
    revoked = next((entry for entry in own if entry.revokes), None)
    return Standing(terms, tuple(signed.values()), vacant(roles, held), revoked, nobody_may=not roles)


def refuse_carried(one: PreAuthorised, organisation: str, register: Register, known: Collection[Entry]) -> None:
    """Raise `UnprovenError` unless each signature that came with a declaration is a known one, or one that is whole.

    One by a key that was ever revoked has to be known: whoever found the key could date it as they like.
    """
    here = [entry.signed() for entry in known]
    for came in one.signed:
        raw = came.model_dump(mode="json")
        try:
            entry = Entry.model_validate(raw)
        except ValueError:
            raise UnprovenError("it is no signature under a pre-authorisation") from None
        if entry.revokes:
            raise UnprovenError("it revokes, and allows nothing")
        _refuse_other(entry, one.terms, organisation)
        _prove(entry, _ever(register))
        key = register.key(entry.key)
        if (key is None or key.until is not None) and entry.signed() not in here:
            raise UnprovenError("its key is revoked, and it does not stand among the pre-authorisations")


def _ever(register: Register) -> Register:
    return Register(key.model_copy(update={"until": None}) for key in register)


def _counts(entry: Entry, register: Register) -> bool:
    try:
        _prove(entry, register)
    except UnprovenError:
        return False
    return True


def _prove(entry: Entry, register: Register) -> None:
    prove(entry.claim, entry.proof, register, entry.claim.at)

"""Whether who says something has proven to: by the worker's own register of keys, as it stands now."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from temporalio import activity

from activities.house import House, environment_of
from authority.claims import Act, Claim
from authority.proofs import AHEAD, Proven, Sighting, UnprovenError
from authority.register import Register
from authority.signed import About, proven, refuse_other, signed
from authority.webauthn import RelyingParty
from domain.model import proofs
from domain.model.proofs import ClaimAsked, Verdict
from domain.rules import breaking_glass

if TYPE_CHECKING:
    from activities.registry import Activity

NAME = "proofs.check"


def are_asked(house: House) -> bool:
    """Whether who acts here has to prove who they are: everywhere but in a sandbox."""
    return house.environment().kind != "sandbox"


def claim_of(house: House, asked: ClaimAsked, now: datetime, seen: Sighting | None = None) -> tuple[Claim, Proven]:
    """The claim that proves what is asked (`now` in UTC). Raises `UnprovenError`, and what `seen` raises.

    `by` is a contact, or a role that one holds: the claim names the contact. By what was `seen` a proof by `aws-iam` is
    judged; without it there is none.
    """
    organisation = house.organisation()
    who = organisation.contact(asked.by)
    if who is None:
        raise UnprovenError(f"{asked.by!r} is no contact or role of {organisation.id}: sign as yourself")
    site = _site(house)
    claim, found = proven(asked.proof, _about(house, asked, who.id), house.register(), now, seen, site)
    if asked.act == Act.BREAK_GLASS:
        _refuse_weak(claim, found, house.register(), now, passkeys=site is not None)
    return claim, found


def _site(house: House) -> RelyingParty | None:
    """For whom the organisation's passkeys are made; None where it names nobody, and no passkey proves anything."""
    named = house.organisation().passkeys
    return None if named is None else RelyingParty(named.site, frozenset(named.origins))


def _refuse_weak(claim: Claim, found: Proven, register: Register, now: datetime, *, passkeys: bool) -> None:
    """Raise `UnprovenError` for a claim to decide alone that holds for longer than that may, or by a lesser key.

    Whoever has a key on a token that is good now signs with one, or a passkey where those prove something: a key in a
    file may be a copy.
    """
    if claim.expires - claim.at > breaking_glass.LONGEST:
        raise UnprovenError(f"it holds for longer than {breaking_glass.LONGEST}: sign it again")
    good = [key for key in register.of(claim.by) if key.proves_at(now)]
    tokens = [key.name for key in good if key.on_token or (passkeys and key.method == "webauthn")]
    if tokens and found.key not in tokens:
        raise UnprovenError(f"sign with your hardware key ({tokens[0]}): plug it in and ssh-add, or --sign-with FILE")


def claim_on_record(house: House, asked: ClaimAsked, at: datetime, seen: Sighting) -> Claim:
    """The claim that proves what a record says of a contact, as it was then (UTC). Raises what `claim_of` raises.

    Whoever has left the organisation since has said it all the same. When it came is an instant of another clock than
    the entry's: what was good within `AHEAD` of it was good then.
    """
    about, register, site = _about(house, asked, asked.by), house.register(), _site(house)
    for other in (at, at + AHEAD):
        with suppress(UnprovenError):
            return proven(asked.proof, about, register, other, seen, site)[0]
    return proven(asked.proof, about, register, at - AHEAD, seen, site)[0]


def claimed(house: House, asked: ClaimAsked) -> Claim:
    """The claim of what is asked, whoever has signed it. Raises `UnprovenError` where it is about something else."""
    found = signed(asked.proof)
    refuse_other(found.claim, _about(house, asked, asked.by))
    return found.claim


def _about(house: House, asked: ClaimAsked, by: str) -> About:
    environment = environment_of(house, asked.environment)
    fields = asked.model_dump(exclude={"proof", "by", "environment", "said_at"})
    return About(organisation=house.organisation().id, environment=environment.name, by=by, **fields)


def check(house: House, asked: ClaimAsked, now: datetime, seen: Sighting | None = None) -> Verdict:
    """By what it is proven, or why it is not. Raises what `seen` raises."""
    try:
        _, found = claim_of(house, asked, now, seen)
    except UnprovenError as error:
        return Verdict(reason=str(error))
    return Verdict(proven=proofs.Proven(method=found.method, key=found.key, holder_verified=found.holder_verified))


def checker(house: House) -> "Activity":
    """The local activity by which a workflow learns this when something arrives; its marker is the verdict for ever."""

    @activity.defn(name=NAME)
    def look(asked: ClaimAsked) -> Verdict:
        return check(house, asked, activity.info().started_time)

    made: Callable[..., Verdict] = look
    return made

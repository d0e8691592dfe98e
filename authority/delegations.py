"""Who has signed that somebody stands in for a role, and who has ended it: which of it counts.

An entry is signed once and read until it is over: what a key signed while it was good stays signed, and what it signed
at a time from which on it was revoked is none, as with approvals of runbooks.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, ValidationError

from authority.claims import Act, Claim
from authority.proofs import Proof, UnprovenError, prove
from authority.register import Register
from domain.config.delegation import Delegation, Second, doubt, may_end
from domain.config.names import ConfigFile, Flaw
from domain.config.organisation import Organisation
from domain.values.canonical import digest
from domain.values.frozen import Frozen

_HOLDS = timedelta(hours=1)


class Withdrawal(Frozen):
    """The delegation of this id ends early, `at` that time (UTC, to the second)."""

    act: Literal["end"] = "end"
    ends: str = Field(pattern=r"^[0-9a-f]{8}$")
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    by: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-~][ -~]*$")]
    at: Second
    proof: Any = None

    def said(self) -> dict[str, Any]:
        """What is signed: all of it but the proof."""
        return self.model_dump(mode="json", exclude={"proof"})


Entry = Delegation | Withdrawal


class Delegations(ConfigFile):
    """`delegations.yaml`: entries in the order in which they were made. None is ever taken out or altered."""

    delegations: tuple[Annotated[Entry, Field(discriminator="act")], ...] = ()

    @staticmethod
    def flaws(data: Mapping[str, Any]) -> Iterator[Flaw]:  # noqa: ARG004 - they need the register: see `refuse_unproven`
        """None that its values alone show."""
        yield from ()


class DelegationError(ValueError):
    """The entry at this position (from 0) is not taken, and why."""

    def __init__(self, position: int, why: str) -> None:
        super().__init__(why)
        self.position = position


def claim(entry: Entry, organisation: str) -> Claim:
    """What is signed. An entry is made once, so its nonce is made of it."""
    subject = digest(entry.said())
    return Claim(
        organisation=organisation,
        act=Act.DELEGATE,
        subject=subject,
        decision=_decision(entry),
        by=entry.by,
        at=entry.at,
        expires=entry.at + _HOLDS,
        nonce=subject[:32],
    )


def _decision(entry: Entry) -> str:
    return f"{entry.to} stands in as {entry.role}" if isinstance(entry, Delegation) else f"ends {entry.ends}"


def refuse_unproven(entries: Sequence[Entry], organisation: str, register: Register) -> None:
    """Raise `DelegationError` at the first that is out of its place, or not signed by its key.

    One that nobody has signed counts in sandboxes alone, and one by a key that was revoked before for nothing: neither
    is an error, or a revocation that is dated back would keep the file beside it from being read.
    """
    ever = Register(key.model_copy(update={"until": None}) for key in register)
    open_ = set[str]()
    for position, one in enumerate(entries):
        if position and one.at < entries[position - 1].at:
            raise DelegationError(position, "it is older than the one before it: they are only added, at the end")
        if isinstance(one, Withdrawal) and one.ends not in open_:
            raise DelegationError(position, f"no delegation {one.ends} stands before it")
        if isinstance(one, Delegation):
            if one.ended is not None:
                raise DelegationError(position, "how it ended is an entry of its own: leave out ended")
            open_.add(one.id)
        try:
            if one.proof is not None:
                _prove(one, organisation, ever)
        except UnprovenError as error:
            raise DelegationError(position, str(error)) from None


class Judged(NamedTuple):
    """A delegation at its position (from 0), with when it was ended early, and `why` it counts for nothing, if so."""

    position: int
    delegation: Delegation
    why: str | None


def judged(
    entries: Sequence[Entry], organisation: Organisation, register: Register, *, unsigned: bool = False
) -> tuple[Judged, ...]:
    """Every delegation, each once. One counts that is signed by a key that was good then, and made by who may by the
    organisation's file. `unsigned` ones count in a sandbox, where nobody proves anything.
    """

    def unproven(one: Entry) -> str | None:
        if one.proof is None:
            return None if unsigned else "nobody has signed it"
        try:
            _prove(one, organisation.id, register)
        except UnprovenError:
            return f"the key of {one.by} was revoked before it signed"
        return None

    known: dict[str, Judged] = {}
    for position, one in enumerate(entries):
        why = unproven(one)
        if isinstance(one, Delegation):
            made, why = known.get(one.id), doubt(organisation, one) or why
            if made is None or (made.why is not None and why is None):
                known[one.id] = Judged(position, one, why)
        elif why is None and (made := known.get(one.ends)) is not None:
            ended = made.delegation
            if ended.ended is None and may_end(organisation, one.by, ended):
                known[one.ends] = made._replace(delegation=ended.model_copy(update={"ended": one.at}))
    return tuple(known.values())


def counting(
    entries: Sequence[Entry], organisation: Organisation, register: Register, *, unsigned: bool = False
) -> tuple[Delegation, ...]:
    """The delegations that count by now, as `judged` has them, each with when it was ended early, if it was."""
    found = judged(entries, organisation, register, unsigned=unsigned)
    return tuple(one.delegation for one in found if one.why is None)


def refuse_carried(one: Delegation, organisation: Organisation, register: Register, known: Collection[Entry]) -> None:
    """Look at one that came with a declaration: it is signed, and by who may.

    One by a key that was ever revoked has to stand in the folder too: whoever found the key could date it as they
    like. Raises `UnprovenError`.
    """
    key = register.key(_prove(one, organisation.id, register).key)
    if (why := doubt(organisation, one)) is not None:
        raise UnprovenError(why)
    if one.model_copy(update={"ended": None}) in known:
        return
    if key is None or key.until is not None:
        raise UnprovenError("its key is revoked, and it does not stand among the delegations")


def _prove(one: Entry, organisation: str, register: Register) -> Proof:
    try:
        proof = Proof.model_validate(one.proof)
        said = claim(one, organisation)
    except ValidationError:
        raise UnprovenError("nobody has signed it: make entries by incident delegate") from None
    prove(said, proof, register, one.at)
    return proof

"""Approved runbooks: who has signed which version, and whose signature is lacking.

A signature is over the digest of a runbook, so any change of what it says, and another version, lets it go. It is made
once and read for years: what a key signed while it was good stays signed, and what it signed at a time from which on it
was revoked is none.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import ConfigDict, Field

from authority.claims import Act, Claim, Name
from authority.proofs import Proof, Proven, UnprovenError, prove
from authority.register import Register
from authority.signed import Signed
from domain.config.approval import vacant
from domain.config.names import ConfigFile, Flaw
from domain.config.organisation import Organisation
from domain.values.canonical import digest

_HOLDS = timedelta(hours=1)


class Approval(Signed):
    """One signature: by its claim, which says type and version too, and holds the digest as its subject."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Name
    version: str = Field(min_length=1, max_length=200)

    def signed(self) -> dict[str, Any]:
        """`{claim, method, key, signature}` as JSON, which is how it goes on record."""
        return self.model_dump(mode="json", include={"claim", "method", "key", "signature"})


class Approvals(ConfigFile):
    """`approvals.yaml`: signatures in the order in which they were made. None is ever taken out or altered."""

    approvals: tuple[Approval, ...] = ()

    @staticmethod
    def flaws(data: Mapping[str, Any]) -> Iterator[Flaw]:  # noqa: ARG004 - they need organisation and register
        """None that its values alone show: see `refuse_unproven`."""
        yield from ()


class ApprovalError(ValueError):
    """The approval at this position (from 0) is not taken, and why."""

    def __init__(self, position: int, why: str) -> None:
        super().__init__(why)
        self.position = position


def claim(organisation: str, type_: str, version: str, subject: str, by: str, at: datetime) -> Claim:
    """What is signed: that `by` approves this version of a runbook, which has the digest `subject`, `at` (UTC).

    It is made once, so its nonce is made of it.
    """
    said = {"type": type_, "version": version, "subject": subject, "by": by, "at": at.isoformat()}
    return Claim(
        organisation=organisation,
        act=Act.APPROVE_RUNBOOK,
        subject=subject,
        decision=_decision(type_, version),
        by=by,
        at=at,
        expires=at + _HOLDS,
        nonce=digest(said)[:32],
    )


def refuse_unproven(approvals: Sequence[Approval], organisation: str, register: Register) -> None:
    """Raise `ApprovalError` at the first that is none: of another form, out of its place, or not signed by its key.

    One by a key that was revoked before is no error, and counts for nothing: a revocation may be dated back, and must
    not keep the file that it stands beside from being read.
    """
    ever = Register(key.model_copy(update={"until": None}) for key in register)
    for position, one in enumerate(approvals):
        said = one.claim
        if said != claim(organisation, one.type, one.version, said.subject, said.by, said.at):
            raise ApprovalError(position, f"its claim is no approval of {_decision(one.type, one.version)}")
        if position and said.at < approvals[position - 1].claim.at:
            raise ApprovalError(position, "it is older than the one before it: they are only added, at the end")
        try:
            _prove(one, ever)
        except UnprovenError as error:
            raise ApprovalError(position, str(error)) from None


def carried(raw: Any, organisation: str, register: Register, known: Collection[Approval]) -> Approval:
    """The signature that came with a declaration, as `Approval.signed` has it: a known one, or one that is whole.

    One by a key that was ever revoked has to be known: whoever found the key could date it as they like. Raises
    `UnprovenError`, which repeats nothing of it but names.
    """
    try:
        type_, version = raw["claim"]["decision"].split(" ", 1)
        made = Approval.model_validate({"type": type_, "version": version, **raw})
    except (AttributeError, KeyError, TypeError, ValueError):
        raise UnprovenError("it is no signature under a runbook") from None
    if made in known:
        return made
    try:
        refuse_unproven([made], organisation, register)
    except ApprovalError as error:
        raise UnprovenError(str(error)) from None
    key = register.key(made.key)
    if key is None or key.until is not None:
        raise UnprovenError("its key is revoked, and it does not stand among the approvals")
    return made


def of_digest(subject: str, approvals: Iterable[Approval], register: Register) -> list[Approval]:
    """Those that count for the runbook of this digest: signed by a key that was good then and has not been dated back.

    Of each person the first.
    """
    found: dict[str, Approval] = {}
    for one in approvals:
        if one.claim.subject == subject and one.claim.by not in found and counts(one, register):
            found[one.claim.by] = one
    return list(found.values())


def counts(approval: Approval, register: Register) -> bool:
    """Whether its key proves it, by all that the register says of the key by now."""
    try:
        _prove(approval, register)
    except UnprovenError:
        return False
    return True


def lacking(
    subject: str, approvals: Iterable[Approval], organisation: Organisation, register: Register
) -> tuple[str, ...]:
    """The roles of which nobody has signed the runbook of this digest yet; none where it is approved.

    For each role that the organisation names one person signs, who holds it by its file of now, and nobody for two.
    """
    signed = {one.claim.by for one in of_digest(subject, approvals, register)}
    return vacant(
        organisation.runbook_approvers, {one.id: one.roles for one in organisation.contacts if one.id in signed}
    )


def _prove(approval: Approval, register: Register) -> Proven:
    proof = Proof(method=approval.method, key=approval.key, signature=approval.signature)
    return prove(approval.claim, proof, register, approval.claim.at)


def _decision(type_: str, version: str) -> str:
    return f"{type_} {version}"

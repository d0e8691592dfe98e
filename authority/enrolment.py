"""How keys come into the register and lose their power: entries, each signed by a key that may enrol.

The first entry is believed as it stands: whoever owns the file has written it. Every later one is signed by a key of
the entries before it. So the right to enrol ends with the key that has it, whatever becomes of roles and people since.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from authority.claims import Act, At, Claim, Name
from authority.proofs import Proof, UnprovenError, prove
from authority.register import Method, Register, RegisteredKey, name_of
from authority.ssh_keys import SshKeyError
from domain.config.names import ConfigFile, Flaw
from domain.values.canonical import digest

_HOLDS = timedelta(hours=1)


class _Entry(BaseModel):
    """What every entry says: by whom and when (UTC, to the second), and what proves it; the first has no proof."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Name
    at: At
    proof: Proof | None = None

    def claim(self, organisation: str) -> Claim:
        """What is signed. An entry is made once, so its nonce is made of it."""
        said = digest(self.model_dump(mode="json", exclude={"proof"}))
        act = Act.ENROL if isinstance(self, Enrolled) else Act.REVOKE
        given = {"organisation": organisation, "act": act, "subject": said, "nonce": said[:32]}
        return Claim(**given, by=self.by, at=self.at, expires=self.at + _HOLDS)


class Enrolled(_Entry):
    """A key that proves who its contact is from `at` on; with `enrols` it signs entries too.

    `public` is as the method has it: of `ssh` the line of the `.pub` file, of `aws-iam` an ARN, which enrols nobody.
    """

    act: Literal["enrol"] = "enrol"
    contact: Name
    method: Method
    public: str = Field(min_length=1, max_length=8192)
    enrols: bool = False

    @model_validator(mode="after")
    def _is_a_key(self) -> Self:
        name_of(self.method, self.public)
        if self.enrols and self.method == "aws-iam":
            raise ValueError("an identity of AWS enrols nobody: AWS knows a signature for minutes")
        return self

    @property
    def key(self) -> RegisteredKey:
        return RegisteredKey(
            contact=self.contact, method=self.method, public=self.public, since=self.at, by=self.by, enrols=self.enrols
        )


class Revoked(_Entry):
    """The key of this fingerprint proves nothing from `until` on; what it has proven before stays proven."""

    act: Literal["revoke"] = "revoke"
    key: Name
    until: At


Entry = Annotated[Enrolled | Revoked, Field(discriminator="act")]


class Identities(ConfigFile):
    """`identities.yaml`: entries in the order in which they were made. None is ever taken out or altered."""

    entries: tuple[Entry, ...] = ()

    @staticmethod
    def flaws(data: Mapping[str, Any]) -> Iterator[Flaw]:  # noqa: ARG004 - they need the organisation: see `register_of`
        """None that its values alone show."""
        yield from ()


class EnrolmentError(ValueError):
    """The entry at this position (from 0) is not taken, and why."""

    def __init__(self, position: int, why: str) -> None:
        super().__init__(why)
        self.position = position


def register_of(entries: Sequence[Enrolled | Revoked], organisation: str) -> Register:
    """The keys that these entries come to. Raises `EnrolmentError` at the first that nobody who may has signed."""
    keys: dict[str, RegisteredKey] = {}
    for position, entry in enumerate(entries):
        before = entries[position - 1] if position else None
        try:
            if before is None:
                _refuse_first(entry)
            else:
                _refuse_unsigned(entry, before, organisation, Register(keys.values()))
            _take(entry, keys)
        except (UnprovenError, SshKeyError) as error:
            raise EnrolmentError(position, str(error)) from None
    return Register(keys.values())


def _refuse_first(entry: Enrolled | Revoked) -> None:
    if not isinstance(entry, Enrolled) or not entry.enrols or entry.by != entry.contact:
        raise UnprovenError("the first entry enrols, with enrols: true, a key of whoever makes it")
    if entry.proof is not None:
        raise UnprovenError("nothing can prove the first entry: the file's owner vouches for it; leave out proof")


def _refuse_unsigned(entry: Enrolled | Revoked, before: Enrolled | Revoked, organisation: str, keys: Register) -> None:
    if entry.at < before.at:
        raise UnprovenError("it is older than the entry before it: entries are only added, at the end")
    if entry.proof is None:
        raise UnprovenError("nobody has signed it: make entries by incident identity")
    proven = prove(entry.claim(organisation), entry.proof, keys, entry.at)
    signer = keys.key(proven.key)
    if signer is None or not signer.enrols:
        raise UnprovenError(f"{proven.key} of {entry.by} may not enrol or revoke: it was enrolled without enrols")


def _take(entry: Enrolled | Revoked, keys: dict[str, RegisteredKey]) -> None:
    if isinstance(entry, Enrolled):
        key = entry.key
        if (found := keys.get(key.name)) is not None:
            raise UnprovenError(f"{key.name} is {found.contact}'s already: one key is one person's, and enrolled once")
        keys[key.name] = key
        return
    standing = keys.get(entry.key)
    if standing is None:
        raise UnprovenError(f"no key {entry.key} is enrolled before it")
    if entry.until < standing.since:
        raise UnprovenError(f"{entry.key} was enrolled after that: write an until that is later")
    if standing.until is not None and entry.until > standing.until:
        raise UnprovenError(f"{entry.key} proves nothing since {standing.until:%Y-%m-%dT%H:%M:%SZ}: that stands")
    keys[entry.key] = standing.model_copy(update={"until": entry.until})

"""The register of keys: whose each is, since when, until when, and who has entered it."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from authority.aws_iam import person_of_arn
from authority.claims import At
from authority.ssh_keys import key_of_line
from authority.webauthn import passkey_of_line

Method = Literal["ssh", "webauthn", "aws-iam"]

_NAMES: dict[Method, Callable[[str], str]] = {
    "ssh": lambda public: key_of_line(public).fingerprint,
    "webauthn": lambda public: passkey_of_line(public).fingerprint,
    "aws-iam": person_of_arn,
}


def name_of(method: Method, public: str) -> str:
    """What a proof calls a key: a fingerprint, of `ssh` the one that `ssh-keygen -l` prints; of `aws-iam` the ARN.

    Raises `ValueError` where `public` is no key of the method.
    """
    return _NAMES[method](public)


class RegisteredKey(BaseModel):
    """One key of one contact, which proves from `since` on and until `until`, where that is set (UTC).

    One that `enrols` signs entries of the register too. `public` is as the method has it: of `ssh` the line of the
    `.pub` file, of `webauthn` what `passkey_of_line` reads, of `aws-iam` the ARN.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))

    contact: str = Field(min_length=1, max_length=200)
    method: Method
    public: str = Field(min_length=1, max_length=8192)
    since: At
    until: At | None = None
    by: str = Field(min_length=1, max_length=200)
    enrols: bool = False

    @model_validator(mode="after")
    def _is_one(self) -> "RegisteredKey":
        name_of(self.method, self.public)
        if self.until is not None and self.until < self.since:
            raise ValueError("until is before since")
        return self

    @cached_property
    def name(self) -> str:
        """What a proof calls it."""
        return name_of(self.method, self.public)

    @property
    def on_token(self) -> bool:
        """Whether it never leaves a hardware token (`sk-` keys, PROTOCOL.u2f of OpenSSH)."""
        return self.method == "ssh" and self.public.startswith("sk-")

    def proves_at(self, at: datetime) -> bool:
        """Whether it was good at an instant: what it has proven before it was revoked stays proven."""
        return self.since <= at and (self.until is None or at < self.until)


class Register:
    """The keys of an organisation. One key is one person's: nobody signs with another's."""

    def __init__(self, keys: Iterable[RegisteredKey]) -> None:
        self._keys: dict[str, RegisteredKey] = {}
        for key in keys:
            if key.name in self._keys:
                raise ValueError(f"{key.name} stands there twice: for {self._keys[key.name].contact} and {key.contact}")
            self._keys[key.name] = key

    def key(self, name: str) -> RegisteredKey | None:
        """The key of that name, good or not."""
        return self._keys.get(name)

    def of(self, contact: str) -> list[RegisteredKey]:
        """All that a contact has or had, in the order of the file."""
        return [key for key in self._keys.values() if key.contact == contact]

    def __iter__(self) -> Iterator[RegisteredKey]:
        return iter(self._keys.values())

"""The register of people's keys as an archive has it: of whoever made the archive, as it stood then."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from authority.allowed_signers import allowed_signers
from authority.enrolment import Enrolled, EnrolmentError, Entry, Revoked, register_of
from authority.register import Register
from reporting.archive import record_files
from starters.errors import RefusedError

IDENTITIES, SIGNERS = "identities.json", "allowed_signers"
_WHOSE = (
    "This is identities.yaml as whoever made this archive had it in the organisation's folder, at the time as_of. Each "
    "entry but the first is signed by an earlier key. Compare the first key's fingerprint with what the organisation "
    "tells you by another way."
)


class KeptRegister(BaseModel):
    """The entries of a register, oldest first, of which organisation, and as of when (RFC 3339)."""

    model_config = ConfigDict(frozen=True)

    organisation: str
    as_of: str
    entries: tuple[Entry, ...]

    @classmethod
    def of(cls, organisation: str, as_of: str, entries: tuple[Enrolled | Revoked, ...]) -> "KeptRegister":
        return cls(organisation=organisation, as_of=as_of, entries=entries)

    def register(self) -> Register:
        """The keys that it comes to. Raises `EnrolmentError`."""
        return register_of(self.entries, self.organisation)

    def files(self) -> dict[str, str]:
        """It as JSON, and as `ssh-keygen -Y verify` reads it: texts by the names of their files."""
        said: dict[str, Any] = {"whose": _WHOSE, **self.model_dump(mode="json")}
        return {IDENTITIES: record_files.as_json(said), SIGNERS: allowed_signers(self.register())}

    def unlike(self, files: Mapping[str, bytes]) -> Iterator[str]:
        """The file of an archive that is not what this register comes to; none where it comes to nothing."""
        try:
            expected = self.files()[SIGNERS]
        except EnrolmentError:
            return
        if files.get(SIGNERS) != expected.encode():
            yield SIGNERS


def read(files: Mapping[str, bytes]) -> KeptRegister | None:
    """The register in an archive's files; None where there is none. Raises `RefusedError` for one that is no register.

    Whether its entries are signed is not looked at here.
    """
    if IDENTITIES not in files:
        return None
    try:
        return KeptRegister.model_validate(json.loads(files[IDENTITIES]))
    except (ValidationError, ValueError, RecursionError) as error:
        raise RefusedError(f"the archive is broken: {IDENTITIES} cannot be read ({type(error).__name__})") from error

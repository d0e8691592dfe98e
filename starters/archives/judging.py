"""Who has proven what in a record, by a register of people's keys: that of the folder, or that of an archive."""

from collections.abc import Collection
from typing import NamedTuple

from authority.enrolment import EnrolmentError
from authority.recorded import Judged, judged
from authority.register import Register, RegisteredKey
from domain.audit.epochs import Flaw
from domain.audit.storage_format import StoredCopy
from domain.audit.verdict import account
from starters.archives.kept_register import IDENTITIES, KeptRegister


class People(NamedTuple):
    """What people are said to have done, what is wrong with that, and with which key the register begins.

    `as_of` is when the register was copied, empty for the folder's own; `first` is None without one, or an empty one.
    """

    acts: list[Judged]
    flaws: list[Flaw]
    organisation: str = ""
    as_of: str = ""
    first: RegisteredKey | None = None

    @property
    def unknown(self) -> int:
        """How many could not be looked at."""
        return sum(one.answer == "unknown" for one in self.acts)


def people(copy: StoredCopy, kept: KeptRegister | None, first_keys: Collection[str] = ()) -> People:
    """Look at a record every entry of which stands as it was written; `first_keys` may begin the register, if any.

    A register that does not hold proves nothing, so that what it should prove is unknown.
    """
    try:
        register = kept.register() if kept else None
    except EnrolmentError as error:
        text = f"entry {error.position + 1} of the register of keys, in {IDENTITIES}: {error}"
        return _of(copy, kept, None, [Flaw(kind="register", epoch=0, seq=0, text=text)])
    first = next(iter(register or ()), None)
    flaws = []
    if first_keys and (first is None or first.name not in first_keys):
        text = "the register of keys does not begin with a key that you trust"
        flaws.append(Flaw(kind="register", epoch=0, seq=0, text=text))
    return _of(copy, kept, register, flaws)


def _of(copy: StoredCopy, kept: KeptRegister | None, register: Register | None, flaws: list[Flaw]) -> People:
    acts = list(judged(account(copy), register, kept.organisation if kept else ""))
    wrong = [one for one in acts if one.answer == "wrong"]
    flaws = [*flaws, *(Flaw(kind="unproven", epoch=1, seq=one.entry, text=_text(one)) for one in wrong)]
    first = next(iter(register or ()), None)
    return People(acts, flaws, kept.organisation if kept else "", kept.as_of if kept else "", first)


def _text(one: Judged) -> str:
    return f"{one.by} {one.what}, and that is not proven: {one.why}"

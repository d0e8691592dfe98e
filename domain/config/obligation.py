"""What an organisation owes others when something happened: duties under law, contract or its own policy, as data."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field

from domain.config.names import ConfigFile, Flaw, doubled, ids, mapping, parts, strange
from domain.values.durations import Duration
from domain.values.frozen import Frozen

Basis = Literal["law", "contract", "policy"]


class Fact(Frozen):
    """A point in time that clocks of the law count from. People record it; what is recorded stays.

    One that is there `with_phi` is recorded by itself when an incident is declared with sensitive information at
    stake. Once recorded, it is moved by the roles of `moved_by` alone, with a reason; by anybody where none is named.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*_at$")
    title: str
    with_phi: bool = False
    moved_by: tuple[str, ...] = ()


class Deadline(Frozen):
    """How long after its fact a duty must be done, and on whose word.

    Where the law says `as_soon_as_practicable`, `within` is only the ceiling that `source` sets.
    """

    within: Duration
    basis: Basis
    source: str
    as_soon_as_practicable: bool = False


class Reminder(Frozen):
    """A mail to every holder of the roles `to`, so long `after` the fact."""

    after: Duration
    to: tuple[str, ...] = Field(min_length=1)


class Obligation(Frozen):
    """One duty: it opens when the fact `starts` is recorded, and ends when everybody of `signers` has signed how.

    One that `ends_by_acknowledgement` is discharged when a holder of the owner's role acknowledges the incident.
    A fact of `superseded_by` ends it too. `outcomes` are the decisions that a discharge must choose from. `pack`
    names the drafts that people fill in and send; nothing is ever sent for them.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: str
    basis: Basis
    source: str
    starts: str
    due: Deadline
    owner: str
    signers: tuple[str, ...] = ()
    reminders: tuple[Reminder, ...] = ()
    superseded_by: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    ends_by_acknowledgement: bool = False
    pack: tuple[str, ...] = ()

    def ordered(self) -> list[Reminder]:
        """The reminders in order of time."""
        return sorted(self.reminders, key=lambda reminder: reminder.after)


class BreachRegister(Frozen):
    """How the register of breaches reads the record: by which of the file's facts and duties a breach is decided.

    In it stands what was declared with sensitive information at stake, is of one of `types`, or has one of the two
    facts: `suspicion`, or `belief`, which makes it an eligible breach. `assessment` is the duty that decides otherwise,
    `statement` the one to tell the regulator.
    """

    types: tuple[str, ...] = ()
    suspicion: str
    belief: str
    assessment: str
    statement: str


class Obligations(ConfigFile):
    """An organisation's `obligations.yaml`."""

    facts: tuple[Fact, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    breach_register: BreachRegister | None = None

    @staticmethod
    def flaws(data: Mapping[str, Any]) -> Iterator[Flaw]:
        """Ids that stand twice; facts and obligations that are named and not there."""
        facts, duties = parts(data, "facts"), parts(data, "obligations")
        yield from doubled(facts)
        yield from doubled(duties)
        known: dict[str, tuple[frozenset[str], str]] = dict.fromkeys(
            ("starts", "superseded_by", "suspicion", "belief"), (ids(data, "facts"), "fact")
        ) | dict.fromkeys(("assessment", "statement"), (ids(data, "obligations"), "obligation"))
        for at, part in [*duties, (("breach_register",), mapping(data.get("breach_register")))]:
            for key, (there, what) in known.items():
                yield from strange((*at, key), part.get(key), there, what)

    def fact(self, name: str) -> Fact | None:
        return next((fact for fact in self.facts if fact.id == name), None)

    def obligation(self, name: str) -> Obligation | None:
        return next((obligation for obligation in self.obligations if obligation.id == name), None)

"""Who there is: people by their roles, how they are reached, and who comes after whom."""

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from domain.config.approval import ApprovalClass, ApprovalRule
from domain.config.names import ConfigFile, Flaw, doubled, items, parts, strange
from domain.config.severity_policy import SeverityPolicy
from domain.values.durations import Duration
from domain.values.frozen import Frozen
from domain.values.severity import Severity
from domain.values.telephones import is_number

COMMANDER = "incident-commander"
"""The role of whoever acknowledged first; it is held per incident, never in the organisation's file."""


class Channel(Frozen):
    """One way to reach somebody: a phone number in E.164 for text messages and calls, or a mail address."""

    kind: Literal["sms", "voice", "email"]
    address: str

    @field_validator("address")
    @classmethod
    def _check(cls, value: str, others: ValidationInfo) -> str:
        kind = others.data.get("kind")
        if kind in {"sms", "voice"} and not is_number(value):
            raise ValueError(f"{value!r} is no phone number in E.164, such as +61491570006")
        if kind == "email" and "@" not in value:
            raise ValueError(f"{value!r} is no mail address")
        return value


class Contact(Frozen):
    """A person or a rostered duty. The first channel is the one pages go to, the others stand by."""

    id: str
    roles: tuple[str, ...] = Field(min_length=1)
    channels: tuple[Channel, ...] = Field(min_length=1)

    def mail_first(self) -> tuple[Channel, ...]:
        """The channels as what is not urgent takes them: mail before any other, and calls last."""
        return tuple(sorted(self.channels, key=lambda channel: ("email", "sms", "voice").index(channel.kind)))


class External(Frozen):
    """A party outside the organisation: told of things, never a voter."""

    id: str
    title: str
    contact: str


class Dashboard(Frozen):
    title: str
    url: str


class Holidays(Frozen):
    """Whose public holidays count: ISO 3166 codes of a country and of its subdivision, such as AU and NSW."""

    country: str = Field(pattern=r"^[A-Z]{2}$")
    subdivision: str | None = None


class RecoveryTargets(Frozen):
    """How much may be lost, and how long it may take until data can be read again, when a database is gone."""

    point: Duration = Field(default="1h", validate_default=True)
    time: Duration = Field(default="4h", validate_default=True)


class BreakGlass(Frozen):
    """Who may decide a change alone, as nobody answers: holders of `roles`, or every contact where none is named.

    `tells` are the roles that are paged at once: where none is named, who signs runbooks and the last of the chain.
    `reviewer`, else the first of those, looks back at it within `review`.
    """

    roles: tuple[str, ...] = ()
    tells: tuple[str, ...] = ()
    reviewer: str | None = None
    review: Duration = Field(default="24h", validate_default=True)


class Passkeys(Frozen):
    """For whom people make passkeys: a domain, and to the letter the origins (`https://…`) of pages that ask for them.

    WebAuthn calls the domain the RP id. Without it no passkey proves anything.
    """

    site: str = Field(min_length=1, max_length=253)
    origins: tuple[str, ...] = Field(min_length=1)


class Organisation(ConfigFile):
    """One organisation, as `organisation.yaml` gives it.

    `security` is the role that is paged when somebody tampers with incidents; without it the first of the chain is.
    `on_call` and `approval` hold where a runbook is silent: who is paged first, in that order, and who may approve a
    change of each class. In production nothing is changed, and nobody outside told, under a runbook that a holder of
    each of `runbook_approvers` has not signed, another person for each; where there are none, none has to be signed.
    What begins by itself in a P0 a holder of each of `preauthorisers` has signed; where there are none, nothing does.
    What an incident leaves is kept for `retention` from its end. `personal_numbers` are regular expressions of numbers
    that stand for people, by what to call them: notes that hold one are warned of.
    """

    id: str
    title: str
    timezone: str
    contacts: tuple[Contact, ...] = Field(min_length=1)
    chain: tuple[str, ...] = Field(min_length=1)
    on_call: tuple[str, ...] = ()
    security: str | None = None
    approval: dict[ApprovalClass, ApprovalRule] = {}
    runbook_approvers: tuple[str, ...] = ()
    break_glass: BreakGlass = BreakGlass()
    passkeys: Passkeys | None = None
    preauthorisers: tuple[str, ...] = ()
    externals: tuple[External, ...] = ()
    dashboards: tuple[Dashboard, ...] = ()
    holidays: Holidays | None = None
    retention: Duration = Field(default="365d", validate_default=True)
    recovery: RecoveryTargets = RecoveryTargets()
    personal_numbers: dict[str, re.Pattern[str]] = {}
    severities: dict[Severity, SeverityPolicy]

    @staticmethod
    def flaws(data: Mapping[str, Any]) -> Iterator[Flaw]:
        """Ids that stand twice, a chain or a `security` that nobody holds, severities left out."""
        yield from doubled([*parts(data, "contacts"), *parts(data, "externals")])
        yield from strange(("chain",), data.get("chain"), held(data), "role")
        yield from strange(("security",), data.get("security"), held(data), "role")
        policies = data.get("severities")
        if isinstance(policies, dict) and (missing := [s.value for s in Severity if s.value not in policies]):
            yield Flaw(("severities",), f"no policy for {', '.join(missing)}; add one")

    @property
    def guard(self) -> str:
        """The role that sees to security."""
        return self.security or self.chain[0]

    def holders(self, role: str, commander: str | None = None) -> tuple[Contact, ...]:
        """Everybody who holds a role; empty for one that nobody holds. The commander's is held by whoever commands."""
        if role == COMMANDER:
            return tuple(contact for contact in self.contacts if contact.id == commander)
        return tuple(contact for contact in self.contacts if role in contact.roles)

    def contact(self, who: str, commander: str | None = None) -> Contact | None:
        """Find a contact by id, else the first holder of the role of that name."""
        named = (contact for contact in self.contacts if contact.id == who != COMMANDER)
        return next(chain(named, self.holders(who, commander)), None)

    def held(self) -> frozenset[str]:
        """Every role that somebody holds."""
        return frozenset(role for contact in self.contacts for role in contact.roles)

    def roles(self) -> frozenset[str]:
        """Every role that can be named: held ones, external parties, and the commander's."""
        return self.held() | {external.id for external in self.externals} | {COMMANDER}


def held(data: Mapping[str, Any]) -> frozenset[str]:
    """Every role that somebody of an organisation's values holds."""
    people = [contact for _, contact in parts(data, "contacts")]
    return frozenset(role for one in people for role in items(one.get("roles")) if isinstance(role, str))

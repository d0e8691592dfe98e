"""What a log of sign-ins tells: who guesses passwords, and where a guess was right."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from activities.aws.shared.addresses import Networks
from activities.aws.shared.log_records import Record, address, pseudonym
from domain.model.calls import Scope

EVENT = "AUTHENTICATION"


@dataclass(frozen=True, order=True)
class SignIn:
    """One attempt; `account` is a pseudonym. Ordered by time, failures before successes."""

    at: datetime
    success: bool
    address: str
    account: str
    role: str | None = field(default=None, compare=False)


@dataclass
class Attempts:
    """What one address tried."""

    failures: int = 0
    accounts: set[str] = field(default_factory=set)
    first: datetime | None = None
    last: datetime | None = None

    def take(self, attempt: SignIn) -> None:
        self.failures += not attempt.success
        self.accounts.add(attempt.account)
        self.first, self.last = self.first or attempt.at, attempt.at


@dataclass
class SignIns:
    """All attempts of a window, looked at in order of time.

    A takeover is a success from an address that had failed `threshold` times before, or that had failed at an
    account which had been failed at so often from anywhere. Our own addresses are no attacker's.
    """

    failures: int = 0
    successes: int = 0
    by_address: dict[str, Attempts] = field(default_factory=dict)
    accounts: set[str] = field(default_factory=set)
    guessing: list[str] = field(default_factory=list)
    takeovers: list[SignIn] = field(default_factory=list)

    @classmethod
    def of(cls, attempts: Iterable[SignIn], threshold: int, protected: Iterable[str]) -> "SignIns":
        seen, ours = cls(), Networks(protected)
        at_account: Counter[str] = Counter()
        tried: defaultdict[str, set[str]] = defaultdict(set)
        for one in sorted(attempts):
            there = seen.by_address.setdefault(one.address, Attempts())
            foreign = one.address not in ours
            often = there.failures >= threshold
            again = one.account in tried[one.address] and at_account[one.account] >= threshold
            if one.success and foreign and (often or again):
                seen.takeovers.append(one)
            if not one.success:
                at_account[one.account] += 1
                tried[one.address].add(one.account)
            seen.failures += not one.success
            seen.successes += one.success
            seen.accounts.add(one.account)
            there.take(one)
        most = sorted(seen.by_address.items(), key=lambda item: (-item[1].failures, item[0]))
        seen.guessing = [name for name, one in most if one.failures >= threshold and name not in ours]
        return seen


def sign_ins(scope: Scope, records: Iterable[Record]) -> tuple[list[SignIn], int]:
    """The attempts to sign in among records, and how many of them lack a field that tells whose or how it ended."""
    theirs = [one for one in records if one.is_of(EVENT)]
    found = [attempt for one in theirs if (attempt := _sign_in(scope, one))]
    return found, len(theirs) - len(found)


def _sign_in(scope: Scope, record: Record) -> SignIn | None:
    account, success, known = record.says("account"), record.success, address(record.says("address"))
    if success is None or account is None or known is None:
        return None
    role = record.says("role")
    account = pseudonym(scope.incident, str(account))
    return SignIn(record.at, success, known, account, None if role is None else str(role))

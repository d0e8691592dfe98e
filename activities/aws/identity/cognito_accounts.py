"""Accounts of a user pool, named by their subs alone: a name or a mail address never gets into a plan."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field

from activities.action import Clients, P, Params, RuleError, UserPoolName
from activities.aws.shared.addresses import listed
from activities.aws.shared.pieces import GONE, CompositeChange, Piece
from domain.config.approval import ApprovalClass
from domain.model.calls import Scope
from domain.model.plan import Plan, State

MANY = 50
"""More accounts than these at once are a change of class A3."""
MOST = 500


def _sorted_subs(value: tuple[str, ...]) -> tuple[str, ...]:
    """Sort subs, each once. Raises `ValueError` for what is no UUID: it may be somebody's name."""
    value = tuple(one.strip() for one in value if one.strip())
    for place, one in enumerate(value, start=1):
        try:
            UUID(one)
        except ValueError:
            raise ValueError(f"number {place} is no sub: name accounts by their sub (a UUID), never by name") from None
    return tuple(sorted({str(UUID(one)) for one in value}))


Subs = Annotated[tuple[str, ...], AfterValidator(_sorted_subs), Field(max_length=MOST), BeforeValidator(listed)]


class AccountsParams(Params):
    """`users` are subs; `--set users=3f2a…,9b1c…`. Cognito takes a sub wherever it takes a username."""

    user_pool: UserPoolName
    users: Annotated[Subs, Field(min_length=1)]


class Account(Piece):
    """One account of a user pool; who derives from it says what of it is its value."""

    def __init__(self, clients: Clients, pool: str, user: str) -> None:
        self.cognito: Any = clients.client("cognito-idp")
        self.once: Any = clients.once("cognito-idp")
        self.user = user
        self.where = {"UserPoolId": pool, "Username": user}

    def described(self) -> dict[str, Any] | None:
        """Describe it; None when it does not exist (`cognito-idp:AdminGetUser`)."""
        try:
            return dict(self.cognito.admin_get_user(**self.where))
        except self.cognito.exceptions.UserNotFoundException:
            return None

    def read(self) -> Any:
        """Read the value; `gone` once it was deleted."""
        found = self.described()
        return GONE if found is None else self.value(found)

    @abstractmethod
    def value(self, found: dict[str, Any]) -> Any:
        """The value of an account that is described so."""


class PoolChange(CompositeChange[P]):
    """A change of accounts in a user pool, each a piece under its sub; more than 50 at once are class A3."""

    classes = (ApprovalClass.A2, ApprovalClass.A3)
    piece: ClassVar[type[Account]]

    def pieces(self, scope: Scope, wanted: State, context: State) -> Iterator[tuple[str, Piece]]:
        for user in sorted(wanted):
            yield user, self.account(scope, context, user)

    def account(self, scope: Scope, context: State, user: str) -> Account:
        """The piece of one account."""
        return self.piece(self.clients, context["pool"], user)

    def described(self, scope: Scope, context: State, users: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Describe accounts by sub; raises `RuleError` naming those that do not exist."""
        found = {user: self.account(scope, context, user).described() for user in users}
        if missing := [user for user, one in found.items() if one is None]:
            raise RuleError(f"{context['pool']} has no account of sub {', '.join(missing)}: name those that it has")
        return {user: one for user, one in found.items() if one is not None}

    def planned(self, before: State, after: State, context: State, **more: Any) -> Plan:
        """Make the plan for accounts of `context["pool"]`, which is locked as a whole (`cognito-idp:DescribeUserPool`).

        `more` is what `proposed` takes.
        """
        pool = self.clients.client("cognito-idp").describe_user_pool(UserPoolId=context["pool"])["UserPool"]
        grave = ApprovalClass.A3 if len(before) > MANY else ApprovalClass.A2
        named = {"approval_class": grave, "context": context, **more}
        return self.proposed(str(pool["Arn"]), before=before, after=after, **named)


def sends_no_texts(pool: dict[str, Any]) -> bool:
    """Whether Cognito says that the role by which a pool sends text messages may not send them (API UserPoolType).

    That the account is still in the sandbox of SNS it says in the same field: some people are reached all the same.
    """
    told = [one.strip() for one in str(pool.get("SmsConfigurationFailure", "")).split(",")]
    return "InvalidSmsRoleAccessPolicyException" in told


def count_changing(before: State, after: State) -> int:
    """To how many accounts of a plan something happens."""
    return sum(before[user] != after[user] for user in after)


def attributes(found: dict[str, Any]) -> dict[str, str]:
    """An account's attributes by their names."""
    return {one["Name"]: one["Value"] for one in found.get("UserAttributes", [])}


def left_alone(barred: dict[str, str], count: int, how: str) -> str:
    """What is to be said of the accounts that cannot be treated so, each with why; raises `RuleError` if none can."""
    named = "; ".join(f"{user} ({why})" for user, why in sorted(barred.items()))
    if len(barred) == count:
        raise RuleError(f"none of {count} accounts can be {how}: {named}")
    return f" {len(barred)} cannot be {how} and stay as they are: {named}." if barred else ""

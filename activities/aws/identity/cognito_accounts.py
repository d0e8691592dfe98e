"""Accounts of a user pool, named by their subs alone: a name or a mail address never gets into a plan."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field, field_validator

from activities.action import ChangeAction, P, Params, RuleError, UserPoolName
from activities.aws.shared.addresses import listed
from domain.config.approval import ApprovalClass
from domain.model.activity_io import Scope
from domain.model.plan import Plan, State, Verification, foreign_fields

MANY = 50
"""More accounts than these at once are a change of class A3."""
MOST = 500
GONE = "gone"


def subs(value: tuple[str, ...]) -> tuple[str, ...]:
    """Sort subs, each once. Raises `ValueError` for what is no UUID: it may be somebody's name."""
    value = tuple(one.strip() for one in value if one.strip())
    for place, one in enumerate(value, start=1):
        try:
            UUID(one)
        except ValueError:
            raise ValueError(f"number {place} is no sub: name accounts by their sub (a UUID), never by name") from None
    return tuple(sorted({str(UUID(one)) for one in value}))


class AccountsParams(Params):
    """`users` are subs; `--set users=3f2a…,9b1c…`. Cognito takes a sub wherever it takes a username."""

    user_pool: UserPoolName
    users: Annotated[tuple[str, ...], BeforeValidator(listed)] = Field(min_length=1, max_length=MOST)

    @field_validator("users")
    @classmethod
    def _subs(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not (found := subs(value)):
            raise ValueError("name one account at least")
        return found


class PoolChange(ChangeAction[P]):
    """A change of accounts in a user pool; more than 50 at once are class A3."""

    classes = (ApprovalClass.A2, ApprovalClass.A3)

    @property
    def cognito(self) -> Any:
        return self.clients.client("cognito-idp")

    def planned(
        self,
        pool: str,
        before: State,
        after: State,
        *,
        summary: str,
        impact: str,
        reversible: bool = True,
        **context: Any,
    ) -> Plan:
        """Make the plan for accounts of a pool, which is locked as a whole (`cognito-idp:DescribeUserPool`)."""
        arn = str(self.cognito.describe_user_pool(UserPoolId=pool)["UserPool"]["Arn"])
        return self.proposed(
            target=arn,
            summary=summary,
            before=before,
            after=after,
            impact=impact,
            approval_class=ApprovalClass.A3 if len(before) > MANY else ApprovalClass.A2,
            reversible=reversible,
            context={"pool": pool, **context},
        )

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether every account is as planned; one that is gone needs no waiting for.

        Nor does one that is neither as planned nor as it was: that is somebody else's doing.
        """
        now = self.read(scope, plan)
        here = {user: state for user, state in now.items() if state != GONE}
        right = len(now) - sum(state != plan.after[user] for user, state in here.items())
        message = f"{right} of {len(now)} as planned"
        if foreign := foreign_fields(here, plan):
            return Verification(
                done=False, failed=True, message=f"{message}; somebody changed {', '.join(foreign)} meanwhile"
            )
        return Verification(done=right == len(now), message=message)


def account(cognito: Any, pool: str, user: str) -> dict[str, Any] | None:
    """Describe an account; None when there is none (`cognito-idp:AdminGetUser`)."""
    try:
        return dict(cognito.admin_get_user(UserPoolId=pool, Username=user))
    except cognito.exceptions.UserNotFoundException:
        return None


def known(cognito: Any, pool: str, users: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Describe accounts by sub; raises `RuleError` naming those that do not exist."""
    found = {user: account(cognito, pool, user) for user in users}
    if missing := [user for user, one in found.items() if one is None]:
        raise RuleError(f"{pool} has no account of sub {', '.join(missing)}: name those that it has")
    return {user: one for user, one in found.items() if one is not None}


def states(cognito: Any, pool: str, users: Iterable[str], state: Callable[[str, dict[str, Any]], Any]) -> State:
    """Read the state of each account; one that was deleted meanwhile is `gone`."""
    found = {user: account(cognito, pool, user) for user in users}
    return {user: GONE if one is None else state(user, one) for user, one in found.items()}


def changing(before: State, after: State) -> list[str]:
    """The accounts of a plan that something happens to."""
    return [user for user in sorted(after) if before[user] != after[user]]


def attributes(found: dict[str, Any]) -> dict[str, str]:
    """An account's attributes by their names."""
    return {one["Name"]: one["Value"] for one in found.get("UserAttributes", [])}


def with_reasons(barred: dict[str, str]) -> str:
    """Name the accounts that something cannot be done to, each with why."""
    return "; ".join(f"{user} ({why})" for user, why in sorted(barred.items()))

"""Accounts of a user pool, named by their subs alone: a name or a mail address never gets into a plan."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field, field_validator

from activities.action import Params, RuleError, UserPoolName
from activities.aws.shared.addresses import listed
from domain.config.approval import ApprovalClass
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


def pool_arn(cognito: Any, pool: str) -> str:
    """The ARN of a user pool (`cognito-idp:DescribeUserPool`)."""
    return str(cognito.describe_user_pool(UserPoolId=pool)["UserPool"]["Arn"])


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


def class_for(users: Iterable[str]) -> ApprovalClass:
    return ApprovalClass.A3 if len(list(users)) > MANY else ApprovalClass.A2


def changing(before: State, after: State) -> list[str]:
    """The accounts of a plan that something happens to."""
    return [user for user in sorted(after) if before[user] != after[user]]


def looked(now: State, plan: Plan, what: str) -> Verification:
    """Count the accounts that are as planned; an account that is gone needs no waiting for.

    Nor does one that is neither as planned nor as it was: that is somebody else's doing.
    """
    here = {user: state for user, state in now.items() if state != GONE}
    right = len(now) - sum(state != plan.after[user] for user, state in here.items())
    told = f"{right} of {len(now)} accounts {what}"
    if foreign := foreign_fields(here, plan):
        return Verification(done=False, failed=True, message=f"{told}; somebody changed {', '.join(foreign)} meanwhile")
    return Verification(done=right == len(now), message=told)

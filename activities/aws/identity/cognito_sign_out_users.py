"""End every session of accounts, wherever they are signed in."""

from collections.abc import Iterable

from activities.action import ChangeAction
from activities.aws.identity.account_marks import Marks
from activities.aws.identity.cognito_accounts import (
    AccountsParams,
    changing,
    class_for,
    known,
    looked,
    pool_arn,
    states,
)
from domain.config.approval import ApprovalClass
from domain.model.activity_io import Scope
from domain.model.plan import Plan, State, Verification

_NEWER = "newer than "


class SignOutUsers(ChangeAction[AccountsParams]):
    """Invalidates the tokens of accounts of a user pool; it cannot be taken back, and need not be.

    Cognito does not tell when an account was signed out last, so each time is counted in the ledger's table. The
    state is `sign-out <n>` for each account's sub, and `newer than sign-out <n>` once a later one is on record. What
    was sent but not yet counted is sent again: that ends no session that was to stay
    (`cognito-idp:AdminUserGlobalSignOut`).
    """

    name = "cognito.sign_out_users"
    classes = (ApprovalClass.A2, ApprovalClass.A3)

    def plan(self, scope: Scope, params: AccountsParams) -> Plan:
        """Read the last sign-outs; raises `RefusedError` for an account that does not exist. Above 50, class A3."""
        cognito = self.clients.client("cognito-idp")
        pool = scope.environment.user_pools[params.user_pool]
        known(cognito, pool, params.users)
        counts = self._marks(scope, pool).counts(params.users)
        before = {user: _state(count) for user, count in counts.items()}
        arn = pool_arn(cognito, pool)
        return Plan(
            action=self.name,
            target=arn,
            summary=f"Sign {len(before)} accounts of {params.user_pool} out everywhere",
            before=before,
            after={user: _NEWER + state for user, state in before.items()},
            impact=(
                f"{len(before)} people must sign in again; work that they have not saved is lost. It cannot be undone: "
                "sessions that ended do not come back. An access token that an application checks by itself is good "
                "until it expires, and so is the cookie of the hosted sign-in page: whoever knows the password "
                "signs in again, so disable the account or reset its password too."
            ),
            approval_class=class_for(params.users),
            locks=(arn,),
            reversible=False,
            context={"pool": pool, "counts": counts},
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        """Read whether a later sign-out is on record (`cognito-idp:AdminGetUser`, `dynamodb:GetItem`)."""
        pool, counts = plan.context["pool"], plan.context["counts"]
        now = self._marks(scope, pool).counts(plan.before)
        return states(
            self.clients.client("cognito-idp"),
            pool,
            plan.before,
            lambda user, _: _NEWER + _state(counts[user]) if now[user] > counts[user] else _state(now[user]),
        )

    def act(self, scope: Scope, plan: Plan) -> None:
        """Sign out each account that has no later sign-out on record, and count it."""
        cognito, pool = self.clients.client("cognito-idp"), plan.context["pool"]
        marks, now = self._marks(scope, pool), self.read(scope, plan)
        for user in _left(plan, now):
            cognito.admin_user_global_sign_out(UserPoolId=pool, Username=user)
            marks.done(user, plan.context["counts"][user])

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether a sign-out of every account is on record."""
        return looked(self.read(scope, plan), plan, "signed out")

    def _marks(self, scope: Scope, pool: str) -> Marks:
        return Marks(self.clients, scope.environment.ledger_table, pool, "signed-out")


def _state(count: int) -> str:
    return f"sign-out {count}"


def _left(plan: Plan, now: State) -> Iterable[str]:
    return (user for user in changing(plan.before, plan.after) if now[user] == plan.before[user])

"""End every session of accounts, wherever they are signed in."""

from activities.action import iam
from activities.aws.identity.account_marks import Marks
from activities.aws.identity.cognito_accounts import AccountsParams, PoolChange, changing, known, states
from domain.model.activity_io import Scope
from domain.model.plan import Plan, State

_NEWER = "newer than "


class SignOutUsers(PoolChange[AccountsParams]):
    """Invalidates the tokens of accounts of a user pool; it cannot be taken back, and need not be.

    Cognito does not tell when an account was signed out last, so each time is counted in the ledger's table. The state
    is `sign-out <n>` for each account's sub, and `newer than sign-out <n>` once a later one is on record. What was sent
    but not yet counted is sent again: that ends no session that was to stay.
    """

    name = "cognito.sign_out_users"
    permissions = iam("cognito-idp:AdminGetUser AdminUserGlobalSignOut DescribeUserPool")

    def plan(self, scope: Scope, params: AccountsParams) -> Plan:
        """Read the last sign-outs; raises `RuleError` for an account that does not exist. Above 50, class A3."""
        pool = scope.environment.user_pools[params.user_pool]
        known(self.cognito, pool, params.users)
        counts = self._marks(scope, pool).counts(params.users)
        before = {user: _state(count) for user, count in counts.items()}
        return self.planned(
            pool,
            before,
            {user: _NEWER + state for user, state in before.items()},
            summary=f"Sign {len(before)} accounts of {params.user_pool} out everywhere",
            impact=(
                f"{len(before)} people must sign in again; work that they have not saved is lost. It cannot be undone: "
                "sessions that ended do not come back. An access token that an application checks by itself is good "
                "until it expires, and so is the cookie of the hosted sign-in page: whoever knows the password "
                "signs in again, so disable the account or reset its password too."
            ),
            reversible=False,
            counts=counts,
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        """Read whether a later sign-out is on record (`cognito-idp:AdminGetUser`, `dynamodb:GetItem`)."""
        pool, counts = plan.context["pool"], plan.context["counts"]
        now = self._marks(scope, pool).counts(plan.before)
        return states(
            self.cognito,
            pool,
            plan.before,
            lambda user, _: _NEWER + _state(counts[user]) if now[user] > counts[user] else _state(now[user]),
        )

    def act(self, scope: Scope, plan: Plan) -> None:
        """Sign out each account that has no later sign-out on record, and count it."""
        pool = plan.context["pool"]
        marks, now = self._marks(scope, pool), self.read(scope, plan)
        for user in (one for one in changing(plan.before, plan.after) if now[one] == plan.before[one]):
            self.cognito.admin_user_global_sign_out(UserPoolId=pool, Username=user)
            marks.done(user, plan.context["counts"][user])

    def _marks(self, scope: Scope, pool: str) -> Marks:
        return Marks(self.clients, scope.environment.ledger_table, pool, "signed-out")


def _state(count: int) -> str:
    return f"sign-out {count}"

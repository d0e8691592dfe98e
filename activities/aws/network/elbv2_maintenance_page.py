"""Show the maintenance page instead of the application."""

from collections.abc import Iterator
from typing import Any

from activities.action import ChangeAction, NoParams, RuleError, iam
from activities.aws.network.maintenance_html import PAGE, PAGE_DIGEST, digest
from domain.config.approval import ApprovalClass
from domain.config.environment import LoadBalancer
from domain.model.activity_io import Scope
from domain.model.plan import Plan, State, Verification

_PAGE = "page"
_TYPE = "text/html"
_STATUS = "503"
_SECRET = "authenticate-oidc"  # noqa: S105  # the type of an action, no secret
_ANSWER: list[dict[str, Any]] = [
    {
        "Type": "fixed-response",
        "Order": 1,
        "FixedResponseConfig": {"StatusCode": _STATUS, "ContentType": _TYPE, "MessageBody": PAGE},
    }
]


class MaintenancePage(ChangeAction[NoParams]):
    """Makes the rules that carry the application answer 503 with the page, and keeps the page in its bucket.

    The state is `page`, the SHA-256 of the stored page or null, and each rule's actions under the rule's ARN. Rules
    that the environment does not name, such as that of `/health`, stay as they are.
    """

    name = "elbv2.maintenance_page"
    needs = ("maintenance",)
    permissions = iam("elasticloadbalancing:DescribeRules ModifyRule", "s3:DeleteObject GetObject ListBucket PutObject")
    classes = (ApprovalClass.A2,)

    def plan(self, scope: Scope, params: NoParams) -> Plan:
        """Read the rules and the page; raises `RuleError` when a rule could not be put back as it was."""
        balancer, context = _place(scope)
        rules = self._rules(balancer.rule_arns)
        for rule in rules:
            _refuse_irreversible(rule)
        before = {_PAGE: self._stored(context), **{rule["RuleArn"]: _explicit(rule["Actions"]) for rule in rules}}
        after = {_PAGE: PAGE_DIGEST, **{rule["RuleArn"]: _ANSWER for rule in rules}}
        return self.proposed(
            target=balancer.arn,
            summary=f"Show the maintenance page on {len(rules)} rule{'s' if len(rules) > 1 else ''}",
            before=before,
            after=after,
            impact=(
                f"Nobody reaches the application through {balancer.arn.rsplit('/', 2)[-2]}: every request that its "
                f"{len(rules)} application rule{'s' if len(rules) > 1 else ''} would forward gets {_STATUS} and the "
                "maintenance page, until this is undone. Other rules, such as that of the health check, stay."
            ),
            locks={balancer.arn, *balancer.rule_arns},
            context={**context, "verbatim": {rule["RuleArn"]: rule["Actions"] for rule in rules}},
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        """Read the stored page and the actions of the plan's rules (`elasticloadbalancing:DescribeRules`)."""
        rules = self._rules(tuple(_rule_arns(plan)))
        return {
            _PAGE: self._stored(plan.context),
            **{rule["RuleArn"]: _explicit(rule["Actions"]) for rule in rules},
        }

    def act(self, scope: Scope, plan: Plan) -> None:
        """Set page and rules to `after`, whole and absolute, so a second time changes nothing.

        Going there the page comes first, coming back it goes last.
        """
        coming_back = plan.before[_PAGE] == PAGE_DIGEST and plan.after[_PAGE] != PAGE_DIGEST
        if not coming_back:
            self._store(plan)
        for arn in _rule_arns(plan):
            if plan.after[arn] != plan.before[arn]:
                self.clients.once("elbv2").modify_rule(RuleArn=arn, Actions=_to_write(plan, arn))
        if coming_back:
            self._store(plan)

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether page and rules are as planned; a load balancer follows its rules at once."""
        now = self.read(scope, plan)
        wrong = sorted(name for name, value in plan.after.items() if now.get(name) != value)
        rules = len(plan.after) - 1
        message = f"{rules - len(set(wrong) - {_PAGE})} of {rules} rules as planned"
        return Verification(done=not wrong, message=message + (", the stored page is not" if _PAGE in wrong else ""))

    def _rules(self, arns: tuple[str, ...]) -> list[dict[str, Any]]:
        return sorted(
            self.clients.client("elbv2").describe_rules(RuleArns=list(arns))["Rules"],
            key=lambda rule: str(rule["RuleArn"]),
        )

    def _stored(self, context: State) -> str | None:
        """The digest of the page in the bucket; None when there is none (`s3:GetObject`, `s3:ListBucket`)."""
        s3 = self.clients.client("s3")
        try:
            answer = s3.get_object(Bucket=context["bucket"], Key=context["key"])
        except s3.exceptions.NoSuchKey:
            return None
        return digest(answer["Body"].read())

    def _store(self, plan: Plan) -> None:
        """Put the page of `after` in the bucket; a page of somebody else's is kept beside it, to be put back."""
        before, after = plan.before[_PAGE], plan.after[_PAGE]
        if before == after:
            return
        s3, where = self.clients.client("s3"), {"Bucket": plan.context["bucket"], "Key": plan.context["key"]}
        if after is None:
            s3.delete_object(**where)
        elif after == PAGE_DIGEST:
            if before is not None and self._stored(plan.context) == before:
                s3.copy_object(Bucket=where["Bucket"], Key=_kept(where["Key"], before), CopySource=where)
            s3.put_object(**where, Body=PAGE.encode(), ContentType=_TYPE, CacheControl="no-store")
        else:
            kept = {"Bucket": where["Bucket"], "Key": _kept(where["Key"], after)}
            s3.copy_object(**where, CopySource=kept)


def _place(scope: Scope) -> tuple[LoadBalancer, State]:
    """Where rules and page are; raises `RuleError` when the environment does not say."""
    environment = scope.environment
    if environment.maintenance is None:
        raise RuleError(f"environment {environment.name} names no maintenance page: fill in maintenance in its file")
    balancer = environment.load_balancers[environment.maintenance.load_balancer]
    if not balancer.rule_arns:
        raise RuleError(
            f"load balancer {environment.maintenance.load_balancer} names no rules that carry the application: "
            "fill in rule_arns in the environment's file"
        )
    bucket = environment.buckets[environment.maintenance.bucket]
    return balancer, {"bucket": bucket, "key": environment.maintenance.key}


def _refuse_irreversible(rule: dict[str, Any]) -> None:
    if rule["IsDefault"]:
        raise RuleError(f"{rule['RuleArn']} is its listener's default rule, which no rule change can set")
    if any(action["Type"] == _SECRET for action in rule["Actions"]):
        raise RuleError(
            f"{rule['RuleArn']} signs people in by OpenID Connect; AWS does not give its client secret back, "
            "so that the rule could not be restored: name a rule without it"
        )


def _rule_arns(plan: Plan) -> Iterator[str]:
    return (name for name in sorted(plan.after) if name != _PAGE)


def _to_write(plan: Plan, arn: str) -> list[dict[str, Any]]:
    """The actions as AWS gave them, where they are what shall stand; otherwise those of `after`."""
    verbatim: list[dict[str, Any]] = plan.context["verbatim"][arn]
    wanted: list[dict[str, Any]] = plan.after[arn]
    return verbatim if _explicit(verbatim) == wanted else wanted


def _explicit(actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Write out what AWS may leave unsaid, so that the same actions always read the same.

    Actions stand in the order in which they are taken; a single target group has both its spellings.
    """
    ordered = sorted(actions, key=lambda action: int(action.get("Order", 1)))
    return [{**_forward(action), "Order": place} for place, action in enumerate(ordered, start=1)]


def _forward(action: dict[str, Any]) -> dict[str, Any]:
    if action["Type"] != "forward":
        return action
    config = action.get("ForwardConfig", {})
    groups = config.get("TargetGroups") or [{"TargetGroupArn": action["TargetGroupArn"]}]
    explicit: dict[str, Any] = {
        **action,
        "ForwardConfig": {
            "TargetGroups": [{"Weight": 1, **group} for group in groups],
            "TargetGroupStickinessConfig": {"Enabled": False, **config.get("TargetGroupStickinessConfig", {})},
        },
    }
    return {**explicit, "TargetGroupArn": groups[0]["TargetGroupArn"]} if len(groups) == 1 else explicit


def _kept(key: str, page: str) -> str:
    """Where a page that was there before ours is kept."""
    return f"{key}.{page[:16]}"

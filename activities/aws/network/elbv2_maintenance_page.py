"""Show the maintenance page instead of the application."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from activities.action import Clients, NoParams, RuleError, iam, needed
from activities.aws.shared.pieces import CompositeChange, Piece
from domain.config.approval import ApprovalClass
from domain.config.environment import LoadBalancer
from domain.model.calls import Scope
from domain.model.plan import Plan, State

PAGE = (
    "<!doctype html>"
    '<html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta http-equiv="refresh" content="60">'
    '<meta name="robots" content="noindex">'
    "<title>Temporarily unavailable</title>"
    "<style>body{font:1.1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem;color:#1b2733}"
    "</style></head><body>"
    "<h1>We will be back shortly</h1>"
    "<p>This service is temporarily unavailable while we work on it.</p>"
    "<p>This page looks again by itself every minute. If your matter is urgent, please telephone us.</p>"
    "</body></html>"
)
"""What people see meanwhile: neutral, one line, short enough for a load balancer's fixed response."""
PAGE_DIGEST = sha256(PAGE.encode()).hexdigest()
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


class _Page(Piece):
    """The page in its bucket; its value is the SHA-256 of what lies there, null while nothing does."""

    def __init__(self, clients: Clients, bucket: str, key: str) -> None:
        self._s3 = clients.client("s3")
        self._where = {"Bucket": bucket, "Key": key}

    def read(self) -> str | None:
        """`s3:GetObject`, and `s3:ListBucket`, without which what is not there is denied."""
        try:
            return sha256(self._s3.get_object(**self._where)["Body"].read()).hexdigest()
        except self._s3.exceptions.NoSuchKey:
            return None

    def set(self, value: Any) -> None:
        """Put our page there, and keep somebody else's beside it; or put back what was kept."""
        if value is None:
            self._s3.delete_object(**self._where)
        elif value == PAGE_DIGEST:
            if (before := self.read()) is not None:
                self._s3.copy_object(**self._kept(before), CopySource=self._where)
            self._s3.put_object(**self._where, Body=PAGE.encode(), ContentType=_TYPE, CacheControl="no-store")
        else:
            self._s3.copy_object(**self._where, CopySource=self._kept(value))

    def _kept(self, page: str) -> dict[str, str]:
        return {**self._where, "Key": f"{self._where['Key']}.{page[:16]}"}


class _Rule(Piece):
    """A listener's rule; its value is its actions written out, `verbatim` as AWS gave them in the plan."""

    def __init__(self, clients: Clients, arn: str, verbatim: list[dict[str, Any]]) -> None:
        self._clients = clients
        self._arn = arn
        self._verbatim = verbatim

    def read(self) -> list[dict[str, Any]]:
        """`elasticloadbalancing:DescribeRules`."""
        return _explicit(_described(self._clients, [self._arn])[0]["Actions"])

    def set(self, value: Any) -> None:
        """Write the actions, as AWS gave them where these are meant (`elasticloadbalancing:ModifyRule`)."""
        actions = self._verbatim if _explicit(self._verbatim) == value else value
        self._clients.once("elbv2").modify_rule(RuleArn=self._arn, Actions=actions)


class MaintenancePage(CompositeChange[NoParams]):
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
        balancer, place = _place(scope)
        rules = _described(self.clients, balancer.rule_arns)
        for rule in rules:
            _refuse_irreversible(rule)
        context = {**place, "verbatim": {rule["RuleArn"]: rule["Actions"] for rule in rules}}
        after: State = {_PAGE: PAGE_DIGEST, **{rule["RuleArn"]: _ANSWER for rule in rules}}
        count = f"{len(rules)} rule" + ("s" if len(rules) > 1 else "")
        return self.proposed(
            target=balancer.arn,
            summary=f"Show the maintenance page on {count}",
            before=self.values(scope, after, context),
            after=after,
            impact=(
                f"Nobody reaches the application through {balancer.arn.rsplit('/', 2)[-2]}: every request that the "
                f"application's {count} would forward gets {_STATUS} and the maintenance page, until this is undone. "
                "Other rules, such as that of the health check, stay."
            ),
            locks={balancer.arn, *balancer.rule_arns},
            context=context,
        )

    def pieces(self, scope: Scope, wanted: State, context: State) -> Iterable[tuple[str, Piece]]:
        """The page, then the rules in order of their ARNs; coming back the page goes last."""
        page = (_PAGE, _Page(self.clients, context["bucket"], context["key"]))
        rules = [(arn, _Rule(self.clients, arn, actions)) for arn, actions in sorted(context["verbatim"].items())]
        return [page, *rules] if wanted.get(_PAGE, PAGE_DIGEST) == PAGE_DIGEST else [*rules, page]


def _described(clients: Clients, arns: Iterable[str]) -> list[dict[str, Any]]:
    return list(clients.client("elbv2").describe_rules(RuleArns=list(arns))["Rules"])


def _place(scope: Scope) -> tuple[LoadBalancer, State]:
    """Where rules and page are; raises `RuleError` when the environment does not say."""
    environment = scope.environment
    where = needed(environment.maintenance, environment, "maintenance")
    balancer = environment.load_balancers[where.load_balancer]
    if not balancer.rule_arns:
        raise RuleError(
            f"load balancer {where.load_balancer} names no rules that carry the application: "
            "fill in rule_arns in the environment's file"
        )
    return balancer, {"bucket": environment.buckets[where.bucket], "key": where.key}


def _refuse_irreversible(rule: dict[str, Any]) -> None:
    if rule["IsDefault"]:
        raise RuleError(f"{rule['RuleArn']} is its listener's default rule, which no rule change can set")
    if any(action["Type"] == _SECRET for action in rule["Actions"]):
        raise RuleError(
            f"{rule['RuleArn']} signs people in by OpenID Connect; AWS does not give its client secret back, "
            "so that the rule could not be restored: name a rule without it"
        )


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

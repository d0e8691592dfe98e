"""IAM's policy simulator: what a role may do of many statements, in few questions, as IAM throttles those early.

Each action of a question is decided on each of its resources (IAM API SimulatePrincipalPolicy), so statements are asked
together where that makes few answers that nobody wants.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Semaphore
from typing import Any, NamedTuple

from activities.permissions.statements import Statement

STANDS_FOR_ANY = "preflight"
_PAGE = 1000
_WORTH = 100
"""As many answers as take the time of one more question."""
_FEW = Semaphore(4)
"""Simulations at once: IAM throttles an account's calls early, and does not say where."""
_TYPES = {"Bool": "boolean", "ForAnyValue:StringLike": "stringList"}

Context = dict[str, dict[str, Any]]
"""What is known of a request, by its keys, as IAM takes it."""


class Decided(NamedTuple):
    """What the simulator says of one action on one resource, and what it could not take into account.

    `lacking` are keys of the role's policies that nobody gave it. `bounded` is a refusal of the boundary or of a
    service control policy: it names no key of theirs (IAM API EvaluationResult, MissingContextValues).
    """

    allowed: bool
    lacking: frozenset[str]
    bounded: bool


Simulated = dict[tuple[str, str], Decided]
"""By action and resource."""


@dataclass(frozen=True)
class Role:
    """A role to ask the simulator about; `given` is the request's context where a statement asks for no other.

    It has a value for each key of the role's own statements: the simulator names a key that lacks one whatever is asked
    (public report aws-sdk-java-v2 1751), and those that it still names are of statements that are not ours.
    """

    client: Any
    arn: str
    given: Context

    @classmethod
    def known(cls, client: Any, arn: str, region: str, own: Iterable[Statement]) -> "Role":
        """A role of ours, with what is known of every request of it, and what fulfils its own statements."""
        of_all = {"aws:PrincipalArn": arn, "aws:RequestedRegion": region}
        given = {key: _entry(key, "string", [value]) for key, value in of_all.items()}
        for one in own:
            given |= _context(one)
        return cls(client, arn, given)

    def may(self, asked: Sequence[Statement]) -> list[Simulated]:
        """What the simulator decides of each statement, in their order.

        Actions that need other information than the rest are refused together with it; then each statement is asked
        apart.
        """
        found: dict[int, Simulated] = {}
        for question in _together(asked):
            try:
                answers = [self._simulated(question)] * len(question.of)
            except self.client.exceptions.InvalidInputException:
                answers = [self._apart(_Question.of_one(number, asked[number])) for number in question.of]
            for number, answer in zip(question.of, answers, strict=True):
                found[number] = _of(_Question.of_one(number, asked[number]), answer)
        return [found[number] for number in range(len(asked))]

    def _apart(self, question: "_Question") -> Simulated:
        """The answers, by halves of the actions where they cannot be asked together."""
        try:
            return self._simulated(question)
        except self.client.exceptions.InvalidInputException:
            actions = list(question.actions)
            if len(actions) == 1:
                raise
            halves = (actions[: len(actions) // 2], actions[len(actions) // 2 :])
            first, second = (
                self._apart(_Question(question.of, dict.fromkeys(half), question.resources, question.context))
                for half in halves
            )
            return first | second

    def _simulated(self, question: "_Question") -> Simulated:
        with _FEW:
            pages = self.client.get_paginator("simulate_principal_policy").paginate(
                PolicySourceArn=self.arn,
                ActionNames=list(question.actions),
                ResourceArns=list(question.resources),
                ContextEntries=list((self.given | question.context).values()),
                MaxItems=_PAGE,
            )
            return dict(decided for page in pages for one in page["EvaluationResults"] for decided in _decisions(one))


@dataclass
class _Question:
    """Actions and resources that are asked about at once, each once; `of` are the numbers of their statements."""

    of: list[int]
    actions: dict[str, None]
    resources: dict[str, None]
    context: Context = field(default_factory=dict)

    @classmethod
    def of_one(cls, number: int, one: Statement) -> "_Question":
        return cls([number], dict.fromkeys(one.actions), dict.fromkeys(samples(one.resources)), _context(one))

    def takes(self, other: "_Question") -> int | None:
        """How many answers more than both alone it would have with another; None where they contradict each other.

        What is asked without conditions is not asked along with what has some: they might hide it.
        """
        if bool(self.context) != bool(other.context):
            return None
        if any(self.context.get(key, entry) != entry for key, entry in other.context.items()):
            return None
        both = len(self.actions | other.actions) * len(self.resources | other.resources)
        return both - sum(len(one.actions) * len(one.resources) for one in (self, other))

    def join(self, other: "_Question") -> None:
        self.of += other.of
        self.actions |= other.actions
        self.resources |= other.resources
        self.context |= other.context


def _together(asked: Sequence[Statement]) -> list[_Question]:
    """The questions to ask: each statement joins the one that it makes least longer, if that is worth it."""
    made: list[_Question] = []
    for number, statement in enumerate(asked):
        new = _Question.of_one(number, statement)
        more = [(cost, place) for place, one in enumerate(made) if (cost := one.takes(new)) is not None]
        cost, place = min(more, default=(_WORTH + 1, 0))
        if cost > _WORTH:
            made.append(new)
        else:
            made[place].join(new)
    return made


def _of(asked: _Question, answer: Simulated) -> Simulated:
    """What an answer says of one statement. Raises `LookupError` where it leaves something out: that is not well."""
    pairs = [(action, resource) for action in asked.actions for resource in asked.resources]
    if left_out := [pair for pair in pairs if pair not in answer]:
        raise LookupError("the simulator says nothing of {} on {}".format(*left_out[0]))
    return {pair: answer[pair] for pair in pairs}


def samples(resources: tuple[str, ...]) -> list[str]:
    """An ARN for each pattern that it is matched by; `*` alone stands for what has no ARN."""
    return [one if one == "*" else one.replace("*", STANDS_FOR_ANY) for one in resources]


def _context(statement: Statement) -> Context:
    """A request that fulfils a statement's conditions, by their keys."""
    return {
        key: _entry(key, _TYPES.get(operator, "string"), samples(values[:1]))
        for operator, keys in statement.conditions.items()
        for key, values in keys.items()
    }


def _entry(key: str, kind: str, values: list[str]) -> dict[str, Any]:
    return {"ContextKeyName": key, "ContextKeyType": kind, "ContextKeyValues": values}


def _decisions(result: dict[str, Any]) -> Iterator[tuple[tuple[str, str], Decided]]:
    """The decision on each resource; where that is one it may stand above alone, as what organizations say does."""
    action, specific = result["EvalActionName"], result.get("ResourceSpecificResults")
    controlled = not result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True)
    if not specific:
        place = result.get("EvalResourceName", "*")
        yield (action, place), _decided(result["EvalDecision"], result, controlled=controlled)
    for one in specific or []:
        yield (action, one["EvalResourceName"]), _decided(one["EvalResourceDecision"], one, controlled=controlled)


def _decided(made: str, shown: dict[str, Any], *, controlled: bool) -> Decided:
    within = shown.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary", True)
    return Decided(made == "allowed", frozenset(shown.get("MissingContextValues") or ()), controlled or not within)

"""What a change asks of the hands: a plan, to carry it out, to look, to give locks back, never to begin it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from domain.model.activity_io import (
        Applied,
        ApplyRequest,
        Ballot,
        GivenUp,
        Planned,
        PlanRequest,
        ReleaseRequest,
        Verified,
        VerifyRequest,
    )
    from domain.model.plan import Plan
    from domain.rules.change import LiveChange
    from domain.rules.voting import commanding

from workflows import failures, profiles
from workflows.asking import ask
from workflows.uncancelled import wait_condition

T = TypeVar("T")

_RELEASE = "changes.release"
_NEXT_LIFE = timedelta(minutes=5)
"""How long a change that its incident's term has left behind waits to hear of the next one, which is read meanwhile."""


class ChangeCalls:
    """One change's requests, each a task; what is asked again is found done."""

    def __init__(self, change: LiveChange) -> None:
        self._change = change

    def _options(self, profile: profiles.Profile, verb: str) -> dict[str, Any]:
        request = self._change.request
        if request.evidence:
            profile = profiles.of_evidence(profile)
        return profiles.with_profile(profile, request.about.severity, f"{verb}: {request.title}")

    def _named(self) -> dict[str, Any]:
        record = self._change.record
        return {"about": self._change.request.about, "step": record.step, "generation": record.generation}

    def _asked(self) -> dict[str, Any]:
        """What the plan is made of."""
        record = self._change.record
        who = {"requested_by": record.requested_by, "requested": record.requested}
        given = {"params": record.params, **who, "undo": self._change.request.undo}
        return {**self._named(), **given}

    def plan(self) -> "asyncio.Task[Planned]":
        """Have it planned."""
        profile: profiles.Profile = {**profiles.PLAN, "schedule_to_close_timeout": self._change.request.plan_within}
        name, options = f"{self._change.record.action}.plan", self._options(profile, "Plan")
        return asyncio.create_task(ask(name, Planned, options, PlanRequest(**self._asked())))

    def apply(self, plan: Plan) -> "asyncio.Task[Applied]":
        """Have the plan carried out by the votes that there are."""
        return asyncio.create_task(self._apply(plan))

    async def _apply(self, plan: Plan) -> Applied:
        record = self._change.record
        options = self._options(profiles.APPLY, "Apply")

        def call(term: int) -> ApplyRequest:
            return ApplyRequest(
                **self._asked(),
                digest=plan.digest,
                plan=plan,
                votes=tuple(
                    Ballot(by=vote.by, role=vote.role, proof=vote.proof, break_glass=vote.break_glass)
                    for vote in self._change.votes()
                ),
                commander=commanding(self._change.votes(), self._change.commander),
                added=tuple(record.added),
                preauthorised=record.preauthorised.digest if record.preauthorised else None,
                term=term,
            )

        return await self._in_its_term(lambda term: ask(f"{record.action}.apply", Applied, options, call(term)))

    async def _in_its_term(self, asked: Callable[[int], Awaitable[T]]) -> T:
        """Ask in the incident's term; again in the next one where it is restored meanwhile and says so."""
        while True:
            term = self._change.request.term
            try:
                return await asked(term)
            except ActivityError as error:
                if not (failures.is_superseded(error) and await self._is_in_a_later_term(term)):
                    raise

    async def _is_in_a_later_term(self, term: int) -> bool:
        try:
            await wait_condition(lambda: self._change.request.term > term, timeout=_NEXT_LIFE)
        except TimeoutError:
            return False
        return True

    def verify(self, plan: Plan) -> "asyncio.Task[Verified]":
        """Have it looked whether the world is as planned, but for what AWS has refused."""
        record = self._change.record
        options = self._options(profiles.looking(plan, evidence=self._change.request.evidence), "Verify")
        call = VerifyRequest(**self._named(), digest=plan.digest, refused=tuple(record.refused))
        return asyncio.create_task(ask(f"{record.action}.verify", Verified, options, call))

    def release(self, plan: Plan, unverified: str | None) -> "asyncio.Task[None]":
        """Have its locks given back, and put on record why it is not known to do well."""
        options = self._options(profiles.RELEASE, "Release locks")
        call = ReleaseRequest(**self._named(), digest=plan.digest, unverified=unverified)
        return asyncio.create_task(ask(_RELEASE, type(None), options, call))

    def give_up(self, why: GivenUp) -> "asyncio.Task[None]":
        """Have it put on record that it is never to be begun."""
        options, named = self._options(profiles.RELEASE, "Put on record: given up"), self._named()
        return asyncio.create_task(
            self._in_its_term(
                lambda term: ask(_RELEASE, type(None), options, ReleaseRequest(**named, given_up=why, term=term))
            )
        )

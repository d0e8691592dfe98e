"""Reaching people: pages and mails of an incident, several at once by one activity."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, NamedTuple

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from domain.model.activity_io import Paged, PageRequest, Wave, WaveRequest
    from domain.model.effects import Send
    from domain.model.event_kinds import Happening
    from domain.model.events import Delivered, DeliveryFailed, Message
    from domain.model.records import Page
    from domain.rules import messages
    from domain.rules.live import LiveIncident

from workflows import failures, profiles
from workflows.asking import ask
from workflows.uncancelled import wait_condition

_LAST = timedelta(minutes=1)
"""Real time that a page has once its incident has ended."""

_LEFT = "the incident had ended for a minute, and no answer came"


class Letter(NamedTuple):
    """One page or mail of the incident, by its number, and the call that sends it."""

    message: Message
    number: int
    call: PageRequest


class Messenger:
    """Sends an incident's pages and mails, and puts on record what became of each."""

    def __init__(self, incident: LiveIncident) -> None:
        self._incident = incident

    def _record(self, outcome: Delivered | DeliveryFailed) -> None:
        self._incident.take([Happening(outcome)], workflow.now(), {"answer": "people.page"})

    def _options(self, profile: profiles.Profile, summary: str) -> dict[str, Any]:
        return profiles.with_profile(profile, self._incident.state.severity, summary)

    def _letter(self, effect: Send) -> Letter:
        """What is to be sent to one contact, addressed."""
        state = self._incident.state
        declaration = state.declaration
        asked = state.letter(*effect)
        words = messages.page_words(state, asked) if isinstance(asked, Page) else messages.mail_words(state, asked)
        call = PageRequest(
            about=state.about,
            page_id=f"{state.id}/{effect.message}/{effect.number}",
            message=effect.message,
            to=asked.to,
            role=asked.role,
            heading=declaration.runbook.title if effect.message == "page" else "",
            reason=words.subject,
            ask=words.body,
            plan=messages.plan_named(state, asked),
        )
        return Letter(effect.message, effect.number, call)

    async def send(self, effect: Send) -> None:
        """Send one page or mail."""
        await self._send(self._letter(effect))

    async def send_wave(self, effects: Sequence[Send]) -> None:
        """Send several by one activity; one that does not go out at once is sent by an activity of its own."""
        letters = [self._letter(effect) for effect in effects]
        call = WaveRequest(pages=[letter.call for letter in letters])
        verb = "Page" if letters[0].message == "page" else "Remind"
        summary = f"{verb} {', '.join(letter.call.to for letter in letters)}"
        waving = asyncio.create_task(ask("people.page_wave", Wave, self._options(profiles.WAVE, summary), call))
        if await self._outlives_its_incident(waving, letters):
            for letter in letters:
                self._failed(letter, _LEFT)
            return
        sent: list[Paged | None] = [None] * len(letters)
        with suppress(ActivityError):
            sent = (await waving).sent
        for letter, paged in zip(letters, sent, strict=True):
            if paged is not None:
                self._delivered(letter, paged)
        failed = [letter for letter, paged in zip(letters, sent, strict=True) if paged is None]
        await asyncio.gather(*(self._send(letter) for letter in failed))

    async def _send(self, letter: Letter) -> None:
        """Send one letter, and put on record that it went out, or why not."""
        summary = f"{'Page' if letter.message == 'page' else 'Remind'} {letter.call.to}"
        options = self._options(profiles.PAGE, summary)
        sending = asyncio.create_task(ask("people.page", Paged, options, letter.call))
        if await self._outlives_its_incident(sending, [letter]):
            self._failed(letter, _LEFT)
            return
        try:
            self._delivered(letter, await sending)
        except ActivityError as error:
            self._failed(letter, failures.reason(error))

    async def _outlives_its_incident(self, sending: "asyncio.Task[Any]", letters: Sequence[Letter]) -> bool:
        """Wait for letters; whether they are pages of before the end that are still tried a minute after it.

        Nobody needs them then, and they are left.
        """
        await wait_condition(lambda: sending.done() or all(self._is_over(letter) for letter in letters))
        with suppress(TimeoutError):
            await wait_condition(sending.done, timeout=_LAST)
        await wait_condition(lambda: True)  # an answer that came together with the end of that time counts
        if sending.done():
            return False
        sending.cancel()
        await workflow.wait([sending])
        if not sending.cancelled():
            sending.exception()  # or it would be logged as one that nobody has looked at
        return True

    def _is_over(self, letter: Letter) -> bool:
        """Whether it is a page of an incident that has ended since it was asked for."""
        state = self._incident.state
        asked = state.letter(letter.message, letter.number)
        return isinstance(asked, Page) and state.ended and state.closed_at is not None and asked.at <= state.closed_at

    def _failed(self, letter: Letter, reason: str) -> None:
        failed = DeliveryFailed(message=letter.message, number=letter.number, to=letter.call.to, reason=reason)
        self._record(failed)

    def _delivered(self, letter: Letter, paged: Paged) -> None:
        sent = Delivered(
            message=letter.message,
            number=letter.number,
            to=letter.call.to,
            channel=paged.channel,
            message_id=paged.reference,
        )
        self._record(sent)

"""Reaching people: a page goes out by the first of a contact's channels that accepts it."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextvars import copy_context

import structlog
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory, CancelledError

from activities.action import Clients, RuleError
from activities.aws.shared.error_mapping import kind_of
from activities.channels.copies import Copy, to_wait, was_sent
from activities.channels.kinds import CHANNELS
from activities.channels.plan_words import plan_words
from activities.channels.quick_table import QuickTable
from activities.channels.rates import Rates
from activities.channels.sent import Attempt, Sent
from activities.heartbeat import last_progress, progress
from domain.config.organisation import Channel
from domain.model.activity_io import Paged, Wave
from domain.model.calls import PageCall, WaveCall
from domain.values.errors import FINAL, ErrorKind

_log = structlog.get_logger(__name__)


class Pager:
    """Pages contacts, one or several at once."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._table = QuickTable(clients)
        self._sent = Sent(self._table)
        self._rates = Rates()

    def page(self, call: PageCall, attempt: Attempt) -> Paged:
        """Send the page by the first channel that accepts it, in the contact's order.

        A duplicate beats a page that was missed: where the answer of one channel is lost the next takes over at once,
        and the same sends again after minutes, three copies an hour at most (`activities.channels.copies`). A repeat
        finds the copies on record; one that was taken is not sent again. When every channel fails, the error is raised
        that a repeat is likeliest to get past, the last of several. A contact without channels is refused, and what is
        more than one incident can have to say to a person. Each is tried once, so that one that hangs leaves time for
        the next. A page about a plan ends with the words of the plan on record.
        """
        if not call.channels:
            raise RuleError(f"{call.to} has no channel to be paged by: give one in organisation.yaml")
        self._rates.take(call, attempt.at)
        call = call.model_copy(update={"words": plan_words(self._table, call)})
        failures: list[Exception] = []
        copies = self._sent.copies(call, attempt)
        for name, channel in _named(call.channels):
            if not self._may_send(call, attempt, copies, name):
                continue
            try:
                reference = CHANNELS[channel.kind](self._clients, call, channel.address)
            except CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - raised below, unless another channel accepts the page
                failures.append(error)
                if not was_sent(error):
                    self._came_to(call, copies, outcome="refused")
                kind = type(error).__name__
                _log.warning("channel failed", page=call.page_id, to=call.to, channel=channel.kind, error=kind)
            else:
                self._came_to(call, copies, outcome="sent", reference=reference)
                break
        if taken := next((copy for copy in copies if copy.outcome == "sent"), None):
            return Paged(channel=taken.channel.partition("-")[0], reference=taken.reference)
        if failures and not copies:
            raise max(reversed(failures), key=_hope)
        raise _waiting(call, attempt, copies)

    def _may_send(self, call: PageCall, attempt: Attempt, copies: list[Copy], name: str) -> bool:
        """Claim a copy by this channel; not where the page was taken, or is to wait for an answer that was lost."""
        while not any(copy.outcome == "sent" for copy in copies):
            if to_wait(copies, name, attempt.at, call.speed):
                return False
            if self._sent.claim(call, copies, Copy(channel=name, at=attempt.at)):
                return True
        return False

    def _came_to(self, call: PageCall, copies: list[Copy], **known: str) -> None:
        self._sent.settle(call, copies, copies[-1].model_copy(update=known))

    def page_wave(self, call: WaveCall, attempt: Attempt) -> Wave:
        """Send pages beside each other, so that nobody waits for another's channel.

        What has gone out is carried by the heartbeats too: an attempt after a crash does not look it up. One that
        cannot be sent is logged and left to an activity of its own.
        """
        sent: dict[str, Paged] = {name: Paged.model_validate(one) for name, one in (last_progress() or {}).items()}
        waiting = [page for page in call.pages if page.page_id not in sent]
        with ThreadPoolExecutor(max(len(waiting), 1), "page") as threads:
            tried = {threads.submit(copy_context().run, self.page, page, attempt): page for page in waiting}
            for one in as_completed(tried):
                if one.exception() is None:
                    sent[tried[one].page_id] = one.result()
                    progress({name: paged.model_dump() for name, paged in sent.items()})
        return Wave(sent=[sent.get(page.page_id) for page in call.pages])


def _named(channels: tuple[Channel, ...]) -> Iterator[tuple[str, Channel]]:
    """Each channel with a name that tells no address: `sms`, `sms-2`."""
    seen: Counter[str] = Counter()
    for channel in channels:
        seen[channel.kind] += 1
        yield channel.kind if seen[channel.kind] == 1 else f"{channel.kind}-{seen[channel.kind]}", channel


def _waiting(call: PageCall, attempt: Attempt, copies: list[Copy]) -> ApplicationError:
    """That the page is to be sent again once an answer that was lost has been waited for."""
    left = min(to_wait(copies, name, attempt.at, call.speed) for name, _ in _named(call.channels))
    return ApplicationError(
        f"whether {call.to} was reached is not known: sent {len(copies)} times, and no answer came",
        type=ErrorKind.TRANSIENT.value,
        next_retry_delay=left or None,
        category=ApplicationErrorCategory.BENIGN,
    )


def _hope(error: Exception) -> int:
    """How much there is to be gained by paging again after an error."""
    kind = kind_of(error)
    if kind in (ErrorKind.UNKNOWN, ErrorKind.EXPIRED_CREDENTIALS):
        return 1
    return 0 if kind in FINAL else 2

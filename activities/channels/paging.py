"""Reaching people: a page goes out by the first of a contact's channels that accepts it."""

from concurrent.futures import ThreadPoolExecutor, as_completed
from contextvars import copy_context

import structlog
from temporalio.exceptions import CancelledError

from activities.action import Clients, RuleError
from activities.aws.shared.error_mapping import kind_of
from activities.channels.kinds import CHANNELS
from activities.heartbeat import last_progress, progress
from domain.model.activity_io import PageCall, Paged, Wave, WaveCall
from domain.values.errors import FINAL, ErrorKind

_log = structlog.get_logger(__name__)


class Pager:
    """Pages contacts, one or several at once."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def page(self, call: PageCall) -> Paged:
        """Send the page by the first channel that accepts it, in the contact's order.

        At least once: a repeat pages again, because a duplicate beats a page that was missed. When every channel
        fails, the error is raised that a repeat is likeliest to get past, the last of several. A contact without
        channels is refused. Each is tried once, so that one that hangs leaves time for the next.
        """
        failures: list[Exception] = []
        for channel in call.channels:
            try:
                reference = CHANNELS[channel.kind](self._clients, call, channel.address)
            except CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - raised below, unless another channel accepts the page
                failures.append(error)
                kind = type(error).__name__
                _log.warning("channel failed", page=call.page_id, to=call.to, channel=channel.kind, error=kind)
            else:
                return Paged(channel=channel.kind, reference=reference)
        if not failures:
            raise RuleError(f"{call.to} has no channel to be paged by: give one in organisation.yaml")
        raise max(reversed(failures), key=_hope)

    def page_wave(self, call: WaveCall) -> Wave:
        """Send pages beside each other, so that nobody waits for another's channel.

        What has gone out is carried by the heartbeats: an attempt after a crash does not send it again, but for what
        went out in the last second. One that cannot be sent is logged and left to an activity of its own.
        """
        sent: dict[str, Paged] = {name: Paged.model_validate(one) for name, one in (last_progress() or {}).items()}
        waiting = [page for page in call.pages if page.page_id not in sent]
        with ThreadPoolExecutor(max(len(waiting), 1), "page") as threads:
            tried = {threads.submit(copy_context().run, self.page, page): page for page in waiting}
            for one in as_completed(tried):
                if one.exception() is None:
                    sent[tried[one].page_id] = one.result()
                    progress({name: paged.model_dump() for name, paged in sent.items()})
        return Wave(sent=[sent.get(page.page_id) for page in call.pages])


def _hope(error: Exception) -> int:
    """How much there is to be gained by paging again after an error."""
    kind = kind_of(error)
    if kind in (ErrorKind.UNKNOWN, ErrorKind.EXPIRED_CREDENTIALS):
        return 1
    return 0 if kind in FINAL else 2

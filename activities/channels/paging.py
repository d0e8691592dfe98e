"""Reaching people: a page goes out by the first of a contact's channels that accepts it."""

import structlog
from temporalio.exceptions import CancelledError

from activities.action import Clients, RuleError
from activities.aws.shared.error_mapping import kind_of
from activities.channels.channel import PageChannel
from activities.channels.email import Email
from activities.channels.sms import Sms
from domain.model.activity_io import PageCall, Paged
from domain.values.errors import FINAL, ErrorKind

CHANNELS: tuple[type[PageChannel], ...] = (Sms, Email)
"""Every kind of channel there is; a new one is added here."""

_log = structlog.get_logger(__name__)


class Pager:
    """Pages one contact."""

    def __init__(self, clients: Clients) -> None:
        self._channels = {channel.kind: channel(clients) for channel in CHANNELS}

    def page(self, call: PageCall) -> Paged:
        """Send the page by the first channel that accepts it, in the contact's order.

        At least once: a repeat pages again, because a duplicate beats a page that was missed. When every channel
        fails, the error is raised that a repeat is likeliest to get past, the last of several. A contact without
        channels is refused. Each is tried once, so that one that hangs leaves time for the next.
        """
        failures: list[Exception] = []
        for channel in call.channels:
            try:
                reference = self._channels[channel.kind].send(call, channel.address)
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


def _hope(error: Exception) -> int:
    """How much there is to be gained by paging again after an error."""
    kind = kind_of(error)
    if kind in (ErrorKind.UNKNOWN, ErrorKind.EXPIRED_CREDENTIALS):
        return 1
    return 0 if kind in FINAL else 2

"""How often one page goes out: what is known of its copies, and when the next one may be sent.

A copy is a page that was handed to a provider and may have reached its reader. One whose answer was lost is waited for:
the same channel sends it again after minutes. Whatever fails, one page goes out three times an hour at most. How many
pages somebody gets is bounded nowhere: twenty incidents are twenty pages.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from botocore import exceptions as boto
from pydantic import BaseModel, ValidationError

from activities.action import RuleError

MOST = 3
_WITHIN = timedelta(hours=1)
_AGAIN_AFTER = {1: timedelta(minutes=5), 2: timedelta(minutes=30)}
"""Policy time until a channel sends a page again, by how many copies there are: the last one outlasts the trouble."""
_SERVER_ERROR = 500
_UNSENT = (
    RuleError,
    ValidationError,
    boto.ParamValidationError,
    boto.EndpointConnectionError,
    boto.ConnectTimeoutError,
    boto.ProxyConnectionError,
    boto.SSLError,
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
)


class Copy(BaseModel):
    """One copy of a page: its channel, when that attempt began by Temporal's clock (UTC), and what came of it.

    `unknown` is one whose answer was lost, or has not come yet; `refused` is none after all, and counts no more.
    """

    channel: str
    at: datetime
    outcome: Literal["unknown", "sent", "refused"] = "unknown"
    reference: str = ""


def was_sent(error: Exception) -> bool:
    """Whether a page may have gone out, for all that its failing says.

    Not if AWS was never reached or refused it; what it answers with a status of 5xx it may have done all the same.
    """
    if isinstance(error, boto.ClientError):
        return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= _SERVER_ERROR
    return not isinstance(error, _UNSENT)


def to_wait(copies: Iterable[Copy], channel: str, now: datetime, speed: float) -> timedelta:
    """How long until the page may go out by a channel; nothing where it may go now.

    `speed` is that of the incident's policy clocks: in a sandbox an hour is shorter.
    """
    out = [copy for copy in copies if now - copy.at < _WITHIN / speed]
    if not out:
        return timedelta()
    times = sorted(copy.at for copy in out)
    if len(out) >= MOST:
        return times[-MOST] + _WITHIN / speed - now
    if all(copy.channel != channel for copy in out):
        return timedelta()
    return max(times[-1] + _AGAIN_AFTER[len(out)] / speed - now, timedelta())

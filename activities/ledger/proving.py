"""What goes on record only with the proof of whoever did it: what ends, lowers, gives away or decides something."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from pydantic import ValidationError

from activities.house import House
from activities.proofs import claim_on_record
from activities.strange_requests import Strange, StrangeRequestError
from authority.claims import Claim
from authority.proofs import UnprovenError
from domain.model.declaration import Declaration
from domain.model.timeline import Entry
from domain.rules.proven_entries import UnsaidError, claims


def proofs_of(house: House, declaration: Declaration, entries: Sequence[Entry], since: datetime) -> dict[int, Claim]:
    """By entry the claim that it uses up: whoever did it has proven it, by this worker's own register.

    A proof counts as of its entry's time, or of `since` (UTC) where that is later: the time of what stands before it.
    So nothing that is signed by a key that was revoked in between goes on record. Raises `StrangeRequestError`.
    """
    used = {}
    for entry in entries:
        since = max(since, entry.at)
        for number, claim in enumerate(_proven(house, declaration, entry, since)):
            if number == 0:  # whoever did it; other signatures were used up by the entries that they came with
                used[entry.seq] = claim
    return used


def _proven(house: House, declaration: Declaration, entry: Entry, at: datetime) -> Iterator[Claim]:
    try:
        for asked in claims(declaration, entry):
            yield claim_on_record(house, asked, at)
    except UnprovenError as error:
        reason = f"entry {entry.seq} of {declaration.incident_id} ({entry.kind}, {entry.actor}) is not proven: {error}"
        raise StrangeRequestError(reason, Strange.UNPROVEN) from error
    except UnsaidError as error:
        raise StrangeRequestError(f"{declaration.incident_id}: {error}", Strange.UNPROVEN) from error
    except ValidationError as error:
        reason = f"entry {entry.seq} of {declaration.incident_id} ({entry.kind}) cannot be read"
        raise StrangeRequestError(reason, Strange.FORGED) from error

"""The record of an incident as it is stored outside Temporal: what stands where, before anybody believes it."""

from typing import NamedTuple

import rfc8785

from domain.values.frozen import Frozen

ALGORITHM = "ECDSA_SHA_256"


def chain_key(incident: str, epoch: int) -> str:
    """Where the entries of an epoch stand in the ledger's table."""
    return f"chain#{incident}#{epoch:04d}"


INDEX_KEY = "incidents"
"""Where the ledger's table lists every incident that it has, by id, in order of days, and since when."""


def report_place(incident: str, seq: int, ending: str) -> str:
    """Where the report that tells the entries up to `seq` stands in the evidence bucket."""
    return f"reports/{incident}/{seq:06d}/report.{ending}"


def pack_place(environment: str, period: str, contents: str, ending: str) -> str:
    """Where the compliance pack of a period with this list of contents (SHA-256, hex) stands in the evidence bucket."""
    return f"reports/packs/{environment}/{period}/{contents}.{ending}"


def seal_place(incident: str, epoch: int, seq: int) -> str:
    """Where the signed head after entry `seq` stands in the evidence bucket."""
    return f"ledger/{incident}/{epoch:04d}/{seq:06d}.json"


class Item(NamedTuple):
    """An entry as it is stored: the number that it stands at, the hash beside it, its canonical JSON."""

    number: str
    hash: str
    content: str


class Mark(Frozen):
    """Where an epoch begins: it leaves another after entry `after`, whose hash is `prev`; `first` is its own first."""

    leaves: int
    after: int
    prev: str
    first: str


class Head(Frozen):
    """What is signed: how far the chain of an incident's epoch reaches, and the hash of its last entry."""

    incident: str
    epoch: int
    seq: int
    head: str
    at: str

    def message(self) -> bytes:
        """The bytes that the signature is over: canonical JSON (RFC 8785)."""
        return rfc8785.dumps(self.model_dump())


class Seal(Frozen):
    """A head with its signature (base64 of DER) and the ARN of the key that made it."""

    body: Head
    key: str
    algorithm: str
    signature: str

    def text(self) -> str:
        """The seal as it is stored: canonical JSON."""
        return rfc8785.dumps(self.model_dump()).decode()


class KeptSeal(NamedTuple):
    """A stored object that ought to be a seal, and the place that it stands at."""

    place: str
    text: str


class StoredCopy(NamedTuple):
    """All there is of one incident. Items and marks are by epoch; a mark's fields are as the table has them."""

    incident: str
    items: dict[int, list[Item]]
    marks: dict[int, dict[str, str]]
    seals: list[KeptSeal]

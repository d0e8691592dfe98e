"""Stored records to test with: chains of entries, signed by a key of our own, as the ledger keeps them."""

import base64
from collections.abc import Iterable
from datetime import timedelta
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from domain.audit.storage_format import ALGORITHM, Head, Item, KeptSeal, Seal, StoredCopy, seal_place
from domain.model.events import Declared
from domain.model.timeline import Entry, Timeline
from tests.builders import T0, declaration

INCIDENT = "inc-20261123-7f3k"
ARN = "arn:aws:kms:ap-southeast-2:123456789012:key/1b2c3d4e-0000-4000-8000-000000000001"


class Signer:
    """Signs heads as KMS does: ECDSA on P-256 over SHA-256."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        public = self._key.public_key()
        self.pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def seal(self, entry: Entry, epoch: int = 1, incident: str = INCIDENT, arn: str = ARN) -> KeptSeal:
        body = Head(incident=incident, epoch=epoch, seq=entry.seq, head=entry.hash, at=entry.at.isoformat())
        made = base64.b64encode(self._key.sign(body.message(), ec.ECDSA(hashes.SHA256()))).decode()
        seal = Seal(body=body, key=arn, algorithm=ALGORITHM, signature=made)
        return KeptSeal(seal_place(incident, epoch, entry.seq), seal.text())


def timeline(length: int, word: str = "seen", base: Timeline | None = None) -> Timeline:
    """A chain of `length` entries, a declaration and notes, or `base` grown to that length."""
    grown = Timeline() if base is None else base.model_copy(deep=True)
    while grown.length < length:
        number = grown.length + 1
        at = T0 + timedelta(seconds=number, microseconds=number % 3)
        text = f'{word} {number} "hash":"x","seq":{number},'
        data = {"hash": "0" * 64, "seq": number, "ratio": number / 7, "ü": "\n\u2028"}
        kind, event = ("declared", _declared()) if number == 1 else ("note", {"text": text})
        grown.append(at, "devops-lead", kind, text, {**event, **data})
    return grown


@cache
def _declared() -> dict[str, object]:
    """The data of the entry with which an incident begins."""
    return Declared(declaration=declaration(incident_id=INCIDENT)).data()


def items(entries: Iterable[Entry]) -> list[Item]:
    return [Item(f"{entry.seq:06d}", entry.hash, entry.canonical()) for entry in entries]


@cache
def signer() -> Signer:
    return Signer()


@cache
def record(length: int = 400, every: int = 7) -> StoredCopy:
    """A whole record: every `every`th entry signed, and the last."""
    entries = timeline(length).entries
    signed = [entry for entry in entries if entry.seq % every == 0 or entry.seq == length]
    return StoredCopy(INCIDENT, {1: items(entries)}, {}, [signer().seal(entry) for entry in signed])


@cache
def forked(length: int = 60, at: int = 41) -> StoredCopy:
    """A record whose workflow was reset after entry `at`: epoch 1 reaches 10 entries further, epoch 2 to `length`."""
    common = timeline(at)
    left, following = timeline(at + 10, "left", common), timeline(length, "anew", common)
    new = following.entries[at:]
    mark = {"leaves": "1", "after": str(at), "prev": common.head, "first": new[0].hash}
    seals = [signer().seal(left.entries[19]), signer().seal(left.entries[-1]), signer().seal(new[-1], epoch=2)]
    return StoredCopy(INCIDENT, {1: items(left.entries), 2: items(new)}, {2: mark}, seals)

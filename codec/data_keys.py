"""Data keys: made by KMS, wrapped by a key that never leaves it, and kept for a day at most.

A wrapped data key travels with every payload that it encrypts. Whoever may ask KMS to unwrap it can read the payload;
whoever has Temporal's database alone cannot.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from hashlib import sha256
from threading import Lock
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_CONTEXT = {"purpose": "incident-orchestrator payload"}
"""What a data key is for (KMS encryption context): one that was made for something else is not unwrapped here."""

_KEPT_SECONDS = 24 * 3600.0
_RENEWED_SECONDS = 12 * 3600.0
"""From then on another is asked for; where KMS does not answer, the old one does until its day is over."""

_ASKED_AGAIN_SECONDS = 60.0
_KEPT = 65_536
"""More than one history has payloads: a run of a workflow has 51,200 events at most (Temporal Service, "Limits")."""


_OF_THE_PAYLOAD = frozenset({"InvalidCiphertextException", "IncorrectKeyException", "InvalidKeyUsageException"})
"""What KMS answers to a wrapped data key that never was one of this key's (Decrypt, Errors)."""

_DENIED = "AccessDeniedException"


class DataKey(NamedTuple):
    """A data key: the ARN of the KMS key that wraps it, what it is wrapped as, and the cipher that it makes."""

    key: str
    wrapped: bytes
    cipher: AESGCM


class DataKeys:
    """The data keys of one process. The first of `keys` (ids, ARNs or aliases of KMS keys) wraps new ones.

    The others are earlier ones, whose payloads can still be read. `kms` is a boto3 client, whose errors come through
    where KMS does not answer or denies. Safe for threads.
    """

    def __init__(self, kms: Any, keys: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._kms, self._names, self._clock = kms, tuple(keys), clock
        self._asking, self._looking = Lock(), Lock()  # held while KMS is asked, which may take long; for a look-up
        self._current: DataKey | None = None
        self._made = self._asked = float("-inf")
        self._ours: set[str] = {name for name in keys if ":key/" in name}
        self._unresolved = [name for name in keys if ":key/" not in name]
        self._opened: OrderedDict[bytes, tuple[float, AESGCM | None]] = OrderedDict()

    @property
    def fresh(self) -> DataKey | None:
        """The key to encrypt with where KMS need not be asked; None where it may have to be."""
        return self._current if self._clock() - self._made <= _RENEWED_SECONDS else None

    def current(self) -> DataKey:
        """The key to encrypt with (`kms:GenerateDataKey`), half a day old at most while KMS answers."""
        with self._asking:
            now = self._clock()
            age = now - self._made
            if self._current and (age <= _RENEWED_SECONDS or now - self._asked <= _ASKED_AGAIN_SECONDS):
                return self._current
            self._asked = now
            try:
                self._current, self._made = self._generated(), now
            except Exception:
                if self._current is None or age > _KEPT_SECONDS:
                    raise
            return self._current

    def _generated(self) -> DataKey:
        made = self._kms.generate_data_key(KeyId=self._names[0], KeySpec="AES_256", EncryptionContext=_CONTEXT)
        key, wrapped, cipher = made["KeyId"], made["CiphertextBlob"], AESGCM(made["Plaintext"])
        self._ours.add(key)
        self._keep(key, wrapped, cipher)
        return DataKey(key, wrapped, cipher)

    def known(self, key: str, wrapped: bytes) -> tuple[bool, AESGCM | None]:
        """Whether KMS need not be asked about a data key, and its cipher, if it has one."""
        name = _name(key, wrapped)
        with self._looking:
            since, cipher = self._opened.get(name, (float("-inf"), None))
            if self._clock() - since > _KEPT_SECONDS:
                return False, None
            self._opened.move_to_end(name)
            return True, cipher

    def find(self, key: str, wrapped: bytes) -> AESGCM | None:
        """The cipher of a data key (`kms:Decrypt`); None for one that is not ours, or that KMS cannot unwrap.

        KMS is asked only about what one of our own keys is said to have wrapped, and to unwrap it by that key alone. It
        is asked once a day about what it cannot unwrap: else a flood of that would keep a task from ever ending.
        """
        found, cipher = self.known(key, wrapped)
        if found or not self.is_ours(key):
            return cipher
        try:
            cipher = self._unwrapped(key, wrapped)
        except Exception as error:
            if _code(error) not in _OF_THE_PAYLOAD and (_code(error) != _DENIED or self._is_denied(key)):
                raise
        self._keep(key, wrapped, cipher)
        return cipher

    def _unwrapped(self, key: str, wrapped: bytes) -> AESGCM:
        answer = self._kms.decrypt(KeyId=key, CiphertextBlob=wrapped, EncryptionContext=_CONTEXT)
        return AESGCM(answer["Plaintext"])

    def _is_denied(self, key: str) -> bool:
        """Whether KMS denies us this key whatever is to be unwrapped, as far as a data key of our own tells."""
        own = self._current
        if own is None or own.key != key:
            return False
        try:
            self._unwrapped(own.key, own.wrapped)
        except Exception as error:
            if _code(error) != _DENIED:
                raise
            return True
        return False

    def _keep(self, key: str, wrapped: bytes, cipher: AESGCM | None) -> None:
        with self._looking:
            self._opened[_name(key, wrapped)] = (self._clock(), cipher)
            while len(self._opened) > _KEPT:
                self._opened.popitem(last=False)

    def is_ours(self, key: str) -> bool:
        """Whether a key's ARN is one of ours; what aliases and ids stand for is asked once (`kms:DescribeKey`)."""
        with self._asking:
            while key not in self._ours and self._unresolved:
                self._ours.add(self._kms.describe_key(KeyId=self._unresolved[0])["KeyMetadata"]["Arn"])
                del self._unresolved[0]
            return key in self._ours


def _name(key: str, wrapped: bytes) -> bytes:
    return sha256(key.encode() + b"\0" + wrapped).digest()


def _code(error: Exception) -> str:
    """The code of an error that AWS answered; empty for one that no answer came with."""
    answer = getattr(error, "response", {})
    return str(answer.get("Error", {}).get("Code", ""))

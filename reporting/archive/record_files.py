"""The stored record of an incident as files that a stranger can check, by `verify.py` beside them or by hand."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from importlib import resources
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from domain.audit.storage_format import StoredCopy

EPOCHS = "epochs.json"
SCRIPT = "verify.py"


def record_files(copy: StoredCopy) -> dict[str, str]:
    """The entries of each epoch, where each begins, and the signed heads: texts by the names of their files."""
    files = {}
    for epoch, items in copy.items.items():
        files["chain.jsonl" if epoch == 1 else f"chain-{epoch:04d}.jsonl"] = "".join(
            f"{item.content}\n" for item in items
        )
    files[EPOCHS] = as_json({str(epoch): mark for epoch, mark in copy.marks.items()})
    for seal in copy.seals:
        name, version = seal.place, 1
        while name in files:  # S3 can hold several versions of one signed head
            version += 1
            name = f"{seal.place}.version-{version}"
        files[name] = seal.text
    return files


def key_names(arns: Iterable[str]) -> dict[str, str]:
    """The files that the public keys stand in, by ARN."""
    return {arn: "public-key.pem" if n == 1 else f"public-key-{n}.pem" for n, arn in enumerate(arns, start=1)}


def shipped(name: str) -> str:
    """A file of this package, for readers without this program."""
    return resources.files("reporting.archive").joinpath(name).read_text(encoding="utf-8")


def hashes(files: Mapping[str, str]) -> dict[str, str]:
    """The SHA-256 of each file, in hex."""
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in files.items()}


def zipped(files: Mapping[str, str]) -> bytes:
    """The files as one zip, without a time: the same files give the same bytes."""
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as packed:
        for name, text in files.items():
            packed.writestr(ZipInfo(name), text.encode(), ZIP_DEFLATED)
    return out.getvalue()


def as_json(value: Any) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

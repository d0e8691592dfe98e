"""The record of one incident as a self-verifying file: its contents, writing it and reading it back."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import click

from domain.audit.storage_format import Item, KeptSeal, StoredCopy
from reporting.archive import one_file, record_files
from starters.archives import kept_register
from starters.archives.kept_register import KeptRegister
from starters.archives.unpacking import unpacked
from starters.errors import RefusedError

MANIFEST = "manifest.json"
_README = "README.md"
_DOCUMENT = "incident.json"
_CHAIN = re.compile(r"chain(?:-([0-9]{4}))?\.jsonl")
_SEAL = re.compile(r"(ledger/.+\.json)(?:\.version-[0-9]+)?")
_SEQ = re.compile(r'"seq":([0-9]{1,9})[,}]')


class Archive(NamedTuple):
    """An archive as read. `keys` are PEM by ARN; `damaged` names files that are not as it says.

    `register` is whose keys there were; None where it holds none.
    """

    copy: StoredCopy
    keys: dict[str, str]
    damaged: list[str]
    register: KeptRegister | None = None


def pack(
    copy: StoredCopy,
    keys: Mapping[str, str],
    document: dict[str, Any] | None,
    exported_at: str,
    register: KeptRegister | None = None,
) -> bytes:
    """Put a record, the keys that signed it, the register of people's keys and the incident's document into a zip file.

    Of the last two each where there is one. The same gives the same bytes.
    """
    names = record_files.key_names(keys)
    files = {_README: record_files.shipped("archive_readme.md"), record_files.SCRIPT: one_file.script()}
    files |= {names[arn]: pem for arn, pem in keys.items()}
    files |= record_files.record_files(copy)
    files |= register.files() if register else {}
    if document is not None:
        files[_DOCUMENT] = record_files.as_json(document)
    manifest = {
        "incident": copy.incident,
        "exported_at": exported_at,
        "document": _DOCUMENT if document is not None else None,
        "keys": {name: arn for arn, name in names.items()},
        "sha256": record_files.hashes(files),
    }
    return record_files.zipped({**files, MANIFEST: record_files.as_json(manifest)})


def unpack(file: Path) -> Archive:
    """Read an archive without trusting its content.

    Raises `UsageError` for a file that `incident audit export` did not write, `RefusedError` for one that is damaged or
    too big.
    """
    files = unpacked(file)
    if MANIFEST not in files:
        raise click.UsageError(f"{file}: it has no {MANIFEST}")
    try:
        manifest = json.loads(files[MANIFEST])
        incident, hashes = str(manifest["incident"]), dict(manifest["sha256"])
        keys = {str(arn): files[name].decode() for name, arn in manifest["keys"].items()}
        marks = {int(epoch): dict(mark) for epoch, mark in json.loads(files[record_files.EPOCHS]).items()}
        firsts = {epoch: _first(mark) for epoch, mark in marks.items()}
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        why = f"{MANIFEST} or what it names cannot be read ({type(error).__name__})"
        raise RefusedError(f"{file} is broken: {why}") from error
    items, seals = {}, []
    for name, content in files.items():
        text = content.decode(errors="replace")
        if chain := _CHAIN.fullmatch(name):
            epoch = int(chain[1] or 1)
            items[epoch] = _numbered(text, firsts.get(epoch, 1))
        elif seal := _SEAL.fullmatch(name):
            seals.append(KeptSeal(seal[1], text))
    register = kept_register.read(files)
    damaged = {*_damaged(files, hashes), *(register.unlike(files) if register else ())}
    return Archive(StoredCopy(incident, items, marks, seals), keys, sorted(damaged), register)


def _damaged(files: dict[str, bytes], hashes: dict[str, Any]) -> Iterator[str]:
    yield from (name for name in hashes if name not in files)
    for name, content in files.items():
        if name != MANIFEST and hashes.get(name) != hashlib.sha256(content).hexdigest():
            yield name


def _numbered(text: str, first: int) -> list[Item]:
    """Number the lines of a chain: by the `seq` they hold if those increase, else by position."""
    lines = text.removesuffix("\n").split("\n") if text else []
    numbers: list[int] = []
    for line in lines:
        found = _SEQ.findall(line)
        following = numbers[-1] + 1 if numbers else first
        numbers.append(int(found[-1]) if found else following)
    if any(one >= other for one, other in pairwise(numbers)):
        numbers = list(range(first, first + len(lines)))
    return [Item(f"{number:06d}", _own_hash(line), line) for number, line in zip(numbers, lines, strict=True)]


def _first(mark: dict[str, Any]) -> int:
    """The number of an epoch's first entry, from its mark; 1 if that says none."""
    after = str(mark.get("after", ""))
    return int(after) + 1 if after.isdecimal() else 1


def _own_hash(line: str) -> str:
    """The hash that a line claims: the archive, unlike the table, stores no second copy beside the line."""
    try:
        return str(json.loads(line)["hash"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""

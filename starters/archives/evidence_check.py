"""Checks evidence against its manifests, the manifests against the record, and the record against its signatures."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from activities.aws.evidence.s3_copying import in_order
from activities.evidence_objects import EvidenceStore, Manifest
from activities.ledger.reader import LedgerReader
from activities.ledger.signatures import Keys
from domain.audit.epochs import Flaw
from domain.audit.evidence import Told, custody, preserved
from domain.audit.storage_format import StoredCopy
from domain.audit.verdict import account, audit
from domain.model.timeline import Entry
from starters.client.aws_session import vault
from starters.errors import RefusedError
from starters.options import Options


class Record(NamedTuple):
    """What is on record of an incident, while the ledger can be read."""

    ledger: LedgerReader
    copy: StoredCopy
    entries: list[Entry]

    def flaws(self) -> list[Flaw]:
        """What is wrong with the record: where there is anything, what it says of the evidence proves nothing."""
        return audit(self.copy, Keys(self.ledger.pems()).vouches).flaws


@contextmanager
def opened(options: Options, incident: str) -> Iterator[tuple[EvidenceStore, Record]]:
    """The evidence store of the environment, and the incident's record. Raises `RefusedError` if it is unreadable."""
    with vault(options, f"reading the evidence of {incident}") as (clients, environment):
        store, ledger = EvidenceStore(clients, environment), LedgerReader(clients, environment)
        copy = ledger.read(incident).copy
        try:
            entries = account(copy)
        except ValueError as error:
            raise RefusedError(f"the record of {incident} is broken: incident audit verify {incident}") from error
        yield store, Record(ledger, copy, entries)


def rows(store: EvidenceStore, incident: str, entries: list[Entry]) -> list[dict[str, Any]]:
    """Every piece of evidence with its entry and its custody events; single copies only if they have any."""
    events = custody(entries)
    found = [_manifest_row(one, _named(one, entries)) for one in store.manifests(incident)]
    found += [
        _row(_snapshot_name(one), "snapshot", one.arn, one.entry)
        for one in preserved(entries)
        if ":snapshot:" in one.arn
    ]
    known = {row["evidence"] for row in found}
    found += [_row(name, "copy", "a single copy in a manifest", None) for name in events if name not in known]
    return [{**row, "custody": events.get(row["evidence"], [])} for row in found]


def is_known(store: EvidenceStore, incident: str, entries: list[Entry], name: str) -> bool:
    """Whether this is the id of a piece of evidence, or of a single copy in a manifest."""
    if any(row["evidence"] == name for row in rows(store, incident, entries)):
        return True
    manifests = store.manifests(incident)
    return any(line["evidence_id"] == name for manifest in manifests for line in store.lines(manifest))


def problems(store: EvidenceStore, incident: str, entries: list[Entry], name: str | None) -> Iterator[str]:
    """Check every piece, or the one with this id, and report what is not as it was preserved."""
    manifests = store.manifests(incident)
    standing = {manifest.arn for manifest in manifests}
    checked = 0
    for manifest in manifests:
        if name is None or name == manifest.id:
            checked += 1
            if _named(manifest, entries) is None:
                yield f"{manifest.arn} version {manifest.version}: no entry of the record holds its SHA-256"
            yield from _of_lines(store, store.lines(manifest))
        else:
            lines = [line for line in store.lines(manifest) if line["evidence_id"] == name]
            checked += len(lines)
            yield from _of_lines(store, iter(lines))
    for one in preserved(entries):
        if name not in {None, _snapshot_name(one)}:
            continue
        checked += 1
        if ":snapshot:" in one.arn and (problem := store.snapshot(one.arn)) is not None:
            yield f"{one.arn}: {problem}"
        elif ":snapshot:" not in one.arn and one.arn not in standing:
            yield f"{one.arn}, named in entry {one.entry.seq}: it is gone"
    if name is not None and not checked:
        raise unknown(incident, name)


def unknown(incident: str, name: str) -> RefusedError:
    """The refusal of an id that is no piece of evidence."""
    return RefusedError(f"there is no evidence {name!r} in {incident}: incident evidence list {incident}")


def _of_lines(store: EvidenceStore, lines: Iterator[dict[str, Any]]) -> Iterator[str]:
    def check(line: dict[str, Any]) -> str | None:
        problem = store.check(line)
        return None if problem is None else f"{line['evidence_id']} ({line['destination']}): {problem}"

    for came in in_order(check, lines):
        if isinstance(came, Exception):
            raise came
        if came is not None:
            yield came


def _named(manifest: Manifest, entries: list[Entry]) -> Entry | None:
    """The entry that holds a manifest's hash, and so proves it."""
    of_it = [one.entry for one in preserved(entries) if one.arn == manifest.arn]
    return next((entry for entry in of_it if manifest.sha256 in entry.text), None)


def _manifest_row(manifest: Manifest, entry: Entry | None) -> dict[str, Any]:
    about = manifest.about
    what = f"{about.get('versions', '?')} versions of {about.get('bucket', '?')} since {about.get('since', '?')}"
    return {
        **_row(manifest.id, "copies", what, entry),
        "copies": int(about.get("versions", 0)),
        "locked_until": about.get("locked_until"),
        "manifest": manifest.key,
        "version": manifest.version,
        "sha256": manifest.sha256,
    }


def _snapshot_name(one: Told) -> str:
    return one.arn.rsplit(":", 1)[1]


def _row(name: str, kind: str, what: str, entry: Entry | None) -> dict[str, Any]:
    return {"evidence": name, "kind": kind, "what": what, "entry": entry.seq if entry else None, "copies": 0}

"""Checks evidence against its manifests, the manifests against the record, and the record against its signatures."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from activities.action import Clients
from activities.aws.evidence.s3_copying import in_order
from activities.evidence_objects import HIDDEN, EvidenceStore, Manifest
from activities.ledger.reader import LedgerReader
from activities.ledger.signatures import Keys
from domain.audit.evidence import Told, custody, is_snapshot, preserved
from domain.audit.verdict import account, audit
from domain.config.environment import Environment
from domain.model.timeline import Entry
from starters.client.aws_session import vault
from starters.errors import RefusedError
from starters.options import Options


class Evidence:
    """The evidence of one incident: what its record says of it, and what the environment's store holds."""

    def __init__(self, incident: str, clients: Clients, environment: Environment) -> None:
        """Read the record. Raises `RefusedError` if its entries cannot be read."""
        self.clients = clients
        self._incident = incident
        self._store, self._ledger = EvidenceStore(clients, environment), LedgerReader(clients, environment)
        self.hidden = 0
        """How many copies `problems` found unchanged, but could not see the locks of."""
        self._copy = self._ledger.read(incident).copy
        try:
            self._entries = account(self._copy)
        except ValueError as error:
            raise RefusedError(f"the record of {incident} is broken: incident audit verify {incident}") from error

    def rows(self) -> list[dict[str, Any]]:
        """Every piece with its entry and its custody events; single copies only if they have any."""
        events = custody(self._entries)
        found = [_manifest_row(one, self._named(one)) for one in self._store.manifests(self._incident)]
        snapshots = [one for one in preserved(self._entries) if is_snapshot(one.arn)]
        found += [_row(_snapshot_name(one), "snapshot", one.arn, one.entry) for one in snapshots]
        known = {row["evidence"] for row in found}
        found += [_row(name, "copy", "a single copy in a manifest", None) for name in events if name not in known]
        return [{**row, "custody": events.get(row["evidence"], [])} for row in found]

    def refuse_unknown(self, name: str) -> None:
        """Raise `RefusedError` for what is no id of a piece, or of a single copy in a manifest."""
        if any(row["evidence"] == name for row in self.rows()):
            return
        manifests = self._store.manifests(self._incident)
        if not any(line["evidence_id"] == name for manifest in manifests for line in self._store.lines(manifest)):
            raise self._unknown(name)

    def problems(self, name: str | None) -> Iterator[str]:
        """Check every piece, or the one with this id, and report what is not as it was preserved.

        A record that is itself broken comes first: what it says of the evidence would prove nothing.
        """
        for flaw in audit(self._copy, Keys(self._ledger.pems()).vouches).flaws[:1]:
            yield f"the record is broken ({flaw})"
        manifests = self._store.manifests(self._incident)
        standing = {manifest.arn for manifest in manifests}
        checked = 0
        for manifest in manifests:
            if name is None or name == manifest.id:
                checked += 1
                if self._named(manifest) is None:
                    yield f"{manifest.arn} version {manifest.version}: no entry of the record holds its SHA-256"
                yield from self._of_lines(self._store.lines(manifest))
            else:
                lines = [line for line in self._store.lines(manifest) if line["evidence_id"] == name]
                checked += len(lines)
                yield from self._of_lines(iter(lines))
        for one in preserved(self._entries):
            if name not in {None, _snapshot_name(one)}:
                continue
            checked += 1
            if is_snapshot(one.arn) and (problem := self._store.snapshot(one.arn)) is not None:
                yield f"{one.arn}: {problem}"
            elif not is_snapshot(one.arn) and one.arn not in standing:
                yield f"{one.arn}, named in entry {one.entry.seq}: it is gone"
        if name is not None and not checked:
            raise self._unknown(name)

    def _of_lines(self, lines: Iterator[dict[str, Any]]) -> Iterator[str]:
        def check(line: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
            return line, self._store.check(line)

        for line, problem in in_order(check, lines):
            self.hidden += problem == HIDDEN
            if problem not in {None, HIDDEN}:
                yield f"{line['evidence_id']} ({line['destination']}): {problem}"

    def _unknown(self, name: str) -> RefusedError:
        where = self._incident
        return RefusedError(f"there is no evidence {name!r} in {where}: incident evidence list {where}")

    def _named(self, manifest: Manifest) -> Entry | None:
        """The entry that holds a manifest's hash, and so proves it."""
        of_it = [one.entry for one in preserved(self._entries) if one.arn == manifest.arn]
        return next((entry for entry in of_it if manifest.sha256 in entry.text), None)


@contextmanager
def opened(options: Options, incident: str) -> Iterator[Evidence]:
    """The incident's evidence, in the named environment."""
    with vault(options, f"reading the evidence of {incident}") as (clients, environment):
        yield Evidence(incident, clients, environment)


def _manifest_row(manifest: Manifest, entry: Entry | None) -> dict[str, Any]:
    about = manifest.about
    gaps = sum(about.get("gaps", {}).values())
    what = f"{about.get('versions', '?')} versions of {about.get('bucket', '?')} since {about.get('since', '?')}"
    what += f", {gaps} more could not be read" if gaps else ""
    return {
        **_row(manifest.id, "copies", what, entry),
        "copies": int(about.get("versions", 0)),
        "gaps": gaps,
        "locked_until": about.get("locked_until"),
        "manifest": manifest.key,
        "version": manifest.version,
        "sha256": manifest.sha256,
    }


def _snapshot_name(one: Told) -> str:
    return one.arn.rsplit(":", 1)[1]


def _row(name: str, kind: str, what: str, entry: Entry | None) -> dict[str, Any]:
    return {"evidence": name, "kind": kind, "what": what, "entry": entry.seq if entry else None, "copies": 0}

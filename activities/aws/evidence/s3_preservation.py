"""The copying of a window of a bucket into the vault: an inventory, the copies, a manifest. Cut anywhere, it goes on.

Everything that a later attempt needs stands in the evidence bucket, under the plan's `records`:

    inventory.jsonl       what shall be copied, one version a line; fixed before the first copy
    parts/000001.jsonl    the manifest's lines of the first 500 versions, and so on; written as they are done
    manifest.jsonl        a head, and the lines of all parts; written last: where it stands, all is copied
"""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from itertools import islice
from typing import Any

from activities.action import RuleError
from activities.aws.evidence.evidence_bucket import FOR_GOOD, Vault
from activities.aws.evidence.s3_content import MIB, of_lines
from activities.aws.evidence.s3_copying import Copier, in_order
from activities.aws.evidence.s3_lines import Lines
from activities.aws.evidence.s3_versions import Version, versions
from activities.aws.shared.s3_objects import head, small
from activities.heartbeat import last_progress, progress
from domain.model.plan import State, Verification

MANIFEST = "manifest.jsonl"
_INVENTORY = "inventory.jsonl"
_PART_LINES = 500
_GIVE_UP_AFTER = 25
Line = dict[str, Any]


class Preservation:
    """One order being carried out. `context` is the plan's, which the order repeats."""

    def __init__(self, s3: Any, vault: Vault, bucket: str, context: State) -> None:
        self._s3 = s3
        self._vault = vault
        self._bucket = bucket
        self._context = {name: value for name, value in context.items() if name != "found"}
        self._records = str(context["records"])
        self._copier = Copier(s3, vault, bucket, str(context["bucket"]), str(context["copies"]))
        self._parts = 0
        self._totals: Counter[str] = Counter(versions=0, bytes=0, deleted=0, gone=0)

    def carry_out(self, collector: str) -> None:
        """Copy everything and write the manifest, from wherever earlier attempts came to.

        What is gone from the source by now is noted in the manifest. Any other version that cannot be copied is
        raised once all the others are, and then there is no manifest.
        """
        inventory = self._inventory()
        wanted = (Version.parse(line) for line in inventory)
        while (part := small(self._s3, self._bucket, self._part(self._parts + 1))) is not None:
            self._count(_of_part(part, [version.version for version in islice(wanted, _PART_LINES)]))
        self._copy(wanted)
        about = {"collector": collector, "inventory": inventory.sha256, "tool": str(self._s3.meta.config.user_agent)}
        first = {**self._context, **self._totals, **about}
        self._vault.put_record(self._records + MANIFEST, of_lines(self._manifest_lines(first)))

    def report(self) -> Verification:
        """Read the manifest as it stands, and say what it holds, where it is and its hash."""
        answer = self._s3.get_object(Bucket=self._bucket, Key=self._records + MANIFEST)
        digest, begin = sha256(), b""
        with answer["Body"] as body:
            while read := body.read(MIB):
                digest.update(read)
                begin = begin or read
        first = json.loads(begin.split(b"\n", 1)[0])
        if any(first.get(name) != value for name, value in self._context.items()):
            return Verification(done=False, failed=True, message="the manifest that stands there is not of this order")
        if answer.get("ObjectLockMode") != FOR_GOOD:
            return Verification(done=False, failed=True, message="the manifest stands there without its lock")
        where = f"s3://{self._bucket}/{self._records}{MANIFEST} version {answer['VersionId']}"
        return Verification(done=True, message=f"{_said(first)}; manifest {where}, SHA-256 {digest.hexdigest()}")

    def _inventory(self) -> Lines:
        """The inventory; it is made now unless it stands there."""
        key = self._records + _INVENTORY
        if (found := head(self._s3, self._bucket, key)) is None:
            since, until = (datetime.fromisoformat(self._context[name]) for name in ("since", "until"))
            listed = versions(self._s3, str(self._context["bucket"]), since, until)
            self._vault.put_record(key, of_lines(version.line() for version in listed))
            found = head(self._s3, self._bucket, key)
        if found is None:
            raise _vanished()
        if found.get("ObjectLockMode") != FOR_GOOD:
            raise RuleError("the inventory stands there without our lock: somebody else wrote it")
        return Lines(self._s3, self._bucket, key, int(found["ContentLength"]))

    def _copy(self, wanted: Iterator[Version]) -> None:
        """Copy what no part tells of yet, and write a part for every 500 lines."""
        known = int((last_progress() or {}).get("versions", 0))
        done, moved = self._parts * _PART_LINES, self._totals["bytes"]
        lines: list[Line] = []
        failures: list[Exception] = []
        numbered = enumerate(wanted, start=done)
        for came in in_order(lambda one: self._copier.copy(one[1], look=one[0] < known), numbered):
            if isinstance(came, Exception):
                failures.append(came)
                if len(failures) == _GIVE_UP_AFTER:
                    break
            elif not failures:  # no part is written past a failure, but what can be copied is
                lines.append(came)
                done, moved = done + 1, moved + came.get("size", 0)
                progress({"versions": done, "bytes": moved, "last": came["source_version"]})
                if len(lines) == _PART_LINES:
                    self._write_part(lines)
                    lines = []
        if failures:
            raise failures[0]
        if lines:
            self._write_part(lines)

    def _write_part(self, lines: list[Line]) -> None:
        """Write the next part; where another attempt wrote it, that one counts, if it is about the same versions."""
        key = self._part(self._parts + 1)
        content = b"".join(_json(line) for line in lines)
        if not self._vault.put_record(key, BytesIO(content).read):
            lines = _of_part(self._read_part(self._parts + 1), [str(line["source_version"]) for line in lines])
        self._count(lines)

    def _manifest_lines(self, first: Line) -> Iterator[bytes]:
        yield _json(first)
        for number in range(1, self._parts + 1):
            yield self._read_part(number)

    def _count(self, lines: list[Line]) -> None:
        self._parts += 1
        for line in lines:
            kind = next((kind for kind in ("deleted", "gone") if kind in line), "versions")
            self._totals.update({kind: 1, "bytes": line.get("size", 0)})

    def _read_part(self, number: int) -> bytes:
        if (part := small(self._s3, self._bucket, self._part(number))) is None:
            raise _vanished()
        return part

    def _part(self, number: int) -> str:
        return f"{self._records}parts/{number:06d}.jsonl"


def _of_part(part: bytes, wanted: list[str]) -> list[Line]:
    """The lines of a part; raises `RuleError` when they are not about the versions that the inventory has there."""
    lines = [json.loads(line) for line in part.splitlines()]
    if [line["source_version"] for line in lines] != wanted:
        raise RuleError("a part of the manifest is not about what the inventory names: somebody else wrote there")
    return lines


def _vanished() -> RuleError:
    return RuleError("a record that was just put is gone from the evidence bucket: somebody else writes there")


def _said(first: Line) -> str:
    deletions = f" and {first['deleted']} deletions" if first["deleted"] else ""
    gone = f"; {first['gone']} were gone before they could be copied" if first["gone"] else ""
    until = first["locked_until"][:10]
    size = f"{first['bytes'] / MIB:.1f} MiB"
    return (
        f"{first['versions']} versions ({size}){deletions} of {first['bucket']} preserved, locked until {until}{gone}"
    )


def _json(line: Line) -> bytes:
    return json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"

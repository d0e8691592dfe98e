"""A compliance pack: everything that an environment's record has of a period, as files that a stranger can check."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import rfc8785

from domain.audit.storage_format import StoredCopy
from domain.model.state import IncidentState
from domain.model.timeline import Entry
from domain.values.frozen import Frozen
from domain.values.local_time import Clock
from domain.values.periods import Period
from reporting.archive import one_file, record_files
from reporting.pack import index, rows
from reporting.statistics.tally import tally

CONTENTS = "contents.json"
SIGNATURE = "contents.signature.json"


class Told(NamedTuple):
    """An incident of the ledger: its stored copy, and what that comes to. `flaw` is the first that its record has."""

    copy: StoredCopy
    entries: list[Entry]
    state: IncidentState | None
    flaw: str | None


class Statement(Frozen):
    """What is signed of a pack: of which period and environment it is, and the SHA-256 of its list of contents."""

    pack: str
    environment: str
    contents: str

    def message(self) -> bytes:
        """The bytes that the signature is over: canonical JSON (RFC 8785)."""
        return rfc8785.dumps(self.model_dump())


class Pack(NamedTuple):
    """The files of a pack but for the signature; `flaws` are of records that are not as they were written."""

    files: dict[str, str]
    statement: Statement
    incidents: int
    flaws: dict[str, str]

    def zipped(self, signature: str) -> bytes:
        return record_files.zipped({**self.files, SIGNATURE: signature})


class Collector:
    """Takes one incident after the other, of which only the files stay in memory."""

    def __init__(self, environment: str, period: Period, clock: Clock) -> None:
        self._environment, self._period, self._clock = environment, period, clock
        self._files: dict[str, str] = {}
        self._seen: list[rows.Seen] = []
        self._rows: dict[str, list[rows.Row]] = {name: [] for name in ("incidents", "drills", "upkeep", "duties")}
        self._flaws: dict[str, str] = {}

    def wants(self, state: IncidentState) -> bool:
        """Whether an incident was open in the period; of any before its end it is remembered who there was."""
        declared = state.declaration
        if state.declared_at < self._period.until and declared.opened_by is None:
            self._seen.append(rows.Seen(state.declared_at, state.id, declared.organisation, declared.environment))
        return rows.was_open(state, self._period)

    def take(self, told: Told) -> Iterator[IncidentState]:
        """Put an incident into the pack; gives it again if it counts in the period's statistics."""
        name, state = told.copy.incident, told.state
        self._files |= {f"incidents/{name}/{file}": text for file, text in record_files.record_files(told.copy).items()}
        if told.flaw is not None:
            self._flaws[name] = told.flaw
        if state is None:
            self._rows["incidents"].append({"incident": name, "flaw": told.flaw})
            return
        self._rows["incidents"].append(rows.incident(state, told.flaw))
        if state.declaration.mode == "drill":
            self._rows["drills"].append(rows.drill(state, told.entries))
        elif state.upkeep:
            self._rows["upkeep"].append(rows.upkeep(state))
        self._rows["duties"] += rows.duties(state, told.entries)
        if state.declared_at >= self._period.since and not state.upkeep:
            yield state

    def pack(self, counted: Iterator[IncidentState], keys: Mapping[str, str]) -> Pack:
        """The whole; `counted` is what `take` gives of every incident, which is only taken here."""
        statistics = tally(counted)
        people = list(rows.changes(self._seen, self._period))
        found: dict[str, Any] = {**self._rows, "people": people, "statistics": statistics.model_dump(mode="json")}
        names = record_files.key_names(keys)
        blocks = list(index.blocks(self._environment, self._period, self._clock, found, statistics))
        files = {
            "README.md": record_files.shipped("pack_readme.md"),
            **index.pages(blocks, self._environment, self._period),
            record_files.SCRIPT: one_file.script(),
            **{names[arn]: pem for arn, pem in keys.items()},
            **{f"{name}.json": record_files.as_json(rows_) for name, rows_ in found.items()},
            **dict(sorted(self._files.items())),
        }
        contents = record_files.as_json(
            {
                "pack": self._period.name,
                "environment": self._environment,
                "since": self._period.since.isoformat(),
                "until": self._period.until.isoformat(),
                "keys": {file: arn for arn, file in names.items()},
                "sha256": record_files.hashes(files),
            }
        )
        digest = hashlib.sha256(contents.encode()).hexdigest()
        statement = Statement(pack=self._period.name, environment=self._environment, contents=digest)
        return Pack({**files, CONTENTS: contents}, statement, len(self._rows["incidents"]), self._flaws)

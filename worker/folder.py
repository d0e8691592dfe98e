"""The organisation's folder that a worker is pinned to, as models: read again once a file of it has changed."""

import threading
from pathlib import Path
from typing import Any

import structlog
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from authority.approvals import Approval
from authority.delegations import Entry as Delegated
from authority.enrolment import Entry, register_of
from authority.preauthorisations import Entry as Signature
from authority.register import Register
from domain.config.environment import Environment
from domain.config.organisation import Organisation
from domain.config.runbook import Runbook
from domain.config.schedule import Schedule
from starters.files.approvals import load_approvals
from starters.files.delegations import load_delegations
from starters.files.identities import load_entries
from starters.files.kept import Document, kept, sources
from starters.files.loading import load_runbook
from starters.files.organisation_folder import (
    list_runbooks,
    load_environment,
    load_organisation,
    load_schedules,
)
from starters.files.preauthorisations import load_preauthorisations
from starters.files.problems import InvalidFile

_log = structlog.get_logger(__name__)


class _Known(BaseModel):
    organisation: Organisation
    environment: Environment
    runbooks: dict[str, Runbook]
    schedules: dict[str, Schedule]
    identities: tuple[Entry, ...]
    approvals: tuple[Approval, ...]
    preauthorisations: tuple[Signature, ...]
    delegations: tuple[Delegated, ...]


class Folder:
    """Everything in a folder that holds for one environment. Safe to share between threads.

    Raises `InvalidFile` for a file with a problem; one that gets a problem later is told, and the last good files hold.
    """

    def __init__(self, path: Path, environment: str) -> None:
        self.path = path
        self._name = environment
        self._reading = threading.Lock()
        self._seen = self._stamps()
        self._known = self._read()

    def environment(self) -> Environment:
        return self._current().environment

    def organisation(self) -> Organisation:
        return self._current().organisation

    def runbook(self, digest: str) -> Runbook | None:
        return self._current().runbooks.get(digest)

    def register(self) -> Register:
        known = self._current()
        return register_of(known.identities, known.organisation.id)

    def approvals(self) -> tuple[Approval, ...]:
        return self._current().approvals

    def preauthorisations(self) -> tuple[Signature, ...]:
        return self._current().preauthorisations

    def delegations(self) -> tuple[Delegated, ...]:
        return self._current().delegations

    def schedules(self) -> dict[str, Schedule]:
        return self._current().schedules

    def _current(self) -> _Known:
        with self._reading:
            if (seen := self._stamps()) != self._seen:
                self._seen = seen
                try:
                    self._known = self._read()
                except InvalidFile as error:
                    _log.error("the files as they were go on to hold", problem=str(error))
                else:
                    _log.info("changed files are taken up", folder=str(self.path))
            return self._known

    def _stamps(self) -> list[tuple[str, int, int]]:
        """What changes with a file. A file that is gone by now has changed too."""
        found: list[tuple[str, int, int]] = []
        for file in sources(self.path):
            try:
                stat = file.stat()
            except FileNotFoundError:
                continue
            found.append((str(file), stat.st_mtime_ns, stat.st_size))
        return found

    def _read(self) -> _Known:
        return _Known.model_validate(kept(self.path, ("worker", self._name), self._checked))

    def _checked(self) -> Document:
        organisation, environment = load_organisation(self.path), load_environment(self.path, self._name)
        runbooks = [load_runbook(self.path, name, organisation, environment) for name in list_runbooks(self.path)]
        entries = load_entries(self.path, organisation.id)
        register = register_of(entries, organisation.id)
        known: dict[str, Any] = {
            "organisation": organisation,
            "environment": environment,
            "runbooks": {one.digest(): one for one in runbooks},
            "identities": entries,
            "approvals": load_approvals(self.path, organisation.id, register),
            "preauthorisations": load_preauthorisations(self.path, organisation.id, register),
            "delegations": load_delegations(self.path, organisation.id, register),
            "schedules": load_schedules(self.path, organisation.timezone).of(environment.name),
        }
        document: Document = to_jsonable_python(known, by_alias=True)
        return document

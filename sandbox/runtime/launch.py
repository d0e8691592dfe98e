"""Launching a sandbox's services: each starts once the one it depends on answers."""

import subprocess
import time

from sandbox.runtime import processes, state
from sandbox.runtime.services import LocalService, variables
from sandbox.runtime.state import Files, State

_ANSWER_SECONDS = 90.0
_POLL_SECONDS = 0.1
_LEAVE_SECONDS = 5.0
_TAIL_LINES = 15


class StartError(Exception):
    """The sandbox could not be started; the text names the service that failed and ends with its last log lines."""


class Launch:
    """One launch. Each process id is saved as soon as it is known, so that a stop finds it even after a crash."""

    def __init__(self, files: Files, current: State) -> None:
        self._files = files
        self._current = current
        self._started: dict[str, subprocess.Popen[bytes]] = {}
        self._log_starts: dict[str, int] = {}

    def start(self, missing: list[LocalService]) -> None:
        """Start services and wait until all answer. Raises `StartError` when one dies or does not answer in 90 s."""
        waiting = list(missing)
        until = time.monotonic() + _ANSWER_SECONDS
        while waiting:
            held = {service.name for service in waiting}
            for service in waiting:
                if service.name not in self._started and service.after not in held:
                    self._start(service)
            waiting = [service for service in waiting if not self._answers(service)]
            if waiting and time.monotonic() > until:
                said = self._tail(waiting[0])
                raise StartError(f"{waiting[0].name} does not answer after {_ANSWER_SECONDS:.0f} s:\n{said}")
            time.sleep(_POLL_SECONDS if waiting else 0)

    def undo(self) -> None:
        """Stop what this launch started, and nothing else."""
        for process in self._started.values():
            process.terminate()
        for process in self._started.values():
            try:
                process.wait(_LEAVE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, service: LocalService) -> None:
        log = self._files.log(service.name)
        self._log_starts[service.name] = log.stat().st_size if log.exists() else 0
        process = processes.spawn(self._files, service.name, service.command, variables(self._current))
        self._started[service.name] = process
        self._current.pids[service.name] = process.pid
        state.write(self._files, self._current)

    def _answers(self, service: LocalService) -> bool:
        process = self._started.get(service.name)
        if process is None:
            return False
        if (code := process.poll()) is not None:
            raise StartError(f"{service.name} died with exit status {code}:\n{self._tail(service)}")
        return service.answers(self._said(service))

    def _said(self, service: LocalService) -> str:
        """The service's log since this start."""
        with self._files.log(service.name).open("rb") as log:
            log.seek(self._log_starts[service.name])
            return log.read().decode(errors="replace")

    def _tail(self, service: LocalService) -> str:
        lines = self._said(service).splitlines()[-_TAIL_LINES:] if service.name in self._started else []
        return "\n".join(f"  {line}" for line in lines) or "  (its log is empty)"

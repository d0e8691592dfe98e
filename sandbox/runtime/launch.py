"""Bringing up parts of a sandbox: each is started once the part before it answers, and waited for."""

import subprocess
import time

from sandbox.runtime import processes, state
from sandbox.runtime.services import Part, variables
from sandbox.runtime.state import Files, State

_ANSWER_SECONDS = 90.0
_POLL_SECONDS = 0.1
_LEAVE_SECONDS = 5.0
_TAIL_LINES = 15


class StartError(Exception):
    """The sandbox could not be started; the text says which part failed and what it said last."""


class Launch:
    """One bringing-up. Process ids are written to the state as soon as they are known."""

    def __init__(self, files: Files, current: State) -> None:
        self._files = files
        self._current = current
        self._started: dict[str, subprocess.Popen[bytes]] = {}
        self._log_starts: dict[str, int] = {}

    def bring_up(self, missing: list[Part]) -> None:
        """Start parts and wait until all answer. Raises `StartError` when one dies or stays silent."""
        waiting = list(missing)
        until = time.monotonic() + _ANSWER_SECONDS
        while waiting:
            held = {part.name for part in waiting}
            for part in waiting:
                if part.name not in self._started and part.after not in held:
                    self._start(part)
            waiting = [part for part in waiting if not self._answers(part)]
            if waiting and time.monotonic() > until:
                said = self._tail(waiting[0])
                raise StartError(f"{waiting[0].name} does not answer after {_ANSWER_SECONDS:.0f} s:\n{said}")
            time.sleep(_POLL_SECONDS if waiting else 0)

    def take_down(self) -> None:
        """End what this bringing-up started, and nothing else."""
        for process in self._started.values():
            process.terminate()
        for process in self._started.values():
            try:
                process.wait(_LEAVE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, part: Part) -> None:
        log = self._files.log(part.name)
        self._log_starts[part.name] = log.stat().st_size if log.exists() else 0
        process = processes.spawn(self._files, part.name, part.command, variables(self._current))
        self._started[part.name] = process
        self._current.parts[part.name] = process.pid
        state.write(self._files, self._current)

    def _answers(self, part: Part) -> bool:
        process = self._started.get(part.name)
        if process is None:
            return False
        if (code := process.poll()) is not None:
            raise StartError(f"{part.name} died with exit status {code}:\n{self._tail(part)}")
        return part.answers(self._said(part))

    def _said(self, part: Part) -> str:
        """The part's log from this start on."""
        with self._files.log(part.name).open("rb") as log:
            log.seek(self._log_starts[part.name])
            return log.read().decode(errors="replace")

    def _tail(self, part: Part) -> str:
        lines = self._said(part).splitlines()[-_TAIL_LINES:] if part.name in self._started else []
        return "\n".join(f"  {line}" for line in lines) or "  (it said nothing)"

"""Starting and stopping a sandbox: a Temporal server, AWS with the status page, and a worker."""

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from sandbox.runtime import ports, processes, state
from sandbox.runtime.launch import Launch, StartError
from sandbox.runtime.organisation_copy import copy_organisation
from sandbox.runtime.services import parts
from sandbox.runtime.state import Files, State

_POLL_SECONDS = 0.1
_SUPERVISOR_LEAVES_SECONDS = 3.0


def start(
    files: Files, folder: Path, environment: str, *, port_base: int | None, worker: bool, supervised: bool
) -> tuple[State, bool]:
    """Start a sandbox, wait until everything answers, and return its state and whether anything was started.

    One that runs is left as it is; of one that runs in part the missing parts are started, on the same ports.
    What this call started does not outlive its failure. `supervised` records this process as the one that
    stays in front. Raises `StartError`, `PortsTakenError`, `MissingCommandError` or `InvalidFile`.
    """
    try:
        files.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"{files.data_dir} cannot be made: {error.strerror}; name another with --data-dir") from error
    with _alone(files):
        known = _live(files)
        if known and port_base not in {None, known.port_base}:
            raise StartError(f"this sandbox runs at port base {known.port_base}: stop it first")
        with ports.choosing() if known is None and port_base is None else nullcontext():
            current = known or _described(files, folder, environment, ports.choose(port_base))
            started = _bring_up(files, current, worker=worker, supervisor=os.getpid() if supervised else None)
        return current, started


def stop(files: Files) -> int:
    """Stop a sandbox and return how many processes were ended; stopping a stopped one ends none."""
    known = state.read(files)
    if known and not known.stopping:
        state.write(files, known.model_copy(update={"stopping": True}))
    ended = processes.end(files, known.parts.values() if known else ())
    files.state.unlink(missing_ok=True)
    if known and known.supervisor and known.supervisor != os.getpid():
        processes.end_one(known.supervisor, _SUPERVISOR_LEAVES_SECONDS)
    return ended


def watch(files: Files) -> Iterator[str]:
    """Yield the name of each part that dies, until the sandbox is stopped or nothing of it is left."""
    told: set[int] = set()
    while (known := state.read(files)) and not known.stopping:
        dead = [name for name in dead_parts(files, known) if known.parts[name] not in told]
        told.update(known.parts[name] for name in dead)
        yield from dead
        if told >= set(known.parts.values()):
            return
        time.sleep(_POLL_SECONDS)


def dead_parts(files: Files, known: State) -> list[str]:
    """The parts that were started and run no more."""
    alive = processes.running(files, known.parts.values())
    return [name for name, pid in known.parts.items() if pid not in alive]


def _live(files: Files) -> State | None:
    """The state of a sandbox that runs, at least in part; leftovers of any other are ended."""
    known = state.read(files)
    if known and not known.stopping and len(dead_parts(files, known)) < len(known.parts):
        return known
    processes.end(files, known.parts.values() if known else ())
    return None


def _bring_up(files: Files, current: State, *, worker: bool, supervisor: int | None) -> bool:
    """Start what is missing; tell whether anything was."""
    fresh = not current.parts
    dead = dead_parts(files, current)
    wanted = parts(files, current, worker=worker)
    missing = [part for part in wanted if part.name not in current.parts or part.name in dead]
    if not missing:
        return False
    current.supervisor = supervisor
    launch = Launch(files, current)
    try:
        launch.bring_up(missing)
    except BaseException:
        launch.take_down()
        if fresh:
            stop(files)
        raise
    return True


@contextmanager
def _alone(files: Files) -> Iterator[None]:
    """Hold off another start of the same sandbox; the lock goes with the process that holds it."""
    with files.lock.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _described(files: Files, folder: Path, environment: str, port_base: int) -> State:
    from starters.files.organisation_folder import load_environment, load_organisation

    region = load_environment(folder, environment).region
    organisation = load_organisation(folder)
    first = organisation.contacts[0].id
    described = State(
        port_base=port_base,
        environment=environment,
        region=region,
        runbooks=folder,
        acting_as=next((one.id for role in organisation.on_call for one in organisation.holders(role)), first),
        status_page_key=secrets.token_hex(16),
    )
    health = f"{ports.HOST}:{described.page_port}"
    described.runbooks = copy_organisation(folder, files.runbooks, environment, health)
    return described

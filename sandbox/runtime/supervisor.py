"""Starting and stopping a sandbox: a Temporal server, AWS with the status page, and a worker."""

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from activities import local_files
from sandbox.runtime import ports, processes, state
from sandbox.runtime.launch import Launch, StartError
from sandbox.runtime.organisation_copy import copy_organisation
from sandbox.runtime.services import keeper_command, local_services, variables
from sandbox.runtime.state import Files, State

_POLL_SECONDS = 0.1
_CODEC_KEY = "alias/incident-payloads"
_SUPERVISOR_LEAVES_SECONDS = 3.0


def start(
    files: Files,
    folder: Path,
    environment: str,
    *,
    port_base: int | None,
    worker: bool,
    supervised: bool,
    encrypts: bool = False,
) -> tuple[State, bool]:
    """Start a sandbox, wait until everything answers, and return its state and whether anything was started.

    A running sandbox is left as it is; its dead services are restarted, on the same ports. If this call fails, what it
    started is stopped. With `encrypts` a new one encrypts what Temporal carries. `supervised` records this process as
    the one that stays in the foreground.

    Raises `StartError`, `PortsTakenError`, `MissingCommandError` or `InvalidFile`.
    """
    try:
        files.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(
            f"{files.data_dir} cannot be created: {error.strerror}; choose another with --data-dir"
        ) from error
    with _locked(files):
        known = _live(files)
        if known and port_base not in {None, known.port_base}:
            raise StartError(f"this sandbox is running at port base {known.port_base}: stop it first")
        # held until the services have bound their ports, or another sandbox could choose the same
        with ports.choosing() if known is None and port_base is None else nullcontext():
            current = known or _new_state(files, folder, environment, ports.choose(port_base), encrypts=encrypts)
            started = _start_missing(files, current, worker=worker, supervisor=os.getpid() if supervised else None)
        _start_keeper(files, current)
        return current, started


def stop(files: Files) -> int:
    """Stop a sandbox and return how many processes were ended; a repeat ends none."""
    known = state.read(files)
    if known and not known.stopping:  # saved first: a supervisor that watches then exits by itself
        state.write(files, known.model_copy(update={"stopping": True}))
    ended = processes.end(files, known.pids.values() if known else ())
    files.state.unlink(missing_ok=True)
    if known and known.supervisor and known.supervisor != os.getpid():
        processes.end_one(known.supervisor, _SUPERVISOR_LEAVES_SECONDS)
    return ended


def revive(files: Files, name: str) -> None:
    """Start a service again, as it was, if it has died and nobody has stopped the sandbox. Raises as `start` does."""
    with _locked(files):
        known = state.read(files)
        if known and not known.stopping and name in dead_services(files, known):
            again = [service for service in local_services(files, known, worker=False) if service.name == name]
            Launch(files, known).start(again)


def watch(files: Files) -> Iterator[str]:
    """Yield the name of each service that dies, until the sandbox is stopped or all of them are dead."""
    reported: set[int] = set()
    while (known := state.read(files)) and not known.stopping:
        dead = [name for name in dead_services(files, known) if known.pids[name] not in reported]
        reported.update(known.pids[name] for name in dead)
        yield from dead
        if reported >= set(known.pids.values()):
            return
        time.sleep(_POLL_SECONDS)


def dead_services(files: Files, known: State) -> list[str]:
    """The services that were started and no longer run."""
    alive = processes.running(files, known.pids.values())
    return [name for name, pid in known.pids.items() if pid not in alive]


def _live(files: Files) -> State | None:
    """The state of a sandbox that is at least partly running; what is left of any other is ended."""
    known = state.read(files)
    if known and not known.stopping and len(dead_services(files, known)) < len(known.pids):
        return known
    processes.end(files, known.pids.values() if known else ())
    return None


def _start_missing(files: Files, current: State, *, worker: bool, supervisor: int | None) -> bool:
    """Start the missing services; returns whether there were any."""
    fresh = not current.pids
    dead = dead_services(files, current)
    wanted = local_services(files, current, worker=worker)
    missing = [service for service in wanted if service.name not in current.pids or service.name in dead]
    if not missing:
        return False
    current.supervisor = supervisor
    launch = Launch(files, current)
    try:
        launch.start(missing)
    except BaseException:  # Ctrl-C as well: nothing that was started may stay
        launch.undo()
        if fresh:
            stop(files)
        raise
    return True


def _start_keeper(files: Files, current: State) -> None:
    """Have Temporal started again when it dies, unless that is seen to already."""
    if current.keeper not in processes.running(files, [current.keeper] if current.keeper else ()):
        current.keeper = processes.spawn(files, "keeper", keeper_command(files), variables(current)).pid
        state.write(files, current)


@contextmanager
def _locked(files: Files) -> Iterator[None]:
    """Allow one start of this sandbox at a time; the lock is released if its process dies."""
    with local_files.appending(files.lock) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _new_state(files: Files, folder: Path, environment: str, port_base: int, *, encrypts: bool) -> State:
    from starters.files.organisation_folder import load_environment, load_organisation

    place = load_environment(folder, environment)
    organisation = load_organisation(folder)
    first = organisation.contacts[0].id
    created = State(
        port_base=port_base,
        environment=environment,
        region=place.region,
        runbooks=folder,
        acting_as=next((one.id for role in organisation.on_call for one in organisation.holders(role)), first),
        status_page_key=secrets.token_hex(16),
        codec_key=_CODEC_KEY if encrypts else "",
    )
    health = f"{ports.HOST}:{created.page_port}"
    created.runbooks = copy_organisation(folder, files.runbooks, environment, health)
    return created

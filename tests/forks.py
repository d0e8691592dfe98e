"""Commands by fork: `python -m tests.forks SOCKET` loads once what commands need, and forks each of them.

Most of a command's time goes into loading, and a worker's before it polls. A request is a line of JSON: how often to
run the command, its arguments, environment and working directory, and the folder that takes what it prints,
`<number>.out` and `<number>.err`. Several of one request wait for each other before they begin: they run at one
instant. The answer is a line with their process ids, and once all have ended one with their exit statuses.
"""

import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from starters.cli import main

_LOADED = (
    "starters.files.loading",
    "starters.cli.terminal",
    "starters.client.start_once",
    "starters.cli.phi_warning",
    "sandbox.runtime.supervisor",
    "worker.command",
)


def serve(path: str) -> None:
    """Answer until stdin ends, which is when whoever started this has ended."""
    commands = {module.split(":")[0] for module, _ in main._COMMANDS.values() if module.startswith("starters.")}
    for module in (*_LOADED, *sorted(commands)):
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(32)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            with connection:
                if os.fork() == 0:
                    listener.close()
                    _answer(connection)
                    os._exit(0)


def _answer(connection: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with connection.makefile("rw") as stream:
        request = json.loads(stream.readline())
        starts, says_start = os.pipe()
        children = [_fork(number, request, starts, says_start) for number in range(request["count"])]
        stream.write(f"{json.dumps(children)}\n")
        stream.flush()
        os.close(says_start)
        stream.write(json.dumps([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]))


def _fork(number: int, request: dict[str, Any], starts: int, says_start: int) -> int:
    child = os.fork()
    if not child:
        os.close(says_start)
        os.read(starts, 1)  # ends once nobody holds the other end any more: all are there
        _run(number, **request)
    return child


def _run(number: int, command: list[str], environment: dict[str, str], cwd: str, folder: str, count: int) -> NoReturn:
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(cwd)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for stream, ending in ((1, "out"), (2, "err")):
        os.dup2(os.open(Path(folder) / f"{number}.{ending}", os.O_CREAT | os.O_WRONLY), stream)
    sys.argv = ["incident", *command]
    main.main()
    raise AssertionError("main does not return")


if __name__ == "__main__":
    serve(sys.argv[1])

"""PostgreSQL's log as a database's settings have it: log_line_prefix, log_timezone, or a csvlog beside it.

PostgreSQL documentation, "Error Reporting and Logging"; the files' names: RDS user guide, "RDS for PostgreSQL
database log files".
"""

import csv
import io
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from domain.config.log_formats import DatabaseLog
from sandbox.aws.rds_state import DatabaseState

_SESSION = timedelta(minutes=25)
_PID = 381
_BY_RDS = DatabaseLog(format="postgres")
_CODES = {"FATAL": "53300", "PANIC": "58030", "ERROR": "XX000"}


def write(state: DatabaseState, declared: DatabaseLog | None, at: datetime, text: str, client: str | None) -> None:
    """Write an entry to a database's log; `client` is the address of a session, None for the server's own entries.

    A database of which nothing is declared logs as RDS lets it.
    """
    log = declared or _BY_RDS
    made = _row(log, at, text, client) if log.format == "csvlog" else line(log, at, text, client)
    state.write(at, made, ending=".csv" if log.format == "csvlog" else "")


def line(declared: DatabaseLog, at: datetime, text: str, client: str | None = "10.0.1.12") -> str:
    """An entry with the prefix that is declared; `%q` ends it where there is no session."""
    always, _, in_sessions = declared.prefix.partition("%q")
    prefix = always + (in_sessions if client else "")
    values = _values(declared, at, text, client)
    written = re.sub(r"%-?\d*(.)", lambda found: values.get(found[1], ""), prefix)
    return f"{written}{_translated(declared, text)}"


def _values(declared: DatabaseLog, at: datetime, text: str, client: str | None) -> dict[str, str]:
    session = client is not None
    return {
        "a": "portal" if session else "",
        "u": "portal" if session else "",
        "d": "imaging" if session else "",
        "r": f"{client}(51834)" if session else "",
        "h": client or "",
        "b": "client backend" if session else "checkpointer",
        "p": str(_PID),
        "t": _stamp(declared, at),
        "m": _stamp(declared, at, milliseconds=True),
        "n": f"{at.timestamp():.3f}",
        "e": _code(text),
        "c": "6740f1a0.17d",
        "l": "7",
        "s": _stamp(declared, at - _SESSION),
        "v": "3/0" if session else "",
        "x": "0",
        "Q": "0",
        "%": "%",
    }


def _row(declared: DatabaseLog, at: datetime, text: str, client: str | None) -> str:
    """An entry of a csvlog, which has 26 columns."""
    values = _values(declared, at, text, client)
    severity, message = _translated(declared, text).split(":  ", 1)
    row = [values["m"], values["u"], values["d"], values["p"], values["r"].replace("(", ":").rstrip(")"), values["c"]]
    row += [values["l"], "", values["s"], values["v"], values["x"], severity, values["e"], message]
    file = io.StringIO()
    csv.writer(file, lineterminator="").writerow([*row, *[""] * 8, values["a"], values["b"], "", values["Q"]])
    return file.getvalue()


def _stamp(declared: DatabaseLog, at: datetime, *, milliseconds: bool = False) -> str:
    local = at.astimezone(ZoneInfo(declared.zone))
    fraction = f".{local.microsecond // 1000:03}" if milliseconds else ""
    return f"{local:%Y-%m-%d %H:%M:%S}{fraction} {local.tzname()}"


def _code(text: str) -> str:
    return _CODES.get(text.partition(":")[0], "00000")


def _translated(declared: DatabaseLog, text: str) -> str:
    severity, _, rest = text.partition(":")
    words: dict[str, str] = {english: word for word, english in declared.severities.items()}
    return f"{words.get(severity, severity)}:{rest}"

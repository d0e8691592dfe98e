"""Lines as real loggers write them, in our own words and about nobody, each with its declared format."""

import json
from typing import Any, NamedTuple

from domain.config.log_formats import DatabaseLog, LineFormat, LogFormat


class Sample(NamedTuple):
    """What a line must be read as: whether it is an error, and the level it says."""

    format: LogFormat
    line: str
    error: bool
    level: str | None


def lines(**declared: Any) -> LineFormat:
    return LineFormat.model_validate(declared)


PLAIN_JSON = lines(format="json")
DEFAULTED = lines(format="json", level_if_absent="info")
PINO = lines(format="json", errors=["50", "60"], others=["10", "20", "30", "40"])
SERILOG = lines(format="json", level="@l", level_if_absent="Information")
ECS_LOGGING = lines(format="json", level="log.level")
FIRELENS = lines(format="json", inside="log")
FIRELENS_TEXT = lines(format="text", inside="log", pattern=r"^(?<level>[A-Z]+) ")
FIRELENS_DEFAULTED = lines(format="json", inside="log", level_if_absent="info")
LOGFMT = lines(format="logfmt")
FIRELENS_LOGFMT = lines(format="logfmt", inside="log", level_if_absent="info")
LOGFMT_DEFAULTED = lines(format="logfmt", level_if_absent="info")
PYTHON = lines(format="text", pattern=r"^\S+ \S+ \[\d+\] (?<level>[A-Z]+) ")
SERILOG_CONSOLE = lines(format="text", pattern=r"^\[\d\d:\d\d:\d\d (?<level>[A-Z]{3})\] ")
TRACEBACK = lines(format="python-traceback")
BANNER = lines(format="text", pattern=r"^\[entrypoint\] ")

_FIRELENS = {"container_name": "app", "source": "stderr", "ecs_cluster": "harbour"}

APPLICATION = {
    "lower case": Sample(PLAIN_JSON, '{"level":"error","msg":"pool is empty"}', error=True, level="error"),
    "pino": Sample(PINO, '{"level":50,"time":1795404300000,"pid":7,"msg":"pool is empty"}', error=True, level="50"),
    "pino, well": Sample(PINO, '{"level":30,"time":1795404300000,"pid":7,"msg":"listening"}', error=False, level="30"),
    "serilog": Sample(
        SERILOG, '{"@t":"2026-11-23T03:25:00.1Z","@mt":"Pool {Name} is empty","@l":"Error"}', error=True, level="Error"
    ),
    "serilog, well": Sample(
        SERILOG, '{"@t":"2026-11-23T03:25:00.1Z","@mt":"Listening"}', error=False, level="Information"
    ),
    "serilog on a console": Sample(
        SERILOG_CONSOLE, "[03:25:00 FTL] The host stopped by itself", error=True, level="FTL"
    ),
    "slog": Sample(
        PLAIN_JSON,
        '{"time":"2026-11-23T03:25:00.123Z","level":"ERROR","msg":"listing failed","err":"pool is empty"}',
        error=True,
        level="ERROR",
    ),
    "slog as text": Sample(
        LOGFMT, 'time=2026-11-23T03:25:00.123Z level=ERROR msg="listing failed" err="no free slot"', True, "ERROR"
    ),
    "logfmt": Sample(LOGFMT, 'level=info msg="level=error is only said here"', error=False, level="info"),
    "dotted": Sample(
        ECS_LOGGING, '{"@timestamp":"2026-11-23T03:25:00Z","log.level":"warn","message":"slow"}', False, "warn"
    ),
    "nested": Sample(ECS_LOGGING, '{"user":{"level":"gold"},"log":{"level":"critical"},"m":1}', True, "critical"),
    "another level within": Sample(PLAIN_JSON, '{"user":{"level":"gold"},"level":"fatal"}', True, "fatal"),
    "in a sentence": Sample(
        PLAIN_JSON, json.dumps({"msg": 'he said "level":"error"', "level": "info"}), error=False, level="info"
    ),
    "a brace in a text": Sample(DEFAULTED, '{"msg":"Unexpected token { in JSON","level":"error"}', True, "error"),
    "a brace that closes": Sample(DEFAULTED, '{"msg":"say \\"}\\" or }}","level":"error"}', True, "error"),
    "objects three deep": Sample(DEFAULTED, '{"a":{"b":{"c":{"level":"d"}}},"level":"error"}', True, "error"),
    "no level at all": Sample(DEFAULTED, '{"msg":"no \\"level\\": { here"}', error=False, level="info"),
    "a level in a query": Sample(DEFAULTED, '{"msg":"GET /tides?a=1&level=high 200"}', error=False, level="info"),
    "logfmt, a level in a query": Sample(LOGFMT_DEFAULTED, 'a=1 url="/tides?level=high"', error=False, level="info"),
    "FireLens, a level in a query": Sample(
        FIRELENS_DEFAULTED, json.dumps({"log": '{"url":"/tides?severity=3"}'}), error=False, level="info"
    ),
    "FireLens, a brace in a text": Sample(
        FIRELENS_DEFAULTED,
        json.dumps({**_FIRELENS, "of": "{", "log": '{"msg":"say \\"{\\" \\\\ é {","a":{"b":1},"level":"error"}'}),
        error=True,
        level="error",
    ),
    "FireLens, no level": Sample(
        FIRELENS_DEFAULTED, json.dumps({"level": "error", "log": '{"msg":"no {"}'}), error=False, level="info"
    ),
    "logfmt, words after its level": Sample(LOGFMT_DEFAULTED, 'a=1 level=error no "b c" msg="no"', True, "error"),
    "slog, an attribute of the same name": Sample(
        PLAIN_JSON, '{"level":"ERROR","msg":"listing failed","level":"info"}', error=True, level="ERROR"
    ),
    "slog as text, an attribute of the same name": Sample(
        LOGFMT, 'level=ERROR msg="listing failed" level=info', error=True, level="ERROR"
    ),
    "FireLens": Sample(
        FIRELENS, json.dumps({**_FIRELENS, "log": '{"level":"error","msg":"pool is empty"}'}), True, "error"
    ),
    "FireLens, numbers": Sample(
        FIRELENS.model_copy(update={"errors": ("50",)}), json.dumps({**_FIRELENS, "log": '{"level":50}'}), True, "50"
    ),
    "FireLens around text": Sample(
        FIRELENS_TEXT, json.dumps({"log": "CRITICAL pool is empty", **_FIRELENS}), error=True, level="CRITICAL"
    ),
    "text": Sample(PYTHON, "2026-11-23 03:25:00,123 [7] ERROR listing failed", error=True, level="ERROR"),
    "traceback": Sample(TRACEBACK, "Traceback (most recent call last):", error=True, level="Traceback"),
    "traceback of a group": Sample(
        TRACEBACK, "  + Exception Group Traceback (most recent call last):", error=True, level="Traceback"
    ),
    "place in the code": Sample(TRACEBACK, '  File "/app/tides.py", line 8, in listing', error=False, level=None),
    "code": Sample(TRACEBACK, "    return pool.acquire(timeout=5)", error=False, level=None),
    "carets": Sample(TRACEBACK, "           ^^^^^^^^^^^^^^^^^^^^^^^", error=False, level=None),
    "repeated": Sample(TRACEBACK, "  [Previous line repeated 986 more times]", error=False, level=None),
    "member of a group": Sample(TRACEBACK, "    | KeyError: 'tide'", error=False, level=None),
    "edge of a group": Sample(TRACEBACK, "  +-+---------------- 1 ----------------", error=False, level=None),
    "cause": Sample(
        TRACEBACK, "The above exception was the direct cause of the following exception:", error=False, level=None
    ),
    "context": Sample(
        TRACEBACK, "During handling of the above exception, another exception occurred:", error=False, level=None
    ),
    "exception": Sample(TRACEBACK, "harbour.errors.PoolTimeout: no connection within 5 s", error=False, level=None),
    "builtin exception": Sample(TRACEBACK, "KeyError: 'tide'", error=False, level=None),
    "banner": Sample(BANNER, "[entrypoint] waiting for the database", error=False, level=None),
}

UNFIT: list[tuple[LogFormat, str]] = [
    (PLAIN_JSON, "ERROR no"),
    (PLAIN_JSON, '{"severity":"CRITICAL"}'),
    (PLAIN_JSON, '{"level":"shouting"}'),
    (PLAIN_JSON, '{"user":{"level":"error"}}'),
    (PLAIN_JSON, '{"msg":"\\"level\\":\\"error\\""}'),
    (PINO, '{"level":"error"}'),
    (LOGFMT, 'msg="level=error"'),
    (LOGFMT, "panic: cannot set level=info a=1"),
    (LOGFMT, "a=1 retrying level=error"),
    (PYTHON, "ERROR no"),
    (FIRELENS, '{"level":"error"}'),
    (TRACEBACK, "listening on 8080"),
    (TRACEBACK, '  File "/app/tides.py", line 8, in listing'),
    (TRACEBACK, "KeyError: 'tide'"),
    (BANNER, "[entrypoint] FATAL no database"),
    (DEFAULTED, '{"a":1,"Severity":"CRITICAL"}'),
    (DEFAULTED, '{"log":{"level":"error"}}'),
    (DEFAULTED, '{"ctx":{"severity":"CRITICAL"}}'),
    (DEFAULTED, '{"a":[{"b":{"log.level":"error"}}]}'),
    (DEFAULTED, '{"log":"{\\"ctx\\":{\\"Severity\\":\\"error\\"}}","source":"stderr"}'),
    (DEFAULTED, '{"log":"{\\"level\\":\\"error\\",\\"msg\\":\\"cut off","partial_message":"true"}'),
    (DEFAULTED, '{"log":"level=error msg=no"}'),
    (DEFAULTED, '{"log":"no tide\\nlevel=error"}'),
    (DEFAULTED, '{"log":"ERROR no tide"}'),
    (SERILOG, '{"@t":"2026-11-23T03:25:00.1Z","level":"Error"}'),
    (FIRELENS_DEFAULTED, '{"log":"{\\"lvl\\":\\"error\\"}"}'),
    (FIRELENS_DEFAULTED, '{"log":"{\\"msg\\":\\"no tide\\\\nlevel=error\\"}"}'),
    (FIRELENS_DEFAULTED, '{"log":"{\\"ctx\\":{\\"severity\\":\\"error\\"}}"}'),
    (FIRELENS_DEFAULTED, '{"log":"{\\"log\\":\\"{\\\\\\"level\\\\\\":\\\\\\"error\\\\\\"}\\"}"}'),
    (LOGFMT_DEFAULTED, "retrying a=1"),
    (LOGFMT_DEFAULTED, "a=1 retrying"),
    (LOGFMT_DEFAULTED, "a=1 severity=error"),
    (FIRELENS_LOGFMT, '{"log":"panic: no tide a=1"}'),
    (FIRELENS_LOGFMT, '{"log":"panic: no tide level=info"}'),
    (DEFAULTED, "{wait for it}"),
    (DEFAULTED, '{"a":1'),
    (DEFAULTED, '{"a":{"b":"}"}'),
    (DEFAULTED, '{"a":1} and more'),
    (FIRELENS_DEFAULTED, '{"log":"{wait for it}"}'),
    (FIRELENS_DEFAULTED, '{"log":"{\\"a\\":\\"}\\""}'),
    (FIRELENS_DEFAULTED, '{"log":"{\\"a\\":1} and more"}'),
]
"""Lines that their format does not fit, or that say a level elsewhere than it declares."""

VERBOSE = "%m:%r:%u@%d:[%p]:%l:%e:%s:%v:%x:%c:%q%a:"
RDS = DatabaseLog(format="postgres")
SYDNEY = DatabaseLog(format="postgres", prefix=VERBOSE, zone="Australia/Sydney")
OTHER = DatabaseLog(format="postgres", prefix="%t [%p]: db=%d,user=%u ")
EPOCH = DatabaseLog(format="postgres", prefix="%n %-6p %q[%a] ")
GERMAN = DatabaseLog(format="postgres", severities={"FEHLER": "ERROR", "ANWEISUNG": "STATEMENT", "PANIK": "PANIC"})
GERMAN_CODES = GERMAN.model_copy(update={"prefix": "%t [%p] %e "})
CSVLOG = DatabaseLog(format="csvlog", zone="Europe/Oslo")

_ROW = (
    '2026-11-23 04:25:00.123 CET,"watch","harbour",381,"10.0.1.12:51834",6740f1a0.17d,7,"authentication",'
    '2026-11-23 04:00:00 CET,3/0,0,FATAL,53300,"sorry, too many clients already",,,,,"",,,,"tides","client backend",,0'
)

DATABASE = {
    "RDS": Sample(RDS, "2026-11-23 03:25:00 UTC:10.0.1.12(51834):watch@harbour:[381]:ERROR:  no", True, "ERROR"),
    "RDS, no session": Sample(RDS, "2026-11-23 03:25:00 UTC::@:[381]:LOG:  checkpoint starting: time", False, "LOG"),
    "verbose, another zone": Sample(
        SYDNEY,
        "2026-11-23 14:25:00.123 AEDT:10.0.1.12(51834):watch@harbour:[381]:7:53300:2026-11-23 14:00:00 AEDT:3/0:0:"
        "6740f1a0.17d:psql:FATAL:  remaining connection slots are reserved",
        error=True,
        level="FATAL",
    ),
    "verbose, no session": Sample(
        SYDNEY,
        "2026-11-23 14:25:00.123 AEDT::@:[381]:7:00000:2026-11-23 14:00:00 AEDT::0:6740f1a0.17d:LOG:  end: x:  y",
        error=False,
        level="LOG",
    ),
    "other": Sample(OTHER, "2026-11-23 03:25:00 UTC [381]: db=harbour,user=watch FATAL:  sorry", True, "FATAL"),
    "epoch": Sample(EPOCH, "1795404300.123 381    [psql] PANIC:  no space", error=True, level="PANIC"),
    "German": Sample(GERMAN, "2026-11-23 03:25:00 UTC:h(1):watch@harbour:[381]:FEHLER:  nein", True, "ERROR"),
    "German, with codes": Sample(
        GERMAN_CODES, "2026-11-23 03:25:00 UTC [381] 53300 FEHLER:  zu viele", error=True, level="ERROR"
    ),
    "csvlog": Sample(CSVLOG, _ROW, error=True, level="FATAL"),
    "continued": Sample(RDS, "\tAND tide > 2", error=False, level=None),
}

"""A line is read by the format that its environment declares, and never guessed."""

from datetime import UTC, datetime
from time import process_time
from typing import Any

import pytest
from pydantic import ValidationError

from domain.config.log_formats import DatabaseLog, LineFormat
from domain.rules.log_lines import Line, Unread, first_read, read_line
from domain.rules.tracebacks import Part, orphans
from tests.domain import log_samples
from tests.domain.log_samples import APPLICATION, DATABASE, PINO, PLAIN_JSON, RDS, SYDNEY, TRACEBACK, Sample

SOMETIMES = log_samples.lines(format="text", pattern=r"^\[entrypoint\] (?:(?<level>WARN) )?", level_if_absent="info")
AT = datetime(2026, 11, 23, 3, 25, tzinfo=UTC)


@pytest.mark.parametrize("sample", [*APPLICATION.values(), *DATABASE.values()], ids=[*APPLICATION, *DATABASE])
def test_a_line_says_what_it_is(sample: Sample) -> None:
    """Whether it is an error, and its level as it is spelled."""
    found = read_line(sample.format, sample.line)
    assert isinstance(found, Line), found
    assert (found.error, found.level) == (sample.error, sample.level)


@pytest.mark.parametrize("name", [name for name, one in DATABASE.items() if one.level])
def test_a_database_writes_times_in_its_own_zone(name: str) -> None:
    """Whatever the zone, it is one instant."""
    found = read_line(DATABASE[name].format, DATABASE[name].line)
    assert isinstance(found, Line)
    assert found.at is not None
    assert found.at.replace(microsecond=0) == AT


def test_the_hour_that_clocks_show_twice_is_told_by_its_abbreviation() -> None:
    """On the first Sunday of April Sydney has 02:30 twice, an hour apart."""
    line = DATABASE["verbose, another zone"].line.replace("2026-11-23 14:25", "2026-04-05 02:30", 1)
    summer, winter = (read_line(SYDNEY, line.replace(" AEDT:10", f" {zone}:10", 1)) for zone in ("AEDT", "AEST"))
    assert isinstance(summer, Line)
    assert isinstance(winter, Line)
    assert summer.at is not None
    assert winter.at is not None
    assert (winter.at - summer.at).total_seconds() == 3600


@pytest.mark.parametrize(
    ("declared", "line", "why"),
    [
        (PLAIN_JSON, "ERROR no", "no JSON object"),
        (PLAIN_JSON, "[1]", "no JSON object"),
        (PLAIN_JSON, '{"severity":"CRITICAL"}', "no level under 'level'"),
        (PLAIN_JSON, '{"level":"shouting"}', "in neither errors nor others"),
        (PLAIN_JSON, '{"level":true}', "no level"),
        (PINO, '{"level":"error"}', "in neither errors nor others"),
        (log_samples.LOGFMT, "ERROR no", "no key=value"),
        (log_samples.LOGFMT, "took a=5", "no level"),
        (log_samples.PYTHON, "ERROR no", "pattern does not fit"),
        (log_samples.PYTHON, "a b [7] SHOUT no", "in neither errors nor others"),
        (log_samples.FIRELENS, '{"level":"error"}', "under 'log'"),
        (log_samples.LOGFMT_DEFAULTED, "retrying a=1", "not all of it is key=value"),
        (log_samples.LOGFMT, "panic: cannot set level=info", "not all of it is key=value"),
        (log_samples.LOGFMT, "a=1 retrying level=error", "not all of it is key=value"),
        (log_samples.LOGFMT_DEFAULTED, 'severity=error msg="no tide"', "under another key than 'level'"),
        (log_samples.DEFAULTED, '{"Severity":"CRITICAL"}', "under another key than 'level'"),
        (log_samples.DEFAULTED, '{"log":{"level":"error"}}', "under another key than 'level'"),
        (log_samples.DEFAULTED, '{"a":[{"ctx":{"watch.severity":"error"}}]}', "under another key than 'level'"),
        (log_samples.DEFAULTED, '{"log":"ERROR no watch"}', "or within a text"),
        (log_samples.DEFAULTED, '{"log":"{\\"level\\":\\"error\\"}"}', "or within a text"),
        (log_samples.SERILOG, '{"@t":"2026-11-23T03:25:00.1Z","level":"Error"}', "under another key than '@l'"),
        (log_samples.BANNER, "[entrypoint] FATAL no database", "names a level of errors"),
        (SOMETIMES, "[entrypoint] FATAL no database", "names a level of errors"),
        (TRACEBACK, "listening on 8080", "no line of a traceback"),
        (TRACEBACK, "10.0.1.12: connection refused", "no line of a traceback"),
        (TRACEBACK, "  ERROR listing failed", "no line of a traceback"),
        (RDS, DATABASE["other"].line, "prefix does not fit"),
        (RDS, DATABASE["verbose, another zone"].line, "prefix does not fit"),
        (RDS, DATABASE["RDS"].line.replace("UTC", "AEDT"), "none of zone UTC"),
        (RDS, DATABASE["RDS"].line.replace("2026-11", "2026-13"), "none of zone UTC"),
        (RDS, DATABASE["German"].line, "translate it under severities"),
        (log_samples.CSVLOG, DATABASE["RDS"].line, "no row of a csvlog"),
        (log_samples.CSVLOG, '2026-11-23 04:25:00 CET,"watch', "no row of a csvlog"),
        (log_samples.CSVLOG, DATABASE["csvlog"].line.replace("FATAL", "FATALE"), "translate it under severities"),
    ],
)
def test_what_does_not_fit_is_said_and_not_guessed(declared: LineFormat | DatabaseLog, line: str, why: str) -> None:
    """The reason names the format's own words, and nothing that stands in the line."""
    found = read_line(declared, line)
    assert isinstance(found, Unread)
    assert why in found.why
    assert "watch" not in found.why


def test_a_time_that_only_sessions_have_is_not_asked_of_others() -> None:
    """Processes without a session end the prefix at `%q`, and no number of seconds is too long to be refused."""
    declared = DatabaseLog(format="postgres", prefix="%t %p %q%n ")
    found = read_line(declared, "2026-11-23 03:25:00 UTC 381 LOG:  checkpoint starting: time")
    assert isinstance(found, Line)
    assert found.at == AT
    assert isinstance(read_line(log_samples.EPOCH, f"{'9' * 17}.1 381    LOG:  no"), Unread)


def test_a_long_line_that_does_not_fit_is_given_up_soon() -> None:
    """A statement may be long and hold whatever stands between a prefix's fields."""
    long = DATABASE["German"].line + "a:b@c:[12]:" * 2000
    began = process_time()
    assert isinstance(read_line(RDS, long), Unread)
    assert process_time() - began < 1


def test_the_first_format_that_fits_reads_a_line() -> None:
    """A container writes JSON, and a traceback when it dies."""
    formats = (PLAIN_JSON, TRACEBACK)
    for line, kind in (('{"level":"info"}', "json"), ("KeyError: 'tide'", "python-traceback")):
        found = first_read(formats, line)
        assert isinstance(found, Line)
        assert found.format == kind
    assert isinstance(first_read(formats, "listening"), Unread)
    assert isinstance(first_read((), '{"level":"info"}'), Unread)


def test_a_level_that_is_empty_is_none() -> None:
    """Loggers that write a key with nothing under it say no level there."""
    found = read_line(log_samples.DEFAULTED, '{"severity":null,"@l":"","msg":"up"}')
    assert isinstance(found, Line)
    assert found.level == "info"


def test_a_line_of_a_traceback_is_left_to_a_format_that_knows_it_by_itself() -> None:
    """Whatever the order: such a line shows little of what it is."""
    indented = log_samples.lines(format="text", pattern=r"^ *(?<level>[a-z]+): ")
    for formats in ((TRACEBACK, indented), (indented, TRACEBACK)):
        found = first_read(formats, "  error: listing failed")
        assert isinstance(found, Line)
        assert (found.error, found.part) == (True, None)


@pytest.mark.parametrize(
    ("seen", "lost"),
    [
        ([(Part.WITHIN, "a", 3), (Part.LAST, "a", 1)], [3, 1]),
        ([(Part.LAST, "a", 2), (Part.FIRST, "a", 1), (Part.WITHIN, "a", 9), (Part.LAST, "a", 1)], [1, 0, 0, 1]),
        ([(Part.MEMBER, "a", 2), (Part.WITHIN, "a", 9), (Part.LAST, "a", 1)], [0, 0, 1]),
        ([(Part.FIRST, "a", 1), (Part.WITHIN, "b", 2), (None, "b", 5)], [0, 2, 0]),
    ],
)
def test_what_belongs_to_no_traceback_is_counted(seen: list[tuple[Part | None, str, int]], lost: list[int]) -> None:
    """By stream, in whatever order; each traceback has one last line."""
    assert orphans(seen) == lost


def test_an_entry_is_not_taken_for_what_its_text_quotes() -> None:
    """A statement may quote another entry, and an application may call itself anything."""
    quoting = f"{DATABASE['RDS, no session'].line} x@y:[1]:ERROR:  no"
    found = read_line(RDS, quoting)
    assert isinstance(found, Line)
    assert found.level == "LOG"
    named = DATABASE["verbose, another zone"].line.replace(":psql:", ":LOG:PANIC:")
    assert isinstance(other := read_line(SYDNEY, named), Line)
    assert other.level == "FATAL"


@pytest.mark.parametrize(
    ("declared", "why"),
    [
        ({"format": "text"}, "has a pattern"),
        ({"format": "json", "pattern": "^x"}, "has a pattern"),
        ({"format": "text", "pattern": "(?<level>x)"}, "begin with"),
        ({"format": "text", "pattern": "^(?=x)"}, "look-around"),
        ({"format": "text", "pattern": "^(?<!x)y"}, "look-around"),
        ({"format": "text", "pattern": r"^(x)\1"}, "back-references"),
        ({"format": "text", "pattern": "^(?i)x"}, "flags"),
        ({"format": "text", "pattern": "^("}, "no regular expression"),
        ({"format": "json", "level_if_absent": "loud"}, "neither errors nor others"),
        ({"format": "text", "pattern": "^(?<Level>[A-Z]+) "}, "a group 'Level'"),
        ({"format": "text", "level": "severity", "pattern": "^(?<severity>[A-Z]+) "}, "a group 'severity'"),
        ({"format": "text", "pattern": "^.*"}, "fits every line"),
        ({"format": "text", "pattern": "^(?<level>[A-Z]*)", "level_if_absent": "info"}, "fits every line"),
        ({"format": "json", "errors": []}, "at least 1"),
        ({"format": "json", "level": ""}, "at least 1"),
        ({"format": "json", "inside": ""}, "at least 1"),
        ({"format": "json", "keys": {"event": ""}}, "at least 1"),
        ({"format": "xml"}, "json"),
    ],
)
def test_a_format_that_could_not_be_read_by_is_refused(declared: dict[str, Any], why: str) -> None:
    """It is refused when the file is read."""
    with pytest.raises(ValidationError, match=why):
        LineFormat.model_validate(declared)


@pytest.mark.parametrize(
    ("declared", "why"),
    [
        ({"prefix": "%u@%d "}, "has no time"),
        ({"prefix": "%p %q%t "}, "has no time"),
        ({"prefix": "%%t %p "}, "has no time"),
        ({"prefix": "%t %z"}, "%z is no escape"),
        ({"zone": "AEDT"}, "no time zone"),
        ({"severities": {"FEHLER": "FEHLER"}}, "ERROR"),
    ],
)
def test_a_database_log_that_could_not_be_read_by_is_refused(declared: dict[str, str], why: str) -> None:
    """It is refused when the file is read."""
    with pytest.raises(ValidationError, match=why):
        DatabaseLog.model_validate({"format": "postgres"} | declared)


def test_samples_go_no_further_than_the_file() -> None:
    """They check a format where it is written; no workflow and no record carries them."""
    assert "samples" not in LineFormat.model_validate({"format": "json", "samples": ['{"level":"info"}']}).model_dump()

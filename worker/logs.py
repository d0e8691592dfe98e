"""What the worker logs: one line an event on stderr, with incident, step and trace ids; JSON unless a person reads it.

Tracebacks are logged without the values of local variables: those may hold what must not be in a log.
"""

import logging
import sys

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor, WrappedLogger
from temporalio import workflow

_QUIET = ("botocore", "urllib3", "opentelemetry")  # their debug and info lines hold requests, or tell of nothing


def configure_logs(level: str, *, as_json: bool | None = None) -> None:
    """Send structlog's and the standard library's events to stderr alike; JSON by default unless it is a terminal."""
    if as_json is None:
        as_json = not sys.stderr.isatty()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_trace_ids,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(is_news)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(as_json=as_json)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def is_news(record: logging.LogRecord) -> bool:
    """Tell whether an event is to be logged: what a workflow says while it replays was said the first time."""
    del record
    return not (workflow.in_workflow() and workflow.unsafe.is_replaying())


def add_trace_ids(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Name the current span, in hex as OpenTelemetry writes it; nothing where there is none."""
    del logger, method
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
        event["span_id"] = trace.format_span_id(context.span_id)
    return event


def _rendering(*, as_json: bool) -> list[Processor]:
    if as_json:
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]

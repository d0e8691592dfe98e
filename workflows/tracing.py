"""Traces over OTLP, of a starter and of a worker, where an endpoint is set; nothing otherwise.

It is here for the same reason as the connection. No workflow imports it.
"""

import os

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from temporalio.client import Interceptor
from temporalio.contrib.opentelemetry import TracingInterceptor

from workflows.temporal_client import is_traced

_EXPORT_SECONDS = 3.0  # retries included; an exit waits for no longer


def interceptors(service: str) -> list[Interceptor]:
    """Give a client's interceptors; `service` is its name unless OTEL_SERVICE_NAME is set. A repeat adds no provider.

    Without an endpoint there is no provider and no interceptor, and nothing is sent.
    """
    if not is_traced():
        return []
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        name = os.environ.get("OTEL_SERVICE_NAME", service)
        provider = TracerProvider(resource=Resource.create({SERVICE_NAME: name}))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=_EXPORT_SECONDS)))
        trace.set_tracer_provider(provider)
    return [TracingInterceptor()]


def flush() -> None:
    """Send what is still here, before the process exits; gives up after three seconds."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.force_flush()

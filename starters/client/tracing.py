"""Traces of a starter: the span that an incident's own spans hang from. Used only where an OTLP endpoint is set."""

import os

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from temporalio.client import Interceptor
from temporalio.contrib.opentelemetry import TracingInterceptor

_EXPORT_SECONDS = 3.0  # retries included; an exit waits for no longer


def interceptors() -> list[Interceptor]:
    """Give the client's interceptors. A repeat adds to the same provider."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        name = os.environ.get("OTEL_SERVICE_NAME", "incident-starter")
        provider = TracerProvider(resource=Resource.create({SERVICE_NAME: name}))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=_EXPORT_SECONDS)))
        trace.set_tracer_provider(provider)
    return [TracingInterceptor()]


def flush() -> None:
    """Send what is still here, before the process exits; gives up after three seconds."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.force_flush()

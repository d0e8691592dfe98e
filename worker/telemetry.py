"""Traces over OTLP and metrics for Prometheus: each when it is configured, nothing otherwise."""

import os

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from temporalio.client import Interceptor
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_EXPORT_SECONDS = 3.0  # retries included; an exit waits for no longer


class Tracing:
    """Spans from the starter through workflow and activities to each AWS call, sent to the OTLP endpoint.

    Without an endpoint there is no provider and no interceptor, and nothing is sent.
    """

    def __init__(self) -> None:
        self.interceptors: list[Interceptor] = []
        self._provider: TracerProvider | None = None
        if not any(os.environ.get(name) for name in _ENDPOINTS):
            return
        name = os.environ.get("OTEL_SERVICE_NAME", "incident-worker")
        self._provider = TracerProvider(resource=Resource.create({SERVICE_NAME: name}))
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=_EXPORT_SECONDS)))
        trace.set_tracer_provider(self._provider)
        BotocoreInstrumentor().instrument(tracer_provider=self._provider)  # type: ignore[no-untyped-call]
        self.interceptors.append(TracingInterceptor())

    def flush(self) -> None:
        """Send what is still here; gives up after three seconds."""
        if self._provider is not None:
            self._provider.force_flush()


def runtime(metrics_address: str | None) -> Runtime:
    """Give the SDK's runtime, serving `/metrics` at the address if there is one.

    Raises `ValueError` when the address cannot be served.
    """
    if metrics_address is None:
        return Runtime(telemetry=TelemetryConfig())
    metrics = PrometheusConfig(
        bind_address=metrics_address, durations_as_seconds=True, counters_total_suffix=True, unit_suffix=True
    )
    try:
        return Runtime(telemetry=TelemetryConfig(metrics=metrics))
    except RuntimeError as error:
        raise ValueError(f"cannot serve metrics at {metrics_address}: {error}") from error

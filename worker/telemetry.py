"""Metrics for Prometheus, when they are configured."""

from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from worker.errors import SettingsError


def runtime(metrics_address: str | None) -> Runtime:
    """Give the SDK's runtime, serving `/metrics` at the address if there is one.

    Raises `SettingsError` when the address cannot be served.
    """
    if metrics_address is None:
        return Runtime(telemetry=TelemetryConfig())
    metrics = PrometheusConfig(
        bind_address=metrics_address, durations_as_seconds=True, counters_total_suffix=True, unit_suffix=True
    )
    try:
        return Runtime(telemetry=TelemetryConfig(metrics=metrics))
    except (RuntimeError, ValueError) as error:
        raise SettingsError(f"INCIDENT_METRICS_ADDRESS: cannot serve metrics at {metrics_address}: {error}") from error

# The `incident` command; by default it runs the worker. Libraries have the versions in requirements.lock.
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY domain domain
COPY runbooks runbooks
COPY workflows workflows
COPY reporting reporting
COPY activities activities
COPY authority authority
COPY codec codec
COPY worker worker
COPY starters starters
COPY sandbox sandbox
RUN python -m venv /opt/incident \
    && /opt/incident/bin/pip install --no-cache-dir --constraint requirements.lock .

FROM python:3.13-slim
RUN useradd --uid 10001 --create-home incident
COPY --from=build /opt/incident /opt/incident
# the release that its worker and its `incident deploy` are of; empty means none
ARG BUILD_ID=
ENV PATH=/opt/incident/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    INCIDENT_BUILD_ID=$BUILD_ID \
    INCIDENT_METRICS_ADDRESS=0.0.0.0:9464
USER 10001
WORKDIR /home/incident
EXPOSE 9464
# the worker drains on SIGTERM: allow INCIDENT_SHUTDOWN_GRACE and some seconds more
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9464/metrics', timeout=4)"]
ENTRYPOINT ["incident"]
CMD ["worker"]

"""A small organisation of its own: the files that tests of loading break line by line."""

from pathlib import Path

ORGANISATION = """\
id: clinic
title: A clinic
timezone: Australia/Perth
contacts:
  - id: ops
    roles: [operations]
    channels:
      - {kind: sms, address: "+61491570110"}
  - id: head
    roles: [head]
    channels:
      - kind: email
        address: head@example.com
chain: [head]
externals:
  - {id: insurer, title: Insurer, contact: insurer@example.com}
severities:
  P0: &p0 {respond: 15m, escalate: 0m, repage: 5m, approve: 10m, levels: [{unacknowledged: 0m}]}
  P1: *p0
  P2: *p0
  P3:
    <<: *p0
    respond: 24h
"""

ENVIRONMENT = """\
name: test
kind: sandbox
account: "123456789012"
region: eu-central-1
ledger_table: ledger
notifications: {mail_sender: a@example.com, sms_sender: CLINIC}
status_page: {page_id: page}
services:
  web:
    cluster: c
    service: s
    family: f
    target_group_arn: "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/0123456789abcdef"
    log_group: /web
databases:
  main: {identifier: db, max_connections: 100}
  copy:
    identifier: db-copy
    max_connections: 100
    replica_of: main
load_balancers:
  front:
    arn: "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/front/0123456789abcdef"
    listener_arn: "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/front/01/02"
buckets:
  pages: clinic-pages
maintenance:
  load_balancer: front
  bucket: pages
web_acls:
  front:
    name: acl
    log_group: aws-waf-logs-clinic
    ip_set: blocked
"""

RUNBOOK = """\
id: slow-site
title: Slow site
version: "1.0"
severities: [P1]
owner: operations
on_call: [operations]
page_at_once: [head]
phases:
  - id: look
    title: Look
    within: 15m
    steps:
      - id: errors
        probe: logs.errors
        title: Errors
        with: {service: web}
      - id: services
        probe: ecs.services
        title: Services
        with:
          services:
            - web
  - id: act
    title: Act
    steps:
      - id: grow
        change: ecs.scale_service
        title: Grow
        with: {count: 4}
        ask: [service]
        suggested_by: [errors]
      - id: back
        change: ecs.rollback_service
        title: Back
        with: {service: web}
        approval:
          roles: [incident-commander, head]
          quorum: 2
      - id: told
        notice: statuspage.monitoring
        title: Told
        on: mitigated
        unless: [errors]
      - id: write-down
        task: Write it down
        owner: insurer
        due: 2d
"""

FILES = {"organisation.yaml": ORGANISATION, "environments/test.yaml": ENVIRONMENT, "slow-site.yaml": RUNBOOK}


def write(folder: Path, changed: dict[str, tuple[str, str]] | None = None) -> Path:
    """Write the clinic's folder; `changed` maps a file to what is replaced in it, and by what. Returns the folder."""
    for name, text in FILES.items():
        old, new = (changed or {}).get(name, ("", ""))
        if old and text.count(old) != 1:
            raise AssertionError(f"{old!r} must stand once in {name}, not {text.count(old)} times")
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace(old, new) if old else text, encoding="utf-8")
    return folder

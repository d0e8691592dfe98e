"""The faults that can be injected, each with its symptoms as a responder sees them."""

FAULT_NAMES = {
    "outage-bad-deploy": (
        "The backend's last deployment succeeded, then broke: unhealthy targets, errors in the log, 503 at /health."
    ),
    "outage-watched-deploy": "The same, while ECS still watches that deployment and has not given it up.",
    "deployment-rolled-back": "ECS gives the watched deployment up, and rolls it back by itself.",
    "breach-exfiltration": (
        "One address downloads studies in bulk through the portal; web ACL, application and trail log it."
    ),
    "security-credential-stuffing": (
        "Leaked passwords are tried from five addresses, and three work; studies are read and a role is obtained."
    ),
    "database-pool-exhaustion": (
        "The application holds every connection of a healthy primary: time-outs, 503 at /health."
    ),
    "database-instance-down": (
        "The primary and its standby have failed: no connections, 503 at /health; the replica is healthy."
    ),
    "database-primary-unreachable": (
        "Nobody reaches the primary, which RDS shows as available: 503 at /health; its standby or reader is healthy."
    ),
    "performance-cpu": "Two tasks are overloaded, requests take seconds, and autoscaling removes every added task.",
    "audit-logging-stopped": "The account's trail was stopped three hours ago; nothing reaches the audit bucket.",
    "authentication-down": "Nobody can sign in: Cognito answers with errors, which the application logs.",
    "authentication-restored": "That is over: Cognito answers sign-ins again.",
    "backup-stale": "The primary has not been backed up for nine hours, and AWS Backup's last jobs failed.",
    "backup-resumed": "That is over: the databases are backed up again.",
    "snapshot-unusable": "No snapshot of the primary can be restored: RDS takes it, and ends in incompatible-restore.",
    "snapshot-usable": "That is over: snapshots of the primary can be restored again.",
    "certificate-expiring": "The portal's certificate expires in nine days, and its renewal waits for a DNS record.",
    "certificate-renewed": "That is over: the DNS record is back, and ACM has renewed the certificate.",
    "alert-storm": "Every alarm goes off except the most severe ones.",
    "alert-storm-over": "That is over: the alarms are well again.",
    "feature-failing": "Reports cannot be exported; everything else works.",
}

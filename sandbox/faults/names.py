"""The faults that can be injected, each with what it looks like to those who are paged."""

FAULT_NAMES = {
    "outage-bad-deploy": (
        "A deployment of the backend succeeded and then broke: unhealthy targets, errors in the log, 503 at /health."
    ),
    "breach-exfiltration": (
        "One address downloads study after study through the front door; web ACL, application and trail log it."
    ),
    "security-credential-stuffing": (
        "Leaked passwords are tried from five addresses, and three fit; studies are read, a role is obtained."
    ),
    "database-pool-exhaustion": (
        "The application holds every connection of the primary, which is well itself: time-outs, 503 at /health."
    ),
    "database-instance-down": (
        "The primary has failed, its standby with it: nothing is connected, 503 at /health; its replica is well."
    ),
    "performance-cpu": "Two tasks do the work of many, answers take seconds, and autoscaling takes away what is added.",
    "audit-logging-stopped": "Somebody stopped the account's trail three hours ago; the audit bucket gets nothing.",
    "authentication-down": "Nobody can sign in: Cognito answers with errors, and the application's log says so.",
    "backup-stale": "The primary has not been backed up for nine hours, and AWS Backup's last jobs failed.",
    "certificate-expiring": "The portal's certificate ends in nine days, and its renewal waits for a DNS record.",
    "alert-storm": "Every alarm rings that is not of the gravest kind.",
    "feature-failing": "Reports cannot be exported; everything else works.",
}

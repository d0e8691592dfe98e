"""The page that people see meanwhile: neutral, one line, short enough for a load balancer's fixed response."""

import hashlib

LIMIT_CHARACTERS = 1024
"""Elastic Load Balancing refuses a longer fixed response."""

PAGE = (
    "<!doctype html>"
    '<html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta http-equiv="refresh" content="60">'
    '<meta name="robots" content="noindex">'
    "<title>Temporarily unavailable</title>"
    "<style>body{font:1.1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem;color:#1b2733}"
    "</style></head><body>"
    "<h1>We will be back shortly</h1>"
    "<p>This service is temporarily unavailable while we work on it.</p>"
    "<p>This page looks again by itself every minute. If your matter is urgent, please telephone us.</p>"
    "</body></html>"
)


def digest(content: bytes) -> str:
    """SHA-256 of a page, in hex."""
    return hashlib.sha256(content).hexdigest()


PAGE_DIGEST = digest(PAGE.encode())

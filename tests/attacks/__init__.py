"""What an attacker and bad days did to it once, and what happens now: a row each in docs/security.md."""

"""Encryption of what Temporal carries: payloads under data keys of KMS, for workers, the command and the UI alike."""

"""The packages of ours that are shipped, each from the top of the repository."""

ROOMS = (
    "domain",
    "authority",
    "workflows",
    "reporting",
    "activities",
    "codec",
    "worker",
    "starters",
    "sandbox",
    "runbooks",
)

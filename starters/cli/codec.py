"""`incident codec`: what Temporal carries, readable in its UI for whoever may read it."""

import ipaddress
import os

import click

from starters.cli.output import answer
from starters.cli.shared_options import shared
from starters.options import Options

_PORT = 8081


@click.group()
def codec() -> None:
    """Read what Temporal carries encrypted."""


@codec.command()
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65535), default=_PORT, show_default=True, help="0: any that is free.")
@click.option(
    "--origin", "origins", multiple=True, metavar="URL", help="A site whose pages may ask. Default: TEMPORAL_UI."
)
@click.option("--issuer", metavar="URL", help="The OIDC issuer whose tokens are accepted.")
@click.option("--audience", metavar="A", help="Whom its tokens must be for.")
@shared
def serve(
    options: Options, host: str, port: int, origins: tuple[str, ...], issuer: str | None, audience: str | None
) -> None:
    """Decode payloads for Temporal's UI, and for the temporal command with --codec-endpoint.

    It encodes nothing. On loopback everybody is let in; elsewhere it takes --issuer and --audience, and TLS before it.
    """
    if not _is_loopback(host) and not issuer:
        raise click.UsageError(f"--host {host} can be reached by others: give --issuer and --audience")
    if bool(issuer) != bool(audience):
        raise click.UsageError("--issuer and --audience go together")
    from codec.server import CodecServer
    from starters.client import encryption
    from starters.client.tokens import Tokens

    opened = encryption.opened()
    admits = Tokens(issuer, audience).admits if issuer and audience else None
    sites = origins or tuple(filter(None, [os.environ.get("TEMPORAL_UI")]))
    try:
        server = CodecServer((host, port), opened, [site.rstrip("/") for site in sites], admits)
    except OSError as error:
        raise click.UsageError(f"--host {host} --port {port}: {error.strerror}") from error
    where = f"http://{host}:{server.server_address[1]}"
    answer(options, {"ready": True, "url": where}, f"Decoding at {where}/decode; Ctrl-C stops it.")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

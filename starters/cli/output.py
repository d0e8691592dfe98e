"""Where a document goes: to a file, or to stdout."""

import json
import sys
from pathlib import Path
from typing import Any

import click


def deliver(content: bytes, output: Path | None) -> None:
    """Write a document to stdout, or to a file; then stderr says so. Raises `UsageError` where that cannot be."""
    if output is None:
        click.echo(content.decode(), nl=False)
        sys.stdout.flush()
        return
    write(output, content)
    click.echo(f"{output} written", err=True)


def deliver_json(document: Any, output: Path | None) -> None:
    """Write a JSON document to stdout, or to a file; then stdout says which. Raises like `deliver`."""
    text = json.dumps(document, ensure_ascii=False)
    if output is None:
        click.echo(text)
        return
    write(output, f"{text}\n".encode())
    click.echo(json.dumps({"written": str(output)}))


def write(output: Path, content: bytes) -> None:
    """Write a file. Raises `UsageError` where that cannot be."""
    try:
        output.write_bytes(content)
    except OSError as error:
        raise click.UsageError(f"{output}: {error.strerror}") from error

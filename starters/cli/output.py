"""Write a document to a file, or to stdout."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from activities import local_files
from starters.options import Options


def print_json(document: Any, output: Path | None = None) -> None:
    """Print the command's one JSON document, or write it to a file, named on stdout. Raises as `write` does."""
    text = json.dumps(document, ensure_ascii=False)
    if output is None:
        click.echo(text)
        return
    write(output, f"{text}\n".encode())
    click.echo(json.dumps({"written": str(output)}))


def answer(options: Options, document: Any, text: str) -> None:
    """Print what a command came to: the document with --json, else the text."""
    click.echo(json.dumps(document, ensure_ascii=False) if options.as_json else text)


def deliver(content: bytes, output: Path | None) -> None:
    """Write a document to stdout, or to a file, noted on stderr. Raises as `write` does."""
    if output is None:
        click.echo(content.decode(), nl=False)
        sys.stdout.flush()
        return
    write(output, content)
    click.echo(f"{output} written", err=True)


def write(output: Path, content: bytes, *, keep_mode: bool = False) -> None:
    """Write a file for its owner alone, or one that keeps its mode. Raises `UsageError` if it fails, as on a link."""
    try:
        local_files.write(output, content, keep_mode=keep_mode)
    except OSError as error:
        raise click.UsageError(f"{output}: {error.strerror}") from error

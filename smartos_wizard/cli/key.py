"""The `key` commands."""

from __future__ import annotations

import click


@click.group(name="key")
def command() -> None:
    """Placeholder while the room is being built."""

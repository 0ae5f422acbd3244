"""The `release` commands."""

from __future__ import annotations

import click


@click.group(name="release")
def command() -> None:
    """Placeholder while the room is being built."""

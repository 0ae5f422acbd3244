"""The `job` commands."""

from __future__ import annotations

import click


@click.group(name="job")
def command() -> None:
    """Placeholder while the room is being built."""

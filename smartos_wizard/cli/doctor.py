"""The `doctor` commands."""

from __future__ import annotations

import click


@click.group(name="doctor")
def command() -> None:
    """Placeholder while the room is being built."""

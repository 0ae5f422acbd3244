"""Sizes on the command line: `--ram 16G`, `--pool-size 4TB`."""

from __future__ import annotations

import click

from smartos_wizard.core.text import parse_size


class Size(click.ParamType[int]):
    """A size in bytes: bare letters are powers of 1024, `MB`, `GB`, `TB` powers of 1000."""

    name = "SIZE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The size in bytes; a usage error where the words are no size."""
        try:
            return parse_size(str(value))
        except ValueError:
            self.fail(f"{value!r} is no size; write for example 16G, 512M or 4TB.", param, ctx)

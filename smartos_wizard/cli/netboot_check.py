"""`netboot check`: is a tree whole, here or on a web server?"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from smartos_wizard.cli.output import json_option, run_plan

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options

EPILOG = """\b
Examples:
  smartos-wizard netboot check /srv/netboot
  smartos-wizard netboot check http://192.0.2.1:8080/
  smartos-wizard netboot check https://netboot.smartos.org/smartos.ipxe --full
\b
Of a directory every archive is read and compared with its hash. Of a server only sizes are asked for and a few
kilobytes read; --full reads all of it, some 300 MB a release.
\b
Exit codes: 0 whole, 2 no tree there, 3 cancelled, 5 the server, 6 a hash does not hold, 8 something else is wrong.
"""
"""The help's end."""


@click.command(name="check", epilog=EPILOG)
@click.argument("where", metavar="URL|DIR")
@click.option("--full/--quick", "full", default=None, help="Compare every archive with its hash, or none.")
@json_option
@click.pass_obj
def check_command(options: Options, where: str, full: bool | None, as_json: bool) -> int:
    """Check that every file the scripts name is there, is what its hash says, and lies where SmartOS needs it."""
    from smartos_wizard.netboot.check_steps import plan_check

    remote = urlsplit(where).scheme in ("http", "https")
    plan = plan_check(where, full=not remote if full is None else full)
    return run_plan(options.world, plan, as_json=as_json)

"""`netboot serve`: a tree for one evening, on one network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from smartos_wizard.cli.output import json_option, run_plan
from smartos_wizard.core.errors import UsageProblem

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options

EPILOG = """\b
Examples:
  smartos-wizard netboot serve /srv/netboot --interface eth1
  smartos-wizard netboot serve /srv/netboot --interface eth1 --dhcp 10.0.0.50-10.0.0.99
  smartos-wizard netboot serve /srv/netboot --interface eth1 --http-only --port 80
  smartos-wizard netboot serve /srv/netboot --interface eth1 --config-only ./config
\b
Without --dhcp no address is given to anybody: the DHCP server of the network goes on, and machines are told by
proxyDHCP where to boot from. Give --dhcp only on a network of its own. BIOS machines start SmartOS; UEFI machines
are told that they cannot. Ctrl-C ends it, and nothing is left. For a fleet, --config-only writes configuration for
dnsmasq, ISC dhcpd, Kea and nginx over the same tree.
\b
Exit codes: 0 stopped when asked, 1 dnsmasq, 2 usage, no such interface, or no tree, 4 port or another DHCP server in
the way, 6 or 8 the tree is not whole, 9 no root's rights, 10 the interface is gone.
"""
"""The help's end."""


@click.command(name="serve", epilog=EPILOG)
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--interface", default="", metavar="IF", help="The network interface machines are on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="Port of the web server."
)
@click.option(
    "--dhcp", default="", metavar="FIRST-LAST", help="Give these addresses too; only on an isolated network."
)
@click.option("--http-only", is_flag=True, help="Leave DHCP and TFTP to others; takes no root's rights.")
@click.option(
    "--loader", default="", metavar="FILE", help="Another undionly.kpxe than the one of the ipxe package."
)
@click.option("--config-only", type=click.Path(path_type=Path), default=None, metavar="DIR2", help="Write configuration for other servers there; serve nothing.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show every step; do nothing.")
@json_option
@click.pass_obj
def serve_command(
    options: Options, directory: Path, interface: str, port: int, dhcp: str, http_only: bool, loader: str,
    config_only: Path | None, dry_run: bool, as_json: bool,
) -> int:  # fmt: skip
    """Serve the tree in DIR to machines on one interface until it is stopped."""
    from smartos_wizard.netboot.interface import range_of
    from smartos_wizard.netboot.serve_plan import Serving, plan_serve

    if dhcp and http_only:
        raise UsageProblem("dhcp-or-not", "Say either --dhcp or --http-only.")
    world = options.world
    where = world.wire.interface(interface)
    first, last = range_of(dhcp, where) if dhcp else ("", "")
    root = directory.expanduser().absolute()
    serving = Serving(root, where, port, first, last, http_only, loader)
    if config_only is not None:
        from smartos_wizard.netboot.site_config import plan_config

        return run_plan(
            world, plan_config(serving, config_only.expanduser().absolute()), as_json=as_json, dry_run=dry_run
        )
    from smartos_wizard.cli.netboot_table import TablePrinter

    return run_plan(world, plan_serve(serving), as_json=as_json, dry_run=dry_run, printer=TablePrinter())

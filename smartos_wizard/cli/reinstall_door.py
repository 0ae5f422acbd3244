"""How the commands that work on a machine reach it: their common options, and the survey that comes first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from smartos_wizard.cli.output import tell
from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.core.text import tame

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options
    from smartos_wizard.reinstall.model import Survey
    from smartos_wizard.reinstall.ports import Address


def door_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a command that logs in to a machine; they come as `door`."""
    for option in reversed((
        click.option("--port", type=click.IntRange(1, 65535), help="The ssh port."),
        click.option("--user", default="", help="Who logs in; root otherwise, or as your ssh config says."),
        click.option("--jump", default="", metavar="[USER@]HOST[:PORT]", help="Go through this host."),
        click.option("--identity", default="", metavar="FILE", help="A private key to log in with."),
        click.option("--ask-password", is_flag=True, help="Log in with a password, which is asked for."),
        click.option("--accept-host-key", "accept", multiple=True, metavar="FINGERPRINT", help="Trust this key (SHA256:...) and remember it. May be repeated."),
    )):  # fmt: skip
        command = option(command)
    return command


def address_of(
    host: str, port: int | None, user: str, jump: str, identity: str, ask_password: bool, accept: tuple[str, ...]
) -> Address:  # fmt: skip
    """The machine those options name. Raises UsageProblem `bad-fingerprint`."""
    from smartos_wizard.reinstall.ports import Address

    for fingerprint in accept:
        if not fingerprint.startswith("SHA256:") or len(fingerprint) != 50:
            raise UsageProblem("bad-fingerprint", f"{tame(fingerprint)} is no fingerprint of a key.", hint="It looks like SHA256: and 43 letters and digits.")  # fmt: skip
    password = click.prompt("Password", hide_input=True, err=True) if ask_password else None
    before, _, name = host.rpartition("@")
    return Address(name, user or before, port, jump, identity, password, accept)


def surveyed(options: Options, address: Address, *, quiet: bool) -> Survey:
    """What is on the machine now; the connection stays open for the plan that follows. Raises as `reinstall survey`."""
    from smartos_wizard.reinstall.survey import require_global_zone, take

    if not quiet:
        tell(f"Asking {tame(address.host)}; nothing is changed there …")
    host = options.world.hosts.open(address)
    options.world.closers.append(host.close)
    survey = take(host, options.world.now)
    require_global_zone(survey)
    options.world.doors[address.host] = host
    return survey

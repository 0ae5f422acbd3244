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
    return _doors(command, "", "")


def other_door_options(prefix: str, whose: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The same for a second machine, each with a prefix; they come among `door`, and `other_door` takes them out."""
    return lambda command: _doors(command, prefix, whose)


def _doors(command: Callable[..., Any], prefix: str, whose: str) -> Callable[..., Any]:
    def option(name: str, words: str, **more: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        target = {"ask-password": "ask_password", "accept-host-key": "accept"}.get(name, name)
        if not prefix:
            return click.option(f"--{name}", target, help=words, **more)
        return click.option(f"--{prefix}-{name}", f"{prefix}_{target}", help=f"As --{name}, for {whose}.", **more)  # fmt: skip

    for each in reversed((
        option("port", "The ssh port.", type=click.IntRange(1, 65535)),
        option("user", "Who logs in; root otherwise, or as your ssh config says.", default=""),
        option("jump", "Go through this host.", default="", metavar="[USER@]HOST[:PORT]"),
        option("identity", "A private key to log in with.", default="", metavar="FILE"),
        option("ask-password", "Log in with a password, which is asked for.", is_flag=True),
        option("accept-host-key", "Trust this key (SHA256:...) and remember it. May be repeated.", multiple=True, metavar="FINGERPRINT"),
    )):  # fmt: skip
        command = each(command)
    return command


def other_door(door: dict[str, Any], prefix: str) -> dict[str, Any]:
    """The options of the second machine, taken out of `door`, by the names they have for the first."""
    names = [name for name in door if name.startswith(f"{prefix}_")]
    return {name.removeprefix(f"{prefix}_"): door.pop(name) for name in names}


def address_of(
    host: str, port: int | None, user: str, jump: str, identity: str, ask_password: bool, accept: tuple[str, ...], whose: str = "",
) -> Address:  # fmt: skip
    """The machine those options name; `whose` is said where a password is asked for. Raises UsageProblem `bad-fingerprint`."""
    from smartos_wizard.reinstall.ports import Address

    for fingerprint in accept:
        if not fingerprint.startswith("SHA256:") or len(fingerprint) != 50:
            raise UsageProblem("bad-fingerprint", f"{tame(fingerprint)} is no fingerprint of a key.", hint="It looks like SHA256: and 43 letters and digits.")  # fmt: skip
    password = click.prompt(f"Password{whose}", hide_input=True, err=True) if ask_password else None
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

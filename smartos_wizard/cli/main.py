"""The top of the command: global options, lazily loaded groups, and the one place that turns errors into exit codes."""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from smartos_wizard import __version__

if TYPE_CHECKING:
    from smartos_wizard.world import World

_GROUPS = {
    "release": ("smartos_wizard.cli.release", "List, show, download, verify and prune SmartOS releases."),
    "key": ("smartos_wizard.cli.key", "List disks; write, configure, upgrade, check and restore USB keys."),
    "answers": ("smartos_wizard.cli.answers", "The answers file for SmartOS's setup: make one, check one."),
    "pool": ("smartos_wizard.cli.pool", "What SmartOS's setup would make of disks."),
    "profile": ("smartos_wizard.cli.profile", "Named sets of boot choices: list, show, save, delete."),
    "guest": ("smartos_wizard.cli.guest", "Lab guests: SmartOS in a virtual machine that can harm nothing."),
    "reinstall": (
        "smartos_wizard.cli.reinstall",
        "A clean re-install of a SmartOS machine: survey it first.",
    ),
    "netboot": ("smartos_wizard.cli.netboot", "SmartOS over the network: build a tree, serve it, check one."),
    "dualboot": ("smartos_wizard.cli.dualboot", "SmartOS beside a Linux, as an entry of its GRUB menu."),
    "job": ("smartos_wizard.cli.job", "Long work in a process of its own: list, attach, cancel."),
    "doctor": ("smartos_wizard.cli.doctor", "What this program lacks here; is a machine fit for SmartOS?"),
}


@dataclass
class Options:
    """The global options, and the world made from them on first use."""

    practice: bool = False
    plain: bool = False
    ascii: bool = False
    color: bool = True
    log_file: str = ""
    _world: World | None = None

    @property
    def world(self) -> World:
        """Real or practice; built once."""
        if self._world is None:
            from smartos_wizard.world import build

            self._world = build(self.practice)
        return self._world

    def close(self) -> None:
        """Stop what the world started."""
        if self._world is not None:
            self._world.close()
            self._world = None


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used, so that `--version` costs almost nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names in the order a newcomer meets them."""
        return list(_GROUPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name, imported now."""
        if cmd_name not in _GROUPS:
            return None
        module = importlib.import_module(_GROUPS[cmd_name][0])
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in _GROUPS.items()])


EPILOG = """\b
Examples:
  smartos-wizard                          the wizard
  smartos-wizard --practice               the same, with nothing real
  smartos-wizard release list --limit 5
  smartos-wizard key list --all
  smartos-wizard key write /dev/sdX --release latest --confirm SERIAL
\b
Exit codes: 0 done, 1 failed, 2 usage, 3 cancelled, 4 refused by a safety check, 5 network or
download, 6 checksum, 7 write, 8 proof failed, 9 privilege, 10 device or host lost, 130 interrupted.
"""


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--practice",
    is_flag=True,
    envvar="SMARTOS_WIZARD_PRACTICE",
    help="A make-believe mirror and make-believe keys; touches nothing real.",
)
@click.option(
    "--plain", is_flag=True, help="Line by line instead of full screen; for Braille displays and speech."
)
@click.option(
    "--ascii", "ascii_only", is_flag=True, envvar="SMARTOS_WIZARD_ASCII", help="Draw with ASCII only."
)
@click.option("--no-color", is_flag=True, help="No colours (as with NO_COLOR=1).")
@click.option("--log-file", default="", metavar="FILE", help="Write a log for bug reports.")
@click.version_option(__version__, message="smartos-wizard %(version)s")
@click.pass_context
def cli(
    ctx: click.Context, practice: bool, plain: bool, ascii_only: bool, no_color: bool, log_file: str
) -> None:
    """From nothing to a running SmartOS machine, and back to a clean one.

    Without a command it opens the wizard.
    """
    color = not no_color and not os.environ.get("NO_COLOR")
    options = Options(practice, plain, ascii_only, color, log_file)
    ctx.obj = options
    ctx.call_on_close(options.close)
    if no_color:
        os.environ["NO_COLOR"] = "1"
    if log_file:
        from smartos_wizard.cli.output import start_log

        start_log(log_file)
    if ctx.invoked_subcommand is None:
        from smartos_wizard.cli.wizard import open_wizard

        ctx.exit(open_wizard(options))


def main(args: list[str] | None = None) -> None:
    """Run the command and leave with its exit code."""
    from smartos_wizard.cli.failure import guarded, quiet_logs

    quiet_logs()

    sys.exit(guarded(lambda: cli.main(args=args, prog_name="smartos-wizard", standalone_mode=False)))

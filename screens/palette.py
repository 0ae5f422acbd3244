"""What the command palette offers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.app import SystemCommand

from smartos_wizard.screens.themes import THEMES

if TYPE_CHECKING:
    from smartos_wizard.app import WizardApp


def commands(app: WizardApp) -> Iterator[SystemCommand]:
    """The ways from Home, help, themes, a picture, and out."""
    yield SystemCommand("Home", "Unfinished work, and what you may do", app.go_home)
    yield SystemCommand("Make a USB key", "Choose a release, then a disk", app.start_flow)
    yield SystemCommand("Look after a key", "What is on it, prove it, make it plain again", app.look_after)
    yield SystemCommand(
        "Try SmartOS in a sandbox", "A virtual machine that can harm nothing", app.start_sandbox
    )
    yield SystemCommand("Your guests", "Start, stop, console, delete", app.show_guests)
    yield SystemCommand(
        "Re-install a SmartOS machine", "Survey it first, wipe one pool, lose nothing", app.start_reinstall
    )
    yield SystemCommand("Boot over the network", "A tree, served from this computer", app.start_netboot)
    yield SystemCommand(
        "Beside Linux, through GRUB", "SmartOS as one entry more in its menu", app.start_dualboot
    )
    yield SystemCommand("Is this machine fit for SmartOS?", "What it has, and what to do", app.check_machine)
    yield SystemCommand("What would the pool look like?", "Disks as SmartOS lays them out", app.preview_pool)
    yield SystemCommand("Help", "What is this, what happens, what is not touched", app.action_help)
    for theme in THEMES:
        yield SystemCommand(
            f"Theme: {theme.name}", "Change the colours", lambda n=theme.name: app.use_theme(n)
        )
    yield SystemCommand("Save a picture", "This screen as an SVG file", app.action_picture)
    yield SystemCommand("Quit", "Leave the wizard; work that runs is asked about", app.request_quit)

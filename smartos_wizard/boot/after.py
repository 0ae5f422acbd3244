"""What the machine will do when it starts with these choices, in words for the end of a job. Pure."""

from __future__ import annotations

from smartos_wizard.boot.answers_traps import asked
from smartos_wizard.boot.model import BootChoices

_WAITS = 10
"""Seconds the released menu waits (illumos: loader(7), autoboot_delay)."""


def menu_words(choices: BootChoices) -> str:
    """How long the boot menu waits, and where it shows."""
    where = f", on {choices.console}" if choices.console else ""
    if choices.delay == -1:
        return f"The menu waits for you{where}."
    if choices.delay == 0:
        return f"It boots at once, without waiting in the menu{where}."
    seconds = _WAITS if choices.delay is None else choices.delay
    return f"The menu waits {seconds} s{where}."


def setup_words(choices: BootChoices) -> str:
    """What happens then. Setup runs on the console by itself (smartos-live: smartdc/config), without a login."""
    if choices.rescue:
        return "It starts in rescue: no pool is imported and no setup runs. Log in as root."
    if choices.answers is None:
        return "Setup begins by itself on the console and asks its questions."
    count = len(asked(choices.answers))
    if not count:
        return "Setup runs by itself, asks nothing, and makes the pool of every disk in the machine that is not on USB."
    return f"Setup begins by itself on the console; it still stops {count} time{'s' if count != 1 else ''} to ask or wait."

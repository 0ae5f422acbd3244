"""Words of the road to a guest: the command that does the same, a sandbox explained, a guest in pairs. No Textual."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from smartos_wizard.screens.options_words import boot_flags

if TYPE_CHECKING:
    from smartos_wizard.screens.flow import Answers, Stage
    from smartos_wizard.screens.sandbox_model import GuestAnswers


def guest_by_command(stage: Stage, answers: Answers, *, practice: bool = False) -> str:
    """What a person would type to make the same guest, as far as it is decided by now."""
    start = "smartos-wizard --practice" if practice else "smartos-wizard"
    if stage.value == "console":
        return f"{start} guest console {shlex.quote(answers.guest.name)}"
    words = [shlex.quote(answers.guest.name.strip() or "lab"), "--release", answers.stamp or "latest"]
    return " ".join([f"{start} guest create", *words, *create_flags(answers.guest), *_told(answers)])


def create_flags(guest: GuestAnswers) -> list[str]:
    """The options of `guest create` for what is not left to it."""
    words = ["--hypervisor", guest.hypervisor] if guest.hypervisor else []
    words += ["--memory", _size(guest.memory)] if guest.memory.strip() else []
    words += ["--cpus", guest.cpus.strip()] if guest.cpus.strip() else []
    if guest.count != "1" or guest.each.strip():
        each = _size(guest.each) or "40GiB"
        words += ["--disk", each if guest.count == "1" else f"{guest.count}x{each}"]
    words += ["--nested"] if guest.nested else []
    words += ["--sandbox", guest.sandbox] if guest.sandbox != "lab" else []
    words += ["--bridge", guest.bridge.strip()] if guest.sandbox == "lan" and guest.bridge.strip() else []
    for name in guest.inner.replace(",", " ").split():
        words += ["--inner", name]
    words += ["--ssh-port", guest.port.strip()] if guest.port.strip() else []
    return [shlex.quote(word) for word in words]


def _size(words: str) -> str:
    return "".join(words.split())


def _told(answers: Answers) -> list[str]:
    choices = answers.choices
    if choices.console == "ttya" and choices.speed is None:  # what `guest create` takes by itself
        choices = choices.with_(console="")
    flags = boot_flags(choices, answers.given)
    return [flags] if flags else []

"""Words of the road to a guest: the command that does the same, a sandbox explained, a guest in pairs. No Textual."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from smartos_wizard.screens.options_words import boot_flags
from smartos_wizard.screens.sandbox_model import CONSOLE, EACH, NAME
from smartos_wizard.screens.sandbox_start import start_flags
from smartos_wizard.screens.words import begin

if TYPE_CHECKING:
    from smartos_wizard.guests.model import Detection
    from smartos_wizard.screens.flow import Answers, Stage
    from smartos_wizard.screens.sandbox_model import GuestAnswers


def guest_by_command(stage: Stage, answers: Answers, *, practice: bool = False) -> str:
    """What a person would type to make the same guest, as far as it is decided by now.

    What is decided at `stage` comes first, because a narrow window shows the beginning only.
    """
    start = begin(practice=practice)
    name = shlex.quote(answers.guest.name.strip() or NAME)
    if stage.value == "console":
        return f"{start} guest console {name}"
    parts = {
        "release": start_flags(answers.guest, answers.stamp),
        "hypervisor": ["--hypervisor", answers.guest.hypervisor] if answers.guest.hypervisor else [],
        "size": _size_flags(answers.guest),
        "network": _network_flags(answers.guest),
    }
    first = parts.pop(stage.value, [])
    rest = [word for part in parts.values() for word in part]
    told = _told(answers)
    quoted = [shlex.quote(word) for word in (first + rest)]
    words = [*told, *quoted] if stage.value == "options" else [*quoted, *told]
    return " ".join([f"{start} guest create", name, *words])


def create_flags(guest: GuestAnswers) -> list[str]:
    """The options of `guest create` for what is not left to it, quoted for a shell."""
    words = ["--hypervisor", guest.hypervisor] if guest.hypervisor else []
    return [shlex.quote(word) for word in (*words, *_size_flags(guest), *_network_flags(guest))]


def _size_flags(guest: GuestAnswers) -> list[str]:
    words = ["--memory", _size(guest.memory)] if guest.memory.strip() else []
    words += ["--cpus", guest.cpus.strip()] if guest.cpus.strip() else []
    if guest.count != "1" or guest.each.strip():
        each = _size(guest.each) or _size(EACH)
        words += ["--disk", each if guest.count == "1" else f"{guest.count}x{each}"]
    return [*words, "--nested"] if guest.nested else words


def _network_flags(guest: GuestAnswers) -> list[str]:
    words = ["--sandbox", guest.sandbox] if guest.sandbox != "lab" else []
    words += ["--bridge", guest.bridge.strip()] if guest.sandbox == "lan" and guest.bridge.strip() else []
    for name in guest.inner.replace(",", " ").split():
        words += ["--inner", name]
    return [*words, "--ssh-port", guest.port.strip()] if guest.port.strip() else words


def _size(words: str) -> str:
    return "".join(words.split())


def _told(answers: Answers) -> list[str]:
    if answers.guest.boot == "iso":  # it can be told nothing
        return []
    choices = answers.choices
    if choices.console == CONSOLE and choices.speed is None:  # what `guest create` takes by itself
        choices = choices.with_(console="")
    alone = answers.guest.by_itself(choices.answers)
    flags = boot_flags(choices.with_(answers=None) if alone else choices, answers.given)
    return [*(["--hands-off"] if alone else []), *([flags] if flags else [])]


def in_short(detection: Detection) -> tuple[str, str]:
    """A hypervisor in a few words, and how they are drawn."""
    if not detection.found:
        return "not here, see below", "$faint"
    if not detection.usable:
        return "cannot be used, see below", "$error"
    if not detection.starts:
        return "makes guests, but starts none", "$warning"
    if any(problem.level != "info" for problem in detection.problems):
        return "ready, with a remark", "$warning"
    return "ready", "$success"

"""What an earlier change made a key say, as choices again: so that one of them can be changed and the rest stays."""

from __future__ import annotations

from dataclasses import replace

from smartos_wizard.boot import grub_menu, loader_write
from smartos_wizard.boot.answers_json import parse_bytes
from smartos_wizard.boot.key_files import Reader, noted_files
from smartos_wizard.boot.model import ANSWERS, LOADER_CONF_LOCAL, MENU_LST, BootChoices
from smartos_wizard.core.errors import Refused


def present_choices(current: Reader, *, legacy: bool) -> BootChoices:
    """The choices this program put on the medium that `current` reads; empty where there are none.

    What the release or the user wrote is not among them. On GRUB keys only what makes the menu another than it
    was before can be told. Raises Refused `answers-unreadable`.
    """
    text = (current(MENU_LST if legacy else LOADER_CONF_LOCAL) or b"").decode("utf-8", "surrogateescape")
    choices = _of_menu(text) if legacy else loader_write.choices_of(text)
    modules = tuple(
        replace(module, data=data) for module in choices.modules if (data := current(module.path)) is not None
    )
    paths = [p for p in noted_files(text, legacy) if p not in {module.path for module in modules}]
    files = {path: data for path in paths if path != ANSWERS and (data := current(path)) is not None}
    return choices.with_(
        modules=modules, files=files, answers=_answers(current(ANSWERS)) if ANSWERS in paths else None
    )


def combined(chosen: BootChoices, below: BootChoices) -> BootChoices:
    """`chosen`, and what `below` says where nothing was chosen; files come beside those of `below`.

    A speed belongs to its port: another console does not inherit it.
    """
    taken = {module.name for module in chosen.modules}
    modules = tuple(module for module in below.modules if module.name not in taken) + chosen.modules
    merged = chosen.over(below).with_(modules=modules, files={**below.files, **chosen.files})
    if chosen.console and chosen.speed is None and chosen.console != below.console:
        return merged.with_(speed=None)
    return merged


def _of_menu(text: str) -> BootChoices:
    own = grub_menu.without_changes(text)
    before, now = grub_menu.settings_in(own), grub_menu.settings_in(text)
    changed = {name: value for name, value in now.items() if before.get(name) != value}
    return loader_write.from_settings(changed | _flags(own, text))


def _flags(own: str, text: str) -> dict[str, str]:
    """The kernel's flags and the delay as the loader's settings say them, where the menu differs from `own`."""
    before, now = grub_menu.flags_in(own), grub_menu.flags_in(text)
    found: dict[str, str] = {}
    if before.flags != now.flags:
        if ("v" in before.flags) != ("v" in now.flags):
            found["boot_verbose"] = "YES" if "v" in now.flags else "NO"
        if "k" in now.flags:
            found["boot_kmdb"] = "YES"
        if "d" in now.flags:
            found["boot_debug"] = "YES"
    if before.timeout != now.timeout and now.timeout is not None:
        found["autoboot_delay"] = str(now.timeout)
    return found


def _answers(data: bytes | None) -> dict[str, str] | None:
    if data is None:
        return None
    parsed = parse_bytes(data)
    if not parsed.readable:
        raise Refused(
            "answers-unreadable",
            f"{ANSWERS} on the key was changed since, and setup could not read it. Nothing was changed.",
            hint="Give --answers with a good file, or --reset to begin with what the release says.",
        )
    return dict(parsed.answers)

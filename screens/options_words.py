"""Boot choices as the options of a command, and as files on the key. No Textual; no secret ever."""

from __future__ import annotations

import shlex

from smartos_wizard.boot.model import LOADER_CONF_LOCAL, MENU_LST, BootChoices
from smartos_wizard.screens.options_model import ETC_SYSTEM, Given, shown

_FLAGS = {
    "console": "--console", "speed": "--speed", "kmdb": "--kmdb", "pools": "--zpools", "delay": "--boot-delay",
    "hostname": "--hostname",
}  # fmt: skip


def boot_flags(choices: BootChoices, given: Given) -> str:
    """The options of `key write` that make the same choices; secrets are asked for or lie in a file."""
    if given.profile and choices.over(given.base) == choices:
        words = ["--profile", given.profile, *_flags(_beyond(choices, given.base), given)]
    else:
        words = _flags(choices, given)
    return " ".join(shlex.quote(w) for w in words)


def _beyond(choices: BootChoices, base: BootChoices) -> BootChoices:
    """Only what differs from the profile; a speed goes with its console."""
    empty = BootChoices()
    names = [
        name for name in BootChoices.__dataclass_fields__ if getattr(choices, name) != getattr(base, name)
    ]
    if "speed" in names or "console" in names:  # a console that is named anew begins with its released speed
        names += ["console", "speed"]
    return empty.with_(**{name: getattr(choices, name) for name in names})


def _flags(choices: BootChoices, given: Given) -> list[str]:
    words: list[str] = []
    for name in ("console", "speed"):
        words += _flag(name, choices)
    if choices.answers is not None:
        words += ["--answers", given.answers_file or "FILE"]
    if choices.root_shadow:
        words.append("--root-password-prompt")
    for name in ("hostname", "delay"):
        words += _flag(name, choices)
    for name in ("verbose", "rescue"):
        value = getattr(choices, name)
        if value is not None:
            words.append(f"--{'' if value else 'no-'}{name}")
    for name in ("kmdb", "pools"):
        words += _flag(name, choices)
    for module in choices.modules:
        place = given.files.get(module.path, "FILE")
        own = module.name == ETC_SYSTEM
        words += ["--etc-system", place] if own else ["--module", f"{module.name}={place}"]
    for path in choices.files:
        words += ["--add-file", f"{path}={given.files.get(path, 'FILE')}"]
    return words


def _flag(name: str, choices: BootChoices) -> list[str]:
    value = shown(name, choices)
    return [_FLAGS[name], value] if value else []


def preview_of(choices: BootChoices, *, legacy: bool = False) -> str:
    """What will be on the key besides the release, file by file, secrets masked. Raises UsageProblem.

    `legacy` is a release from before 2019-04: GRUB is told by lines in its menu, shown here one for each setting.
    """
    from smartos_wizard.boot.key_files import files_for, kernel_properties, masked, preview

    parts = []
    loader = choices.with_(answers=None, files={}, modules=()) if legacy else BootChoices()
    rest = BootChoices(answers=choices.answers, files=choices.files) if legacy else choices
    for change in files_for(rest, lambda _path: None, legacy=False):
        if not (legacy and change.path == LOADER_CONF_LOCAL):
            lines = preview([change]).splitlines()[3:]
            parts.append("\n".join([f"{change.path}:", *(f"  {line[1:]}" for line in lines)]))
    if not loader.empty:
        lines = [masked(f"{name}={value}") for name, value in kernel_properties(loader).items()]
        parts.append(
            "\n".join([f"{MENU_LST}, in the entry that starts by itself:", *(f"  {x}" for x in lines)])
        )
    return "\n".join(parts)


def warned_of(choices: BootChoices) -> tuple[str, ...]:
    """What has to be known of a key with these choices before it is written; mostly nothing."""
    from smartos_wizard.boot.answers_traps import unattended

    answers = choices.answers or {}
    found = []
    if unattended(answers):
        found.append("A machine started with it is set up unasked: all its fixed disks are erased.")
    if answers.get("root_password"):
        found.append("Root's password is on it in clear text: change it after the first login.")
    return tuple(found)


def after_boot(choices: BootChoices) -> tuple[str, str, str]:
    """What the menu, setup and root's password will be like, for the end of the way."""
    from smartos_wizard.boot.after import menu_words, setup_words

    password = "the one you gave" if choices.root_shadow else "root"
    rescue = f"Rescue mode's password is {password}; r shows the single-user one."
    return menu_words(choices), setup_words(choices), rescue

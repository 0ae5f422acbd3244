"""Boot choices as the options of a command, and as files on the key. No Textual; no secret ever."""

from __future__ import annotations

import shlex

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.core import text
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


def preview_of(choices: BootChoices) -> str:
    """What will be on the key besides the release: the files and their content, secrets masked.

    Raises UsageProblem. For the loader that keys have since 2019-04; older ones get the same in menu.lst.
    """
    from smartos_wizard.boot.key_files import files_for, preview

    return preview(files_for(choices, lambda _path: None, legacy=False))


def files_of(choices: BootChoices) -> tuple[tuple[str, int], ...]:
    """Path and size in bytes of each file these choices put on a key. Raises UsageProblem."""
    from smartos_wizard.boot.key_files import files_for

    found = files_for(choices, lambda _path: None, legacy=False)
    return tuple((change.path, len(change.new or b"")) for change in found)


def besides(choices: BootChoices) -> tuple[str, ...]:
    """What will be on the key besides the release, one line each; nothing where it stays as released."""
    if choices.empty:
        return ()
    lines = [f"{path} ({text.exact(size)} bytes)" for path, size in files_of(choices)]
    if choices.answers and choices.answers.get("root_password"):
        lines.append("Root's password stands in it in clear text: change it after the first login.")
    return tuple(lines)


def after_boot(choices: BootChoices) -> tuple[str, str, str]:
    """What the menu, setup and root's password will be like, for the end of the way."""
    where = f"on {choices.console}" if choices.console else "on screen and on the serial console"
    match choices.delay:
        case None:
            menu = f"The menu waits 10 s, {where}."
        case -1:
            menu = f"The menu waits for you, {where}."
        case seconds:
            menu = (
                f"The menu waits {seconds} s, {where}." if seconds else "It boots at once, without the menu."
            )
    if choices.rescue:
        setup = "It starts in rescue: no pool, no setup. Log in as root."
    elif choices.answers is None:
        setup = "Log in as root; the setup asks its questions."
    else:
        setup = _setup(choices.answers)
    password = "the one you gave" if choices.root_shadow else "root"
    return menu, setup, f"Rescue mode's password is {password}; the single-user password: r shows it."


def _setup(answers: dict[str, str]) -> str:
    from smartos_wizard.boot.answers_check import stops

    count = sum(not stop.maybe for stop in stops(answers))
    if not count:
        return "The setup runs by itself and erases the machine's fixed disks."
    return f"The setup takes your answers and stops {'once' if count == 1 else f'{count} times'}."

"""The last words: what to do with a proven key, and what was left alone."""

from __future__ import annotations

from smartos_wizard.boot.after import menu_words, setup_words
from smartos_wizard.core import text
from smartos_wizard.media.keys import Key, Keys


def what_next(keys: Keys) -> list[str]:
    """Lines for a person, for the end of writing; empty where no key was proven."""
    proven = [key for key in keys.keys if key.state == "proven"]
    if not proven:
        return []
    lines = [_line(key, keys) for key in proven]
    if all(key.target.regular_file for key in proven):
        return [*lines, "Use it as the disk of a virtual machine, or write it to a key later.", _untouched()]
    names = " ".join(key.target.path for key in proven)
    return [
        *lines,
        "Next:",
        f"  1 Make it safe to pull: smartos-wizard key eject {names}",
        f"  2 Boot the machine from it (F12, F11 or F8 at power-on). {menu_words(keys.choices)}",
        f"  3 {setup_words(keys.choices)}",
        f"Or see it start here first: smartos-wizard key boot-test {names}",
        "Do not “repair” its partition table, and do not write the ISO to a key.",
        _untouched(),
    ]


def _line(key: Key, keys: Keys) -> str:
    spent = f"write {text.duration(key.write_seconds)}, proof {text.duration(key.proof_seconds)}"
    if key.writing.written == 0:
        spent = f"nothing needed writing, compared in {text.duration(key.write_seconds)}"
    name = keys.image.stamp or keys.image.path.name
    if key.changes:
        count = f"the {len(key.changes)} files" if len(key.changes) != 1 else "the file"
        return (
            f"PROVEN. {key.target.path} was read back: {count} you asked for, and every other byte as in {name}, "
            f"{text.exact(keys.size)} bytes; the file system is clean; {spent}."
        )
    return f"PROVEN. Every byte of {key.target.path} was read back and equals {name}: {text.exact(keys.size)} bytes, {spent}."


def _untouched() -> str:
    return "Not touched: every other disk, the network, this computer's own boot set-up."

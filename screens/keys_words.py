"""Words of the screens about one key: what is on it, what may be done, root's password."""

from __future__ import annotations

import textwrap

from textual.content import Content

from smartos_wizard.media.model import KeyContents
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.keys_desk import Password
from smartos_wizard.screens.words import Marks

_LAYOUTS = {"gpt": "SmartOS key", "mbr": "old SmartOS key (GRUB)", "iso": "an ISO written to a key"}
_LONGEST = 6  # names of files on a screen


def entries(found: KeyContents | None) -> list[tuple[str, str, str]]:
    """What may be done with a key, as id, words, and more words. Before it is read, all of it is offered."""
    rows = [
        ("check", "Prove it again", "every byte against the release"),
        ("boot", "Start it here", "in QEMU, read-only"),
        ("configure", "Configure", "console, answers, password at boot"),
        ("upgrade", "Upgrade", "a newer platform, the old one kept"),
        ("rollback", "Roll back", "to the platform that was kept"),
        ("password", "Root's password", "which of them counts when; asks first"),
        ("eject", "Eject it", "makes it safe to pull"),
        ("plain", "Make it a plain stick again", "erases it; confirmed first"),
    ]
    if found is None:
        return rows
    if not found.layout or found.layout == "iso":
        return [row for row in rows if row[0] not in ("configure", "upgrade", "rollback")]
    if found.unfinished:
        rows.insert(0, ("finish", "Finish what was begun", "a change was cut short; confirmed first"))
    if found.layout == "mbr":
        return [row for row in rows if row[0] not in ("upgrade", "rollback")]
    if found.previous:
        return [
            ("rollback", "Roll back", f"to {found.previous}, kept") if r[0] == "rollback" else r for r in rows
        ]
    return [row for row in rows if row[0] != "rollback"]


def entry(name: str, words: str) -> Content:
    """A row of that list."""
    return Content.assemble("  ", (f"{name:<29}", "bold"), (words, "$dim"))


def rows_of(found: KeyContents, marks: Marks) -> list[tuple[str, str]]:
    """What is on a key, as pairs."""
    stamp = found.stamp or found.boot_stamp
    layout = _LAYOUTS.get(found.layout, "no SmartOS")
    if not stamp and found.layout != "iso":
        kinds = ", ".join(str(p.get("fstype") or p.get("type") or "?") for p in found.partitions)
        layout = "no SmartOS" + (f" (partitions: {kinds})" if kinds else "")
    rows = [("Layout", layout)]
    if stamp:
        rows.append(("Release", stamp + (f", and {found.previous} kept" if found.previous else "")))
    if found.console:
        rows.append(("Console", found.console))
    rows += [(f"{marks.warn} Problem", problem) for problem in found.problems]
    if not found.problems:
        rows.append(("Health", "nothing wrong was seen; proving it again says more"))
    if found.answers is not None:
        asks = f"set-up will still {'; '.join(found.asks)}" if found.asks else "set-up asks nothing"
        rows.append(("Answers", f"{len(found.answers)}; {asks}"))
    if found.extra_files:
        rows.append(("Extra files", ", ".join(found.extra_files[:_LONGEST])))
    rows += [("Note", note) for note in found.notes]
    return rows


def about_to_show() -> Asking:
    """The question before a password is on the screen."""
    words = (
        "The password that is built into the release on this key is read from it and shown on the screen. "
        "Whoever sees the screen can read it. It is kept nowhere."
    )
    return Asking("Show root's password?", words, (("no", "No"), ("show", "Show it")))


def password_words(found: Password, width: int = 66) -> Content:
    """The password, where it was read, and which of root's counts when; wrapped to `width`."""
    of = f"release {found.stamp}" if found.stamp else "this release"
    parts = [
        Content.assemble(f"Built into {of}:   ", (found.word, "bold $accent")),
        *(
            Content.assemble((line, "$dim"))
            for line in textwrap.wrap(f"Read from {found.place}; not verified.", width)
        ),
        Content.assemble(("\nWhich of root's passwords counts", "bold")),
    ]
    for rule in found.rules:
        parts += [Content(line) for line in textwrap.wrap(f"{rule.when}:", width)]
        words = textwrap.wrap(rule.password, width, initial_indent="   ", subsequent_indent="   ")
        parts += [Content.assemble((line, "$dim")) for line in words]
    return Content("\n").join(parts)

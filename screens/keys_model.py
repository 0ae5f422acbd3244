"""What may be done with a key, and what is on it, in words. Pure; the full-screen and the line-by-line wizard share it."""

from __future__ import annotations

from smartos_wizard.media.model import KeyContents

_LAYOUTS = {"gpt": "SmartOS key", "mbr": "old SmartOS key (GRUB)", "iso": "an ISO written to a key"}
_LONGEST = 6  # names of files that are named

CHANGING = ("finish", "configure", "upgrade", "rollback", "plain")
"""After these a key is to be read anew."""


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
    if found.previous:
        rows[4] = ("rollback", "Roll back", f"to {found.previous}, kept")
    if found.unfinished:
        rows.insert(0, ("finish", "Finish what was begun", "a change was cut short; confirmed first"))
    without: tuple[str, ...] = () if found.previous else ("rollback",)
    if found.layout == "mbr":
        without = ("upgrade", "rollback")
    elif found.layout != "gpt":
        without = ("finish", "configure", "upgrade", "rollback")
    return [row for row in rows if row[0] not in without]


def rows_of(found: KeyContents, warn: str = "") -> list[tuple[str, str]]:
    """What is on a key, as pairs, the important ones first. `warn` is a mark before what is wrong."""
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
    rows += [(f"{warn} Problem".strip(), problem) for problem in found.problems]
    if not found.problems:
        rows.append(("Health", "nothing wrong was seen; proving it again says more"))
    if found.answers is not None:
        asks = f"setup will still {'; '.join(found.asks)}" if found.asks else "setup asks nothing"
        rows.append(("Answers", f"{len(found.answers)}; {asks}"))
    if found.extra_files:
        rows.append(("Extra files", ", ".join(found.extra_files[:_LONGEST])))
    return [*rows, *(("Note", note) for note in found.notes)]
